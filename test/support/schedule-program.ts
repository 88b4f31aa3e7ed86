import { textOf } from '../../src/base/json.ts';
import { openEngine } from '../../src/experiment/engine.ts';
import { parseSchedule } from '../../src/experiment/schedule/request.ts';

/*
 * A service of schedules alone, in a process that kills itself with SIGKILL at a chosen event of the engine. Purpose:
 * to show that no moment of a run is a wrong one to die at.
 *
 * SCHEDULE_STATE    the state folder
 * SCHEDULE_BODY     the schedule to add, as JSON
 * SCHEDULE_PROGRAM  how to run the built program, as JSON
 * CRASH_ON          the event on which it dies, as `type` or `type step`: `schedule.run`, `writing tick`
 * CRASH_AT          at the how-manieth time, from 1
 */
const { SCHEDULE_STATE: stateDir, SCHEDULE_BODY: body = '', SCHEDULE_PROGRAM: program = '[]', CRASH_ON } = process.env;
let times = Number(process.env['CRASH_AT'] ?? 1);

const engine = openEngine({
  stateDir,
  via: 'test',
  program: JSON.parse(program) as readonly string[],
  interrupted: new AbortController().signal,
  observe: ({ type, data }) => {
    if (CRASH_ON !== type && CRASH_ON !== `${type} ${textOf(data['step'])}`) return;
    if (--times > 0) return;
    process.kill(process.pid, 'SIGKILL');
    // The signal is taken at the next return from the kernel; nothing more must happen here until then.
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
await engine.enterService('http://127.0.0.1:1');
await engine.addSchedule(await parseSchedule(JSON.parse(body) as Parameters<typeof parseSchedule>[0]));
engine.runSchedules({
  onError: (error) => {
    console.error(error);
  },
});
