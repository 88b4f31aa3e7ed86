import { beforeEach, expect, test } from 'vitest';
import { attack } from './attack.ts';
import type { EngineContext } from './context.ts';
import { currentRecord } from './injection.ts';
import { ensureKeeper } from './keeper-launch.ts';
import { recoverInjection } from './recovery.ts';
import { parseAttack } from './request.ts';
import { contextOfEachTest } from './test-support/context.ts';

const engineOfTest = contextOfEachTest();
let context: EngineContext;

beforeEach(() => {
  context = engineOfTest();
});

/** A keeper that comes when there is nothing to keep any more, and leaves. */
const leaving = [process.execPath, '-e', 'setTimeout(() => undefined, 300)'];

/** An injection with a lease that has long to go, and no keeper. */
async function leased(uid: string): Promise<void> {
  await attack(context, await parseAttack('noop', 'hold', { uid }, {}));
  await context.store.write(() => context.store.run('UPDATE injection SET lease_ms = 3600000'));
}

test('where there is nothing to keep there need be no keeper', async () => {
  await attack(context, await parseAttack('noop', 'hold', { uid: 'forever' }, {}));
  // Which program to start is not even known.
  await expect(ensureKeeper(context)).resolves.toBeUndefined();
});

test('what it was to keep is over before it comes: it leaves, and all is well', async () => {
  await leased('short');
  const ensured = ensureKeeper({ ...context, program: leaving });
  await recoverInjection(context, 'short', { reason: 'its lease has ended', abandon: false });
  await expect(ensured).resolves.toBeUndefined();
  expect(currentRecord(context, { uid: 'short' }).state).toBe('recovered');
});

test('one that ends while there is something to keep has failed', async () => {
  await leased('long');
  await expect(ensureKeeper({ ...context, program: leaving })).rejects.toMatchObject({ code: 'KEEPER_FAILED' });
});
