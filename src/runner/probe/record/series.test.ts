import { expect, test } from 'vitest';
import type { Probe } from '../../experiment.ts';
import { type Point, seriesOf, thinned } from './series.ts';

test('what is thinned keeps its extremes and its order', () => {
  const points = Array.from({ length: 14_400 }, (_, index): Point => [index, index === 7_000 ? 900 : 10 + (index % 7)]);
  const few = thinned([...points.slice(0, 9_000), [9_000, 0], ...points.slice(9_001)]);
  expect(few.length).toBeLessThanOrEqual(600);
  expect(few).toContainEqual([7_000, 900]);
  expect(few).toContainEqual([9_000, 0]);
  expect(few.map(([at]) => at)).toEqual(few.map(([at]) => at).toSorted((a, b) => a - b));
});

test('where nothing was measured there is a gap', () => {
  const points = Array.from({ length: 1_200 }, (_, index): Point => [index, index < 600 ? 1 : null]);
  expect(thinned(points).at(-1)?.[1]).toBeNull();
});

test('curves are of numbers that something is expected of, at most two', () => {
  const probe: Probe = {
    name: 'web',
    source: {
      kind: 'http',
      url: 'http://127.0.0.1',
      method: 'GET',
      headers: {},
      body: undefined,
      rate: 100,
      timeoutMs: 1_000,
      success: [],
    },
    expect: [
      { measure: 'body', tolerance: { kind: 'pattern', source: 'x' } },
      { measure: 'success', tolerance: { kind: 'range', atLeast: 99, atMost: undefined } },
    ],
    during: [{ measure: 'max', tolerance: { kind: 'equals', value: 5 } }],
    windowMs: undefined,
  };
  const series = seriesOf(probe, { measure: (_, fromMs) => [{ atMs: fromMs, value: 12.345678 }] }, 1_000);
  expect(series).toMatchObject([
    { measure: 'success', unit: '%', atLeast: 99, atMost: null },
    { measure: 'max', unit: 'ms', atLeast: null, atMost: null, during: { atLeast: 5, atMost: 5 } },
  ]);
  expect(series[0]).not.toHaveProperty('during');
  expect(series[0]?.points).toEqual([
    [250, 12.35],
    [500, 12.35],
    [750, 12.35],
    [1_000, 12.35],
  ]);
});
