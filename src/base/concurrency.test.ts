import { describe, expect, test } from 'vitest';
import { limiter, mapConcurrently } from './concurrency.ts';
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

describe('limiter', () => {
  test('never more at a time than it lets in, in the order of their coming', async () => {
    const inTurn = limiter(2);
    const begun: number[] = [];
    let atWork = 0;
    let most = 0;
    await Promise.all(
      [0, 1, 2, 3, 4].map((item) =>
        inTurn(async () => {
          begun.push(item);
          most = Math.max(most, ++atWork);
          await Promise.resolve();
          atWork--;
        }),
      ),
    );
    expect(begun).toEqual([0, 1, 2, 3, 4]);
    expect(most).toBe(2);
  });

  test('work that fails makes room all the same', async () => {
    const inTurn = limiter(1);
    await expect(inTurn(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(inTurn(() => Promise.resolve('yes'))).resolves.toBe('yes');
  });
});
