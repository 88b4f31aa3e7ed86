import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binCount, binOf, middleOf, quantile } from './histogram.ts';

describe('bins', () => {
  test('the middle of a bin is within 1.6 % of each time in it', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 8_000_000, noNaN: true }), (ms) => {
        expect(Math.abs(middleOf(binOf(ms)) - ms) / ms).toBeLessThanOrEqual(0.016);
      }),
    );
  });

  test('longer times are in the same bin or in a later one', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e7, noNaN: true }),
        fc.double({ min: 0, max: 1e7, noNaN: true }),
        (a, b) => {
          expect(binOf(Math.min(a, b))).toBeLessThanOrEqual(binOf(Math.max(a, b)));
        },
      ),
    );
  });

  test('powers of two begin a bin', () => {
    for (let exponent = -10; exponent < 23; exponent++) expect(binOf(2 ** exponent) % 32).toBe(0);
  });

  test('whatever is beyond all bins is in the outermost', () => {
    expect(binOf(0)).toBe(0);
    expect(binOf(-1)).toBe(0);
    expect(binOf(1e12)).toBe(binCount - 1);
  });
});

describe('quantiles', () => {
  /** What it should be: the nearest rank in the sorted times. */
  function exact(times: readonly number[], share: number): number {
    const sorted = [...times].sort((a, b) => a - b);
    return sorted[Math.max(1, Math.ceil(share * sorted.length - 1e-9)) - 1] ?? 0;
  }

  test('are within 2 % of the exact ones', () => {
    const times = fc.array(fc.double({ min: 0.01, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 400 });
    fc.assert(
      fc.property(times, fc.constantFrom(0.5, 0.95, 0.99, 1), (all, share) => {
        const counts = new Uint32Array(binCount);
        for (const one of all) counts[binOf(one)] = (counts[binOf(one)] ?? 0) + 1;
        const wanted = exact(all, share);
        expect(Math.abs(quantile(counts, all.length, share) - wanted) / wanted).toBeLessThanOrEqual(0.02);
      }),
    );
  });
});
