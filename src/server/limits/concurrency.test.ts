import { expect, test } from 'vitest';
import { concurrencyLimit } from './concurrency.ts';

/** Work that ends when it is told to. */
function work(): { promise: Promise<string>; end: (result: string) => void; fail: (error: Error) => void } {
  let end: (result: string) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise<string>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  return { promise, end, fail };
}

/** Everything that can happen without anything from outside has happened. */
const settled = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

test('no more than so many at a time, the others in their order', async () => {
  const limit = concurrencyLimit(2);
  const works = Array.from({ length: 5 }, work);
  const begun: number[] = [];
  const results = works.map(({ promise }, index) =>
    limit(() => {
      begun.push(index);
      return promise;
    }),
  );
  await settled();
  expect(begun).toEqual([0, 1]);
  works[1]?.end('one');
  await settled();
  expect(begun).toEqual([0, 1, 2]);
  for (const [index, { end }] of works.entries()) end(`${index}`);
  expect(await Promise.all(results)).toEqual(['0', 'one', '2', '3', '4']);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

test('failed work gives its place to the next', async () => {
  const limit = concurrencyLimit(1);
  const [first, second] = [work(), work()];
  const failing = limit(() => first.promise);
  const waiting = limit(() => second.promise);
  first.fail(new Error('broken'));
  await expect(failing).rejects.toThrow('broken');
  second.end('done');
  expect(await waiting).toBe('done');
  expect(await limit(() => Promise.resolve('free again'))).toBe('free again');
});

test('work that throws at once is work that failed', async () => {
  const limit = concurrencyLimit(1);
  await expect(
    limit(() => {
      throw new Error('at once');
    }),
  ).rejects.toThrow('at once');
  expect(await limit(() => Promise.resolve(1))).toBe(1);
});

test('who comes just when a place becomes free does not overtake who waits', async () => {
  const limit = concurrencyLimit(1);
  const first = work();
  const order: string[] = [];
  const running = limit(() => first.promise).then(() => {
    void limit(() => Promise.resolve(order.push('late')));
  });
  const waiting = limit(() => Promise.resolve(order.push('early')));
  first.end('');
  await Promise.all([running, waiting]);
  await settled();
  expect(order).toEqual(['early', 'late']);
});

test('beyond those who may wait, others are sent away', async () => {
  const limit = concurrencyLimit(1, 2);
  const first = work();
  const results = [limit(() => first.promise), limit(() => Promise.resolve('2')), limit(() => Promise.resolve('3'))];
  await expect(limit(() => Promise.resolve('4'))).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  first.end('1');
  expect(await Promise.all(results)).toEqual(['1', '2', '3']);
  expect(await limit(() => Promise.resolve('5'))).toBe('5');
});

test('two thousand may wait by default', async () => {
  const limit = concurrencyLimit(1);
  const first = work();
  const results = [limit(() => first.promise)];
  for (let index = 0; index < 2_000; index += 1) results.push(limit(() => Promise.resolve('')));
  await expect(limit(() => Promise.resolve(''))).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  first.end('');
  expect(await Promise.all(results)).toHaveLength(2_001);
});
