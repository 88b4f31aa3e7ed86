import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { attack } from '../../../src/experiment/attack.ts';
import type { EngineContext } from '../../../src/experiment/context.ts';
import { currentRecord, type Injection, readInjection } from '../../../src/experiment/injection.ts';
import { recoverInjection } from '../../../src/experiment/recovery.ts';
import { injectAgain } from '../../../src/experiment/repeat.ts';
import { parseAttack } from '../../../src/experiment/request.ts';
import { contextOfEachTest } from '../../../src/experiment/test-support/context.ts';
import type { Timeline } from '../../../src/experiment/timeline.ts';
import { tempFolder } from '../../support/cli.ts';
import { endAndBeReaped, family, program, sleeper, start } from '../targets/processes.ts';

/*
 * What happens between two steps of an attack is brought about here by the engine's own steps, in this process.
 */

const engineOfTest = contextOfEachTest();
let context: EngineContext;
let log = '';

beforeEach(() => {
  context = engineOfTest();
  log = path.join(tempFolder(), 'log');
});

const runsOfCommand = (): number => (existsSync(log) ? readFileSync(log, 'utf8').length : 0);

function recover(uid: string): ReturnType<typeof recoverInjection> {
  return recoverInjection(context, uid, { reason: 'asked', abandon: false });
}

describe('the recover command of an injection with an interval', () => {
  const name = 'fl-ib-again';

  /** Killed in so many rounds, each with a process of its own. */
  async function killed(uid: string, recoverCmd: string, rounds: number): Promise<Injection> {
    await sleeper(name);
    const request = await parseAttack('process', 'kill', { uid }, { process: name, recoverCmd });
    const { record } = await attack(context, request);
    for (let round = 1; round < rounds; round++) {
      await sleeper(name);
      await injectAgain(context, currentRecord(context, record));
    }
    const injection = readInjection(context, currentRecord(context, record));
    expect(injection.effects.filter(({ type }) => type === 'signal')).toHaveLength(rounds);
    return injection;
  }

  test('is run once, however many rounds have hit', async () => {
    await killed('once', `printf x >> ${log}`, 3);
    const { record, verdicts } = await recover('once');
    expect(record.state).toBe('recovered');
    expect(verdicts).toMatchObject([{ verdict: 'confirmed', target: { label: 'recover command' } }]);
    expect(runsOfCommand()).toBe(1);
  });

  test('is run once at each try where it fails', async () => {
    await killed('fails', `printf x >> ${log}; exit 3`, 3);
    const { record } = await recover('fails');
    expect(record).toMatchObject({ state: 'injected', error: { message: '1 effect could not be undone' } });
    expect(runsOfCommand()).toBe(1);
    await recover('fails');
    expect(runsOfCommand()).toBe(2);
  });
});

describe('a target that ends just as its grace is over', () => {
  /** A process that ignores SIGTERM, and a parent that reaps it. */
  async function stubborn(name: string): Promise<number> {
    const parent = await start('/bin/sh', [
      '-c',
      `trap '' TERM; ${program(name)} 3600; exec ${program('fl-ib-sh')} 3600`,
    ]);
    const [pid] = await family(parent, [name]);
    return pid ?? 0;
  }

  async function attacked(name: string, timeline: Partial<Timeline>): Promise<Injection> {
    const input = { process: name, grace: '1ms', recoverCmd: `printf x >> ${log}` };
    const request = await parseAttack('process', 'kill', { uid: 'grace' }, input);
    const { record } = await attack({ ...context, timeline: { ...context.timeline, ...timeline } }, request);
    return readInjection(context, record);
  }

  async function expectKilled({ record, effects, verdicts }: Injection): Promise<void> {
    const seen = 'ended when the grace of 1 ms was over, before SIGKILL was sent';
    const times = { ended: true, sentBootMs: expect.any(Number), endedBootMs: expect.any(Number) };
    expect(verdicts).toMatchObject([{ verdict: 'confirmed', seen, evidence: times }]);
    const gentle = effects.find(({ apply }) => apply['signal'] === 15);
    expect(gentle, 'deaths are attributed by it').toMatchObject({ status: 'applied', outcome: { seen, ...times } });
    expect(effects.find(({ type }) => type === 'recover-command')?.status).toBe('applied');
    expect(record).toMatchObject({ state: 'injected', verdict: 'confirmed' });
    expect((await recover('grace')).record.state).toBe('recovered');
    expect(runsOfCommand()).toBe(1);
  }

  test('is repaired: after the last look, before it was held', async () => {
    const pid = await stubborn('fl-ib-last');
    const tell: Timeline['tell'] = (uid, type, data) => {
      // It was seen to live when the grace was over.
      const isClear = data['message'] === 'looking what became of them after SIGTERM' && data['done'] === 1;
      if (isClear) endAndBeReaped(pid);
      context.timeline.tell(uid, type, data);
    };
    const injection = await attacked('fl-ib-last', { tell });
    expect(injection.effects.some(({ apply }) => apply['signal'] === 9)).toBe(false);
    await expectKilled(injection);
  });

  test('is repaired: while it was written down that SIGKILL is sent', async () => {
    const pid = await stubborn('fl-ib-mid');
    let intents = 0;
    const write: Timeline['write'] = async (step, body) => {
      const result = await context.timeline.write(step, body);
      // First the recover command, then SIGTERM, then SIGKILL.
      if (step === 'intend' && ++intents === 3) endAndBeReaped(pid);
      return result;
    };
    const injection = await attacked('fl-ib-mid', { write });
    expect(injection.effects.find(({ apply }) => apply['signal'] === 9)?.status).toBe('refused');
    await expectKilled(injection);
  });
});
