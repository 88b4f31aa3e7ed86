import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/base/json.ts';
import { openEngine } from '../../../src/experiment/engine.ts';
import { parseSchedule } from '../../../src/experiment/schedule/request.ts';
import { bootTimeMs } from '../../../src/linux/clock.ts';
import { tempStateDir } from '../../support/cli.ts';
import { buildCrashingProgram } from '../../support/crashing.ts';
import { readJournal } from '../../support/journal.ts';
import {
  addSchedule,
  eventually,
  expectOncePerTick,
  expectSound,
  program,
  scheduleEvents,
  type ScheduleService,
  scheduleService,
} from '../../support/schedules.ts';
import { sleeper, start, stateOf } from '../targets/processes.ts';

const stopping = (pid: number, more: JsonObject = {}): JsonObject => ({
  kind: 'process',
  action: 'stop',
  process: String(pid),
  schedule: '@every 1s',
  duration: '300ms',
  uid: 'again',
  ...more,
});

async function recordOf({ engine }: ScheduleService, uid = 'again') {
  return (await engine.findSchedule(uid)).record;
}

describe('a schedule', () => {
  test('runs again and again, each run an injection of its own, until it is ended', async () => {
    const stateDir = tempStateDir();
    const target = await sleeper('fl-sc-again');
    const service = await scheduleService(stateDir);
    const since = bootTimeMs();
    await addSchedule(service, stopping(target.pid));
    await eventually('three runs', async () => (await recordOf(service)).runs >= 3);
    const ended = await service.engine.endSchedule('again');
    expect(ended.already).toBe(false);
    expect(stateOf(target.pid)).toBe('S');
    const record = await recordOf(service);
    const runs = readJournal(stateDir);
    expectSound(runs, record, { elapsedMs: bootTimeMs() - since, everyMs: 1_000 });
    expectOncePerTick(stateDir, 'again', 1_000);
    expect(record.failed, JSON.stringify(record.lastError)).toBe(0);
    expect(runs.map((run) => run.record.uid).slice(0, 3)).toEqual(['again-1', 'again-2', 'again-3']);
    expect(runs[0]?.record.actor).toMatchObject({ via: 'schedule', schedule: 'again', for: { via: 'test' } });
    expect(await service.engine.endSchedule('again')).toMatchObject({ already: true, recovery: undefined });
    const types = scheduleEvents(stateDir).map(({ type }) => type);
    expect([types[0], types[1], types.at(-1)]).toEqual(['schedule.added', 'schedule.run', 'schedule.ended']);
    expect(service.errors).toEqual([]);
  });

  test('a tick is skipped and counted while the last run is live; its end undoes the live run', async () => {
    const stateDir = tempStateDir();
    const target = await sleeper('fl-sc-overlap');
    const service = await scheduleService(stateDir);
    const since = bootTimeMs();
    await addSchedule(service, stopping(target.pid, { duration: '1h' }));
    await eventually('two ticks are skipped', async () => (await recordOf(service)).skipped >= 2);
    expect(stateOf(target.pid)).toBe('T');
    const { recovery } = await service.engine.endSchedule('again');
    expect(recovery?.record).toMatchObject({ uid: 'again-1', state: 'recovered' });
    expect(stateOf(target.pid)).toBe('S');
    const record = await recordOf(service);
    expect(record).toMatchObject({ runs: 1, failed: 0, lastRun: 'again-1' });
    expectSound(readJournal(stateDir), record, { elapsedMs: bootTimeMs() - since, everyMs: 1_000 });
    const skips = scheduleEvents(stateDir).filter(({ type }) => type === 'schedule.skipped');
    expect(skips).toEqual([
      { type: 'schedule.skipped', data: { schedule: 'again', reason: 'again-1 is live', skipped: 1 } },
    ]);
    expect(service.errors).toEqual([]);
  });

  test('while attacks are halted its ticks are skipped, then it goes on', async () => {
    const stateDir = tempStateDir();
    const target = await sleeper('fl-halted');
    const service = await scheduleService(stateDir);
    await service.engine.halt('a drill');
    await addSchedule(service, stopping(target.pid));
    await eventually('a tick is skipped', async () => (await recordOf(service)).skipped >= 1);
    expect(await recordOf(service)).toMatchObject({ runs: 0, failed: 0 });
    expect(readJournal(stateDir)).toEqual([]);
    await service.engine.releaseHalt();
    await eventually('it runs', async () => (await recordOf(service)).runs >= 1);
    await service.engine.endSchedule('again');
    expect(stateOf(target.pid)).toBe('S');
  });

  test('a run that fails is counted with its error, and the next one is tried all the same', async () => {
    const stateDir = tempStateDir();
    const service = await scheduleService(stateDir);
    const body = stopping(0, { process: 'fl-not-yet', duration: '200ms' });
    await addSchedule(service, body);
    await eventually('a run fails', async () => (await recordOf(service)).failed >= 1);
    expect((await recordOf(service)).lastError).toMatchObject({ code: 'PROCESS_NOT_FOUND' });
    const target = await sleeper('fl-not-yet');
    await eventually('a run is undone', () => readJournal(stateDir).some(({ record }) => record.state === 'recovered'));
    await service.engine.endSchedule('again');
    expect(stateOf(target.pid)).toBe('S');
    expect((await recordOf(service)).failed).toBeLessThan((await recordOf(service)).runs);
    expect(service.errors).toEqual([]);
  });

  test('several at a time, and a kill needs no duration', async () => {
    const stateDir = tempStateDir();
    const [one, other] = [await sleeper('fl-sc-one'), await sleeper('fl-again-killed')];
    const service = await scheduleService(stateDir);
    await addSchedule(service, stopping(one.pid, { uid: 'one', duration: '1h' }));
    // By its name: its PID may be somebody else's at the next tick.
    const kill = stopping(0, { uid: 'other', process: 'fl-again-killed', duration: '5s', action: 'kill' });
    expect((await addSchedule(service, kill)).leaseMs).toBeNull();
    await eventually('one is stopped', () => stateOf(one.pid) === 'T');
    await eventually('the other is dead', () => other.child.signalCode === 'SIGKILL');
    await service.engine.endSchedule('one');
    expect(stateOf(one.pid)).toBe('S');
  });

  test('survives that its service ends and another begins; an ended one stays ended', async () => {
    const stateDir = tempStateDir();
    const target = await sleeper('fl-survives');
    const first = await scheduleService(stateDir);
    const since = bootTimeMs();
    await addSchedule(first, stopping(target.pid));
    await addSchedule(first, stopping(target.pid, { uid: 'ended' }));
    await first.engine.endSchedule('ended');
    const ended = await recordOf(first, 'ended');
    await eventually('it runs', async () => (await recordOf(first)).runs >= 1);
    await first.stop();
    const second = await scheduleService(stateDir);
    const { runs } = await recordOf(second);
    await eventually('it runs on', async () => (await recordOf(second)).runs >= runs + 2);
    await second.engine.endSchedule('again');
    expect(stateOf(target.pid)).toBe('S');
    expectSound(readJournal(stateDir), await recordOf(second), { elapsedMs: bootTimeMs() - since, everyMs: 1_000 });
    expectOncePerTick(stateDir, 'again', 1_000);
    expect(await recordOf(second, 'ended')).toEqual(ended);
    expect(second.engine.countSchedules({})).toBe(2);
    const newest = await second.engine.schedules({ ended: true, limit: 1 });
    expect(newest.map(({ record }) => record.uid)).toEqual(['ended']);
    expect([...first.errors, ...second.errors]).toEqual([]);
  });
});

describe('adding', () => {
  test('the same again is told what it is; another one of that uid is refused', async () => {
    const service = await scheduleService(tempStateDir());
    const body: JsonObject = { kind: 'noop', action: 'hold', uid: 'drill', schedule: '0 0 1 1 *', duration: '1s' };
    const first = await addSchedule(service, body);
    expect(await addSchedule(service, { ...body, schedule: ' 0 0 1 1 * ' })).toEqual(first);
    for (const other of [{ schedule: '0 0 2 1 *' }, { duration: '2s' }, { name: 'db' }]) {
      await expect(addSchedule(service, { ...body, ...other })).rejects.toMatchObject({ code: 'SCHEDULE_EXISTS' });
    }
    expect((await service.engine.findSchedule('drill')).notes).toEqual([]);
    const audit = service.engine.audit(10).filter(({ subject }) => subject === 'drill');
    expect(audit.map(({ action, result }) => [action, result])).toEqual([
      ['add schedule', 'SCHEDULE_EXISTS'],
      ['add schedule', 'SCHEDULE_EXISTS'],
      ['add schedule', 'SCHEDULE_EXISTS'],
      ['add schedule', 'ok'],
      ['add schedule', 'ok'],
    ]);
  });

  test('a uid stands for one thing: an injection or a schedule', async () => {
    const service = await scheduleService(tempStateDir());
    const hold: JsonObject = { kind: 'noop', action: 'hold', duration: '1h' };
    const { attack } = await parseSchedule({ ...hold, schedule: '@yearly', uid: 'injection' });
    await service.engine.attack(attack);
    const schedule = { ...hold, schedule: '@yearly' };
    await expect(addSchedule(service, { ...schedule, uid: 'injection' })).rejects.toMatchObject({
      code: 'INJECTION_EXISTS',
    });
    await addSchedule(service, { ...schedule, name: 'other', uid: 'schedule' });
    await expect(service.engine.attack({ ...attack, uid: 'schedule' })).rejects.toMatchObject({
      code: 'SCHEDULE_EXISTS',
    });
  });

  test.each<[string, JsonObject, string]>([
    ['what lasts, without an end', { kind: 'process', action: 'stop', process: 'fl-x' }, 'SCHEDULE_INVALID'],
    [
      'a repair, without an end',
      { kind: 'process', action: 'kill', process: 'fl-x', recoverCmd: 'true' },
      'SCHEDULE_INVALID',
    ],
    [
      'a repetition, without an end',
      { kind: 'process', action: 'kill', process: 'fl-x', interval: '1s' },
      'SCHEDULE_INVALID',
    ],
    [
      'a day that never comes',
      { kind: 'noop', action: 'hold', duration: '1s', schedule: '0 0 30 2 *' },
      'SCHEDULE_INVALID',
    ],
    ['a wrong expression', { kind: 'noop', action: 'hold', duration: '1s', schedule: 'often' }, 'SCHEDULE_INVALID'],
    ['an unknown fault', { kind: 'volcano', action: 'erupt', duration: '1s' }, 'FAULT_UNKNOWN'],
    ['a wrong flag', { kind: 'noop', action: 'hold', duration: '1s', nmae: 'x' }, 'ARGUMENT_INVALID'],
    ['what must not be hit', { kind: 'process', action: 'stop', process: '1', duration: '1s' }, 'GUARD_PROTECTED'],
  ])('refuses %s', async (_what, body, code) => {
    const service = await scheduleService(tempStateDir());
    await expect(addSchedule(service, { schedule: '@every 1h', ...body })).rejects.toMatchObject({ code });
    expect(service.engine.countSchedules({})).toBe(0);
  });

  test('needs a service', async () => {
    const interrupted = new AbortController().signal;
    const stateDir = tempStateDir();
    const engine = openEngine({ stateDir, via: 'test', program: [], interrupted, observe: () => undefined });
    try {
      const body: JsonObject = { kind: 'noop', action: 'hold', duration: '1s', schedule: '@hourly' };
      const request = await parseSchedule(body);
      await expect(engine.addSchedule(request)).rejects.toMatchObject({ code: 'SCHEDULE_NEEDS_SERVICE' });
      expect(() => engine.runSchedules({ onError: () => undefined })).toThrow('only the service');
      await expect(engine.findSchedule('nobody')).rejects.toMatchObject({ code: 'SCHEDULE_NOT_FOUND' });
      await expect(engine.endSchedule('nobody')).rejects.toMatchObject({ code: 'SCHEDULE_NOT_FOUND' });
    } finally {
      engine.close();
    }
  });
});

/** The moments of a run at which its service dies. */
const moments = [
  'writing tick', // a tick is due, and nothing of it is written
  'schedule.run', // it is taken, and its run has not begun
  'writing admit',
  'planned',
  'effect.intended',
  'writing settle',
  'effect.applied',
  'injected',
  'writing settle run', // all is done but the last word
] as const;

describe('the service is killed in the middle of a run', () => {
  let script = '';

  beforeAll(async () => {
    script = await buildCrashingProgram('schedule-program');
  });

  afterAll(() => {
    rmSync(script, { force: true });
  });

  async function killAt(moment: string, stateDir: string, pid: number): Promise<void> {
    const { child } = await start(process.execPath, [script], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        FAULTLINE_POLICY: '',
        SCHEDULE_STATE: stateDir,
        SCHEDULE_BODY: JSON.stringify(stopping(pid)),
        SCHEDULE_PROGRAM: JSON.stringify(program),
        CRASH_ON: moment,
      },
    });
    await eventually(`${moment}: it dies`, () => child.signalCode === 'SIGKILL');
  }

  async function expectGoesOn(moment: string): Promise<void> {
    const stateDir = tempStateDir();
    const target = await sleeper('fl-sc-crash');
    const since = bootTimeMs();
    await killAt(moment, stateDir, target.pid);
    const service = await scheduleService(stateDir);
    const { runs } = await recordOf(service);
    await eventually(`${moment}: it runs on`, async () => (await recordOf(service)).runs > runs);
    await service.engine.endSchedule('again');
    expect(stateOf(target.pid), moment).toBe('S');
    await eventually(`${moment}: nothing is under way`, async () => (await recordOf(service)).underWay === null);
    const record = await recordOf(service);
    expectSound(readJournal(stateDir), record, { elapsedMs: bootTimeMs() - since, everyMs: 1_000 });
    expectOncePerTick(stateDir, 'again', 1_000);
    const begunAnew = moment === 'schedule.run' || moment === 'writing admit';
    expect(record.failed, `${moment}: a tick that was taken and came to nothing is told`).toBeGreaterThanOrEqual(
      begunAnew ? 1 : record.failed,
    );
    expect(service.errors).toEqual([]);
  }

  test('no tick is taken twice, none is left live, and what was lost is counted', { timeout: 300_000 }, async () => {
    await Promise.all(moments.map(expectGoesOn));
  });
});
