import { appendFileSync } from 'node:fs';
import { textOf } from '../../src/base/json.ts';
import { alsoObserve } from '../../src/cli/engine-session.ts';
import { main } from '../../src/cli/main.ts';

/*
 * The command line with a trap: it kills itself with SIGKILL at a chosen step of the engine. Purpose: to show that no
 * step is a wrong one to die at. A step is any event of the engine: about to write the journal, written, one signal
 * sent, so that the process dies before and after each durable write and between any two effects.
 * Not covered: a crash inside SQLite's own commit, which SQLite's tests cover, and the loss of power.
 *
 * CRASH_COMMAND  the command that crashes (`attack`, `recover`, `keeper`); others run as usual
 * CRASH_AT       the number of the step at which it dies, from 1
 * CRASH_ON       or the type of the event on which it dies; `writing settle` is that of one write
 * CRASH_LOG      a file that gets the name of that step
 */
const at = Number(process.env['CRASH_AT']);
const on = process.env['CRASH_ON'];
const log = process.env['CRASH_LOG'];
let step = 0;

if (process.argv[2] === process.env['CRASH_COMMAND']) {
  alsoObserve(({ type, data }) => {
    step++;
    const name = type === 'writing' ? `${type} ${textOf(data['step'])}` : type;
    if (step !== at && name !== on) return;
    if (log !== undefined) appendFileSync(log, `${step} ${type} ${JSON.stringify(data).slice(0, 80)}\n`);
    process.kill(process.pid, 'SIGKILL');
    // The signal is taken at the next return from the kernel; nothing more must happen here until then.
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
}
await main('faultline');
