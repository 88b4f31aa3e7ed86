import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { FaultlineError } from '../base/error.ts';
import { attack } from './attack.ts';
import type { EngineContext } from './context.ts';
import { currentRecord } from './injection.ts';
import { beginOperation } from './ownership.ts';
import { recoverInjection, rollBack } from './recovery.ts';
import { parseAttack } from './request.ts';
import { recoveryShortfall } from './shortfall.ts';
import { contextOfEachTest } from './test-support/context.ts';

const engineOfTest = contextOfEachTest();
let context: EngineContext;

beforeEach(() => {
  context = engineOfTest();
});

const failure = new FaultlineError('KEEPER_FAILED', 'the keeper did not start');

describe('a command that fails when it has let go of what it injected', () => {
  test('leaves it as it is where it is over', async () => {
    const { record } = await attack(context, await parseAttack('noop', 'hold', { uid: 'over' }, {}));
    await recoverInjection(context, 'over', { reason: 'its lease has ended', abandon: false });
    await rollBack(context, record, failure);
    expect(currentRecord(context, record)).toMatchObject({ state: 'recovered', error: null });
  });

  test('leaves it to whoever undoes it already', async () => {
    const { record } = await attack(context, await parseAttack('noop', 'hold', { uid: 'others' }, {}));
    const [ours, others] = [beginOperation(context.self), beginOperation(context.self)];
    onTestFinished(() => {
      ours.end();
      others.end();
    });
    await context.store.write(() =>
      context.store.run("UPDATE injection SET state = 'recovering', owner = $owner", {
        owner: JSON.stringify(others.token),
      }),
    );
    await rollBack(context, { ...record, owner: ours.token }, failure);
    expect(currentRecord(context, record)).toMatchObject({ state: 'recovering', owner: others.token });
  });

  test('undoes it where nobody has', async () => {
    const { record } = await attack(context, await parseAttack('noop', 'hold', { uid: 'left' }, {}));
    await rollBack(context, record, failure);
    expect(currentRecord(context, record)).toMatchObject({ state: 'failed', error: { code: 'KEEPER_FAILED' } });
  });
});

describe('an injection whose owner undoes it himself', () => {
  /** Recover it while somebody injects it. @returns what comes of that, once he has heard of it, and himself */
  async function asked(uid: string) {
    const { record } = await attack(context, await parseAttack('noop', 'hold', { uid }, {}));
    const owner = beginOperation(context.self);
    onTestFinished(() => owner.end());
    await context.store.write(() =>
      context.store.run("UPDATE injection SET state = 'injecting', injected_boot_ms = NULL, owner = $owner", {
        owner: JSON.stringify(owner.token),
      }),
    );
    const recovery = recoverInjection(context, uid, { reason: 'asked', abandon: false });
    await expect.poll(() => currentRecord(context, record).cancel).toBe('asked');
    return { recovery, owned: { ...record, owner: owner.token } };
  }

  const cancelled = new FaultlineError('INJECTION_CANCELLED', 'it was cancelled');

  test('is undone for who asked, and nothing is lacking', async () => {
    const { recovery, owned } = await asked('stopped');
    await rollBack(context, owned, cancelled);
    const stopped = await recovery;
    expect(stopped).toMatchObject({ record: { state: 'failed' }, already: false, stopped: true });
    expect(recoveryShortfall(stopped)).toBeUndefined();
  });

  test('is not undone where something stands that nothing undoes', async () => {
    const { recovery } = await asked('stands');
    await context.store.write(() =>
      context.store.run("UPDATE injection SET state = 'unrecoverable', owner = NULL", {}),
    );
    const standing = await recovery;
    expect(standing).toMatchObject({ record: { state: 'unrecoverable' }, already: true, stopped: false });
    expect(recoveryShortfall(standing)).toMatchObject({ code: 'RECOVERY_IMPOSSIBLE' });
  });

  test('is over where it had failed before that was asked for', async () => {
    const { record } = await attack(context, await parseAttack('noop', 'hold', { uid: 'failed' }, {}));
    await rollBack(context, record, failure);
    const late = await recoverInjection(context, 'failed', { reason: 'asked', abandon: false });
    expect(late).toMatchObject({ record: { state: 'failed' }, already: true, stopped: false });
    expect(recoveryShortfall(late)).toMatchObject({ code: 'RECOVERY_IMPOSSIBLE' });
  });
});
