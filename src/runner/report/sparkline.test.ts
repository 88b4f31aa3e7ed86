import { expect, test } from 'vitest';
import type { Series } from '../result.ts';
import { sparkline } from './sparkline.ts';

function series(values: readonly (number | null)[], limits: Partial<Series> = {}): Series {
  const points = values.map((value, index) => [index, value] as const);
  return { measure: 'p99', unit: 'ms', atLeast: null, atMost: null, points, ...limits };
}

test('a curve in a line of text', () => {
  expect(sparkline(series([0, 50, 100, null, 0]))).toBe('▁▅█ ▁');
  expect(sparkline(series([5, 5, 5]))).toBe('▅▅▅');
  expect(sparkline(series([]))).toBe('');
  expect(sparkline(series([null]))).toBe('');
});

test('of many points the worst is seen', () => {
  const one = Array.from({ length: 400 }, (_, index) => (index === 123 ? 9 : 1));
  expect(sparkline(series(one))).toMatch(/^▁{12}█▁{27}$/u);
  const low = one.map((value) => 100 - value);
  expect(sparkline(series(low, { atLeast: 99 }))).toMatch(/^█{12}▁█{27}$/u);
  // Exactly 100%, which has a limit on both sides.
  expect(sparkline(series(low, { atLeast: 99, atMost: 99 }))).toMatch(/^█{12}▁█{27}$/u);
});
