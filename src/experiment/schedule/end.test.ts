import { expect, onTestFinished, test } from 'vitest';
import { FaultlineError } from '../../base/error.ts';
import { insertSchedule } from '../../store/schedules.ts';
import { attack } from '../attack.ts';
import { currentRecord } from '../injection.ts';
import { beginOperation } from '../ownership.ts';
import { rollBack } from '../recovery.ts';
import { parseAttack } from '../request.ts';
import { contextOfEachTest } from '../test-support/context.ts';
import { endSchedule, liveRunOf } from './end.ts';
import { momentNow } from './schedule.ts';

const engineOfTest = contextOfEachTest();

/** A schedule with one run, which is injected. */
async function scheduleWithRun() {
  const context = engineOfTest();
  const common = { kind: 'noop', action: 'hold', expression: '@every 1s', body: {}, leaseMs: null };
  const moment = { createdAt: Date.now(), actor: {}, lastDue: momentNow(context) };
  const request = await parseAttack('noop', 'hold', { uid: 'often-1' }, {});
  const { record } = await attack(context, request);
  await context.store.write(() => {
    insertSchedule(context.store, { uid: 'often', ...common, ...moment });
    context.store.run("UPDATE injection SET schedule = 'often'", {});
  });
  return { context, record };
}

test('a run that is live is undone', async () => {
  const { context, record } = await scheduleWithRun();
  const ended = await endSchedule(context, 'often');
  expect(ended).toMatchObject({ already: false, recovery: { record: { uid: 'often-1', state: 'recovered' } } });
  expect(currentRecord(context, record).state).toBe('recovered');
  expect(await endSchedule(context, 'often')).toEqual({ uid: 'often', already: true, recovery: undefined });
});

test('a run that was just beginning and comes to nothing is no shortfall', async () => {
  const { context, record } = await scheduleWithRun();
  const owner = beginOperation(context.self);
  onTestFinished(() => owner.end());
  await context.store.write(() =>
    context.store.run("UPDATE injection SET state = 'injecting', injected_boot_ms = NULL, owner = $owner", {
      owner: JSON.stringify(owner.token),
    }),
  );
  const ending = endSchedule(context, 'often');
  await expect.poll(() => currentRecord(context, record).cancel).toBe('its schedule was ended');
  const cancelled = new FaultlineError('INJECTION_CANCELLED', 'it was cancelled');
  await rollBack(context, { ...record, owner: owner.token }, cancelled);
  expect(await ending).toEqual({ uid: 'often', already: false, recovery: undefined });
  expect(currentRecord(context, record).state).toBe('failed');
  expect(liveRunOf(context, 'often')).toBeUndefined();
});
