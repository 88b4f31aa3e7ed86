import { describe, expect, it } from 'vitest';
import type { Distribution } from '../rule.ts';
import { operation } from '../test-support/operations.ts';
import { emptyDraft } from './disturbance.ts';
import { chanceOf } from './draw.ts';
import { latency } from './latency.ts';

const operations = 20_000;

/** The delays of so many operations in ms, the shortest first. */
function delays(distribution: Distribution, delayMs: number, jitterMs: number): readonly number[] {
  const disturbance = latency({ kind: 'latency', delayMs, jitterMs, distribution }, chanceOf('latency', 0));
  return Array.from({ length: operations }, (_, index) => {
    const draft = emptyDraft();
    disturbance.disturb(draft, operation(), index + 1);
    return draft.delayMs;
  }).toSorted((a, b) => a - b);
}

const quantile = (sorted: readonly number[], share: number): number => sorted[Math.floor(share * operations)] ?? 0;
const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

// The draws are always the same, so that these are no matters of luck.
describe('how delays vary', () => {
  it('constant: not at all', () => {
    expect(new Set(delays('constant', 10, 0))).toEqual(new Set([10]));
  });

  it('uniform: give or take the jitter', () => {
    const sorted = delays('uniform', 10, 4);
    expect(quantile(sorted, 0)).toBeGreaterThanOrEqual(6);
    expect(sorted.at(-1)).toBeLessThan(14);
    expect(mean(sorted)).toBeCloseTo(10, 1);
    expect(quantile(sorted, 0.25)).toBeCloseTo(8, 0);
  });

  it('normal: the jitter is the standard deviation', () => {
    const sorted = delays('normal', 10, 2);
    expect(mean(sorted)).toBeCloseTo(10, 1);
    expect(quantile(sorted, 0.1587)).toBeCloseTo(8, 0);
    expect(quantile(sorted, 0.8413)).toBeCloseTo(12, 0);
    expect(quantile(sorted, 0.9772)).toBeCloseTo(14, 0);
  });

  it('pareto: the delay is the least, the jitter the mean of what comes on top, and a few wait very long', () => {
    const sorted = delays('pareto', 10, 2);
    expect(quantile(sorted, 0)).toBeGreaterThanOrEqual(10);
    expect(mean(sorted) - 10).toBeCloseTo(2, 0);
    // 2 · jitter · ((1 − share)^(−1/3) − 1) on top.
    expect(quantile(sorted, 0.5) - 10).toBeCloseTo(4 * (2 ** (1 / 3) - 1), 0);
    expect(quantile(sorted, 0.99) - 10).toBeGreaterThan(12);
    expect(sorted.at(-1)).toBeLessThan(10 + 4 * 100);
  });

  it('never below nought', () => {
    expect(quantile(delays('normal', 1, 5), 0)).toBe(0);
  });
});
