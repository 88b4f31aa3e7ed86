import { expect, test } from 'vitest';
import { mapConcurrently } from './concurrency.ts';
import { delay } from './delay.ts';

test('does each once, in order of the items, never more at a time than the limit', async () => {
  let now = 0;
  let most = 0;
  const items = Array.from({ length: 20 }, (_, index) => index);
  const results = await mapConcurrently(items, 3, async (item) => {
    most = Math.max(most, ++now);
    await delay(item % 4);
    now--;
    return item * 2;
  });
  expect(results).toEqual(items.map((item) => item * 2));
  expect(most).toBe(3);
});

test('an error ends it', async () => {
  await expect(mapConcurrently([1, 2], 1, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});
