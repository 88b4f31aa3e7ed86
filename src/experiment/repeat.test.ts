import { beforeEach, describe, expect, test } from 'vitest';
import { delay } from '../base/delay.ts';
import type { Fault, Journal } from '../faults/fault.ts';
import { noop } from '../faults/noop/fault.ts';
import { bootTimeMs } from '../linux/clock.ts';
import { effectsOf } from '../store/effects.ts';
import { type InjectionRecord, updateInjection } from '../store/injections.ts';
import { attack } from './attack.ts';
import type { EngineContext } from './context.ts';
import { currentRecord } from './injection.ts';
import { recoverInjection } from './recovery.ts';
import { injectAgain, nextRoundBootMs } from './repeat.ts';
import { parseAttack } from './request.ts';
import { contextOfEachTest } from './test-support/context.ts';

const engineOfTest = contextOfEachTest();
let context: EngineContext;

beforeEach(() => {
  context = engineOfTest();
});

/** The engine with a drill of which some things go otherwise. */
function withDrill(change: Partial<Fault>): EngineContext {
  const drill = { ...noop, ...change };
  return {
    ...context,
    descriptorOf: (kind) => ({ ...context.descriptorOf(kind), load: () => Promise.resolve(drill) }),
  };
}

/** A drill that is injected, and is to be injected again every millisecond. */
async function repeated(): Promise<InjectionRecord> {
  const { record } = await attack(context, await parseAttack('noop', 'hold', { uid: 'again' }, {}));
  await context.store.write(() => context.store.run('UPDATE injection SET repeat_ms = 1'));
  return currentRecord(context, record);
}

function endLease(record: InjectionRecord, leaseEndBootMs: number): Promise<void> {
  return context.store.write(() => {
    updateInjection(context.store, record.id, { leaseEndBootMs });
  });
}

const intent = { type: 'late', target: { key: 'late', label: 'late' }, apply: {}, undo: null, hold: null };

const rounds = (record: InjectionRecord): number => currentRecord(context, record).rounds;

describe('an injection with an interval', () => {
  test('is injected again', async () => {
    const record = await repeated();
    expect(nextRoundBootMs(record, undefined)).toBe((record.injectedBootMs ?? 0) + 1);
    await injectAgain(context, record);
    expect(rounds(record)).toBe(2);
  });

  test('is not injected again once it was to be undone, though that could not be done whole', async () => {
    const record = await repeated();
    const stuck = withDrill({ recover: () => Promise.resolve([]) });
    await recoverInjection(stuck, 'again', { reason: 'its lease has ended', abandon: false });
    const left = currentRecord(context, record);
    expect(left).toMatchObject({ state: 'injected', owner: null, error: { code: 'RECOVERY_INCOMPLETE' } });
    expect(nextRoundBootMs(left, undefined)).toBeUndefined();
    // The keeper may have read it before.
    await injectAgain(context, record);
    expect(rounds(record)).toBe(1);
  });

  test('is not injected again where its lease ends while the round is planned', async () => {
    const record = await repeated();
    const plan: Fault['plan'] = async (action, spec, planning) => {
      await endLease(record, bootTimeMs());
      return noop.plan(action, spec, planning);
    };
    await injectAgain(withDrill({ plan }), record);
    expect(rounds(record)).toBe(1);
  });

  test('a round that is under way when the lease ends does nothing more, and lets go', async () => {
    const record = await repeated();
    const told: unknown[] = [];
    const begun: number[] = [];
    const inject = async (leaseEndBootMs: number, journal: Journal): Promise<readonly []> => {
      begun.push(leaseEndBootMs);
      while (bootTimeMs() < leaseEndBootMs) await delay(1);
      const late = journal.intend(() => [intent]);
      await late.catch((error: unknown) => told.push(error));
      journal.throwIfCancelled();
      return [];
    };
    // Where the machine stands still until the lease is over, the round is not even begun: then it is made longer.
    for (let leaseMs = 50; begun.length === 0; leaseMs *= 4) {
      const leaseEndBootMs = bootTimeMs() + leaseMs;
      await endLease(record, leaseEndBootMs);
      await injectAgain(withDrill({ inject: (_plan, journal) => inject(leaseEndBootMs, journal) }), record);
    }
    expect(told).toMatchObject([{ code: 'INJECTION_CANCELLED', message: expect.stringContaining('lease has ended') }]);
    expect(effectsOf(context.store, record.id).map(({ type }) => type)).toEqual(['nothing']);
    expect(currentRecord(context, record).owner).toBeNull();
  });
});
