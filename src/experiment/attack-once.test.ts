import { expect, test } from 'vitest';
import { attackOnce } from './attack-once.ts';
import { parseAttack } from './request.ts';
import { contextOfEachTest } from './test-support/context.ts';

const engineOfTest = contextOfEachTest();

test('of several that ask for the same, each tries in its turn and hears of its own attempt', async () => {
  const request = await parseAttack('noop', 'hold', { uid: 'same', duration: '1h' }, {});
  // The engine of a test knows no program for a keeper, which an injection with a lease needs.
  const asked = await Promise.allSettled([1, 2, 3].map(() => attackOnce(engineOfTest(), request)));
  const heard = asked.map((one) => (one.status === 'rejected' ? String(one.reason) : one.value.record.state));
  expect(heard).toEqual(Array.from({ length: 3 }, () => 'Error: it is not known how to run this program'));
});
