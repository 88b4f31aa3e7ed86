import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { FaultlineError } from '../base/error.ts';
import { attack } from './attack.ts';
import type { EngineContext } from './context.ts';
import { currentRecord } from './injection.ts';
import { beginOperation } from './ownership.ts';
import { recoverInjection, rollBack } from './recovery.ts';
import { parseAttack } from './request.ts';
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
