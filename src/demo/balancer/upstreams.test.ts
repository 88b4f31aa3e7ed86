import { expect, test } from 'vitest';
import { upstreamsOf } from './upstreams.ts';

test('in turn, without those that were tried, and without the failed for ten seconds', () => {
  let now = 0;
  const upstreams = upstreamsOf([1, 2], () => now);
  const none = new Set<never>();
  expect([1, 2, 3].map(() => upstreams.next(none)?.port)).toEqual([1, 2, 1]);
  const second = upstreams.next(none);
  expect(second?.port).toBe(2);
  if (second === undefined) return;
  expect(upstreams.next(new Set([second]))?.port).toBe(1);
  upstreams.failed(second);
  expect([1, 2].map(() => upstreams.next(none)?.port)).toEqual([1, 1]);
  now = 10_000;
  expect(new Set([1, 2].map(() => upstreams.next(none)?.port))).toEqual(new Set([1, 2]));
});
