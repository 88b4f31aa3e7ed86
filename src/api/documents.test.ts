import { expect, test } from 'vitest';
import { attack } from '../experiment/attack.ts';
import { parseAttack } from '../experiment/request.ts';
import { contextOfEachTest } from '../experiment/test-support/context.ts';
import { recoveryDocument } from './documents.ts';

const engineOfTest = contextOfEachTest();

test('an injection that was broken off because it was to be undone is told as undone', async () => {
  const injection = await attack(engineOfTest(), await parseAttack('noop', 'hold', { uid: 'one' }, {}));
  const record = { ...injection.record, state: 'failed' as const, injectedBootMs: null };
  const outcome = { record, verdicts: [], unwritten: undefined };
  const stopped = recoveryDocument({ ...outcome, already: false, stopped: true });
  expect(stopped).toMatchObject({ state: 'failed', recovered: true, already: false, shortfall: null });
  const before = recoveryDocument({ ...outcome, already: true });
  expect(before).toMatchObject({ recovered: false, shortfall: { code: 'RECOVERY_IMPOSSIBLE' } });
});
