import { describe, expect, test } from 'vitest';
import { emptyRun } from '../test-support/hard-runs.ts';
import { heldRun } from '../test-support/held-run.ts';
import { timeAxis, timeTicks } from './time-axis.ts';

describe('the axis of time', () => {
  test('goes from the start to the last that is known', () => {
    const axis = timeAxis(heldRun());
    expect(axis.at(0)).toBe('0%');
    expect(axis.at(18_300)).toBe('100%');
    expect(axis.at(-5)).toBe('0%');
    expect(axis.at(1e9)).toBe('100%');
  });

  test('of a run that has not begun is no division by zero', () => {
    expect(timeAxis(emptyRun()).at(0)).toBe('0%');
  });
});

test.each([
  [3000, 9],
  [18_300, 9],
  [3_600_000, 9],
  [86_400_000 * 30, 4],
  [1, 9],
])('over %d ms there are at most %d ticks, which begin at zero', (endMs, most) => {
  const ticks = timeTicks(endMs, most);
  expect(ticks[0]).toBe(0);
  expect(ticks.length).toBeGreaterThan(1);
  expect(ticks.length).toBeLessThanOrEqual(most + 1);
});

test('an hour is counted in minutes', () => {
  expect(timeTicks(3_600_000, 9).slice(0, 3)).toEqual([0, 600_000, 1_200_000]);
});
