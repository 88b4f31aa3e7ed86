import { describe, expect, onTestFinished, test } from 'vitest';
import { FaultlineError } from '../base/error.ts';
import type { InjectionState } from '../base/lifecycle.ts';
import { noop } from '../faults/noop/fault.ts';
import { listInjections } from '../store/injections.ts';
import { attack } from './attack.ts';
import { attackOnce } from './attack-once.ts';
import type { EngineContext } from './context.ts';
import { currentRecord } from './injection.ts';
import { beginOperation } from './ownership.ts';
import { recoverInjection, rollBack } from './recovery.ts';
import { parseAttack } from './request.ts';
import { attackShortfall } from './shortfall.ts';
import { contextOfEachTest } from './test-support/context.ts';

const engineOfTest = contextOfEachTest();

const sameRequest = () => parseAttack('noop', 'hold', { uid: 'same' }, {});

const asked = { reason: 'asked', abandon: false };

/** Its injections take an hour, unless they are cancelled. */
function injectingSlowly(context: EngineContext): EngineContext {
  const inject: typeof noop.inject = async (plan, journal, site) => {
    const verdicts = await noop.inject(plan, journal, site);
    await journal.sleep(3_600_000);
    return verdicts;
  };
  const load = () => Promise.resolve({ ...noop, inject });
  return { ...context, descriptorOf: (kind) => ({ ...context.descriptorOf(kind), load }) };
}

/** An attempt of another process, which has not injected everything. */
async function attemptOfOthers(state: InjectionState) {
  const context = engineOfTest();
  const { record } = await attack(context, await sameRequest());
  const owner = beginOperation(context.self);
  onTestFinished(() => owner.end());
  await context.store.write(() =>
    context.store.run('UPDATE injection SET state = $state, injected_boot_ms = NULL, owner = $owner', {
      state,
      owner: JSON.stringify(owner.token),
    }),
  );
  return { context, record: { ...record, owner: owner.token } };
}

const statesOf = ({ store }: EngineContext) => listInjections(store, {}).map(({ uid, state }) => `${uid} ${state}`);

test('of several that ask for the same, each tries in its turn and hears of its own attempt', async () => {
  const request = await parseAttack('noop', 'hold', { uid: 'same', duration: '1h' }, {});
  // The engine of a test knows no program for a keeper, which an injection with a lease needs.
  const attempts = await Promise.allSettled([1, 2, 3].map(() => attackOnce(engineOfTest(), request)));
  const heard = attempts.map((one) => (one.status === 'rejected' ? String(one.reason) : one.value.record.state));
  expect(heard).toEqual(Array.from({ length: 3 }, () => 'Error: it is not known how to run this program'));
});

describe('what is undone while it is injected does not come back by who waits for it', () => {
  const cancelled = { status: 'rejected', reason: { code: 'INJECTION_CANCELLED' } };

  test('here', async () => {
    const context = engineOfTest();
    const request = await sameRequest();
    const both = Promise.allSettled([attackOnce(injectingSlowly(context), request), attackOnce(context, request)]);
    await expect.poll(() => statesOf(context)).toEqual(['same injecting']);
    expect(await recoverInjection(context, 'same', asked)).toMatchObject({ stopped: true });
    expect(await both).toMatchObject([cancelled, cancelled]);
    expect(statesOf(context)).toEqual(['same failed']);
  });

  test('in another process', async () => {
    const { context, record } = await attemptOfOthers('injecting');
    const waiting = Promise.allSettled([attackOnce(context, await sameRequest())]);
    await rollBack(context, record, new FaultlineError('INJECTION_CANCELLED', 'it was cancelled'));
    expect(await waiting).toMatchObject([cancelled]);
    expect(statesOf(context)).toEqual(['same failed']);
  });

  test('who asks when it is undone already is meant no more', async () => {
    const { context, record } = await attemptOfOthers('injecting');
    await rollBack(context, record, new FaultlineError('INJECTION_CANCELLED', 'it was cancelled'));
    // It is undone, and its caller is not told yet.
    let end = (): void => undefined;
    const attempt = new Promise<void>((resolve) => {
      end = resolve;
    });
    context.underWay.set('same', attempt);
    const late = attackOnce(context, await sameRequest());
    context.underWay.delete('same');
    end();
    expect(await late).toMatchObject({ record: { uid: 'same', state: 'injected' } });
  });

  test('nor who asks when it was taken back before it began', async () => {
    const context = engineOfTest();
    const request = await sameRequest();
    const first = attackOnce(context, { ...request, stillWanted: () => false });
    const both = await Promise.allSettled([first, attackOnce(context, request)]);
    expect(both).toMatchObject([cancelled, { status: 'fulfilled', value: { record: { state: 'injected' } } }]);
    expect(statesOf(context)).toEqual(['same injected']);
  });

  test('what failed by itself is tried anew', async () => {
    const { context, record } = await attemptOfOthers('injecting');
    const waiting = attackOnce(context, await sameRequest());
    await rollBack(context, record, new FaultlineError('KEEPER_FAILED', 'the keeper did not start'));
    expect(await waiting).toMatchObject({ record: { uid: 'same', state: 'injected' } });
    expect(statesOf(context)).toEqual(['same injected', 'same~1 failed']);
  });
});

describe('an attempt that was broken off', () => {
  test('is waited for while it is undone, and tried anew', async () => {
    const { context, record } = await attemptOfOthers('recovering');
    const waiting = attackOnce(context, await sameRequest());
    await rollBack(context, record, new FaultlineError('INJECTION_FAILED', 'its command ended'));
    expect(await waiting).toMatchObject({ record: { uid: 'same', state: 'injected' } });
    expect(currentRecord(context, { uid: 'same~1' }).state).toBe('failed');
  });

  test('is no success where something of it stands', async () => {
    const { context } = await attemptOfOthers('unrecoverable');
    const injection = await attackOnce(context, await sameRequest());
    expect(attackShortfall(injection)).toMatchObject({
      code: 'INJECTION_FAILED',
      message: 'same was broken off before it was injected whole; its state is unrecoverable',
    });
  });
});
