import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Series } from '../../result.ts';
import { valueScale } from './value-scale.ts';

function series(values: readonly (number | null)[], more: Partial<Series> = {}): Series {
  const points = values.map((value, index) => [index, value] as const);
  return { measure: 'p99', unit: 'ms', atLeast: null, atMost: null, points, ...more };
}

describe('the scale of values', () => {
  test('holds every value, with a few ticks in it', () => {
    const unit = fc.constantFrom('ms', '%', 'bytes', '/s', '');
    const values = fc.array(fc.option(fc.double({ min: -1e9, max: 1e12, noNaN: true }), { nil: null }), {
      maxLength: 50,
    });
    const limit = fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }), { nil: null });
    fc.assert(
      fc.property(unit, values, limit, limit, (ofUnit, all, atLeast, atMost) => {
        const { from, to, ticks } = valueScale(series(all, { unit: ofUnit, atLeast, atMost }));
        expect(to).toBeGreaterThan(from);
        for (const value of all) {
          if (value === null) continue;
          expect(value).toBeGreaterThanOrEqual(from);
          expect(value).toBeLessThanOrEqual(to);
        }
        expect(ticks.length).toBeLessThanOrEqual(8);
        for (const tick of ticks) expect(tick >= from - 1e-6 * Math.abs(from) && tick <= to).toBe(true);
      }),
    );
  });

  test('has a limit that is near in sight, and leaves one that is far away', () => {
    expect(valueScale(series([80, 100], { atMost: 250 })).to).toBeGreaterThan(250);
    expect(valueScale(series([1, 2], { atMost: 250 })).to).toBeLessThan(10);
  });

  test('of shares looks closely at the top', () => {
    const { from, ticks } = valueScale(series([100, 99.95], { unit: '%', atLeast: 99.9 }));
    expect(from).toBeGreaterThan(99);
    expect(ticks.at(-1)).toBe(100);
    expect(valueScale(series([100, 3], { unit: '%' })).from).toBe(0);
  });

  test('of few things has whole ticks', () => {
    expect(valueScale(series([2, 1, 2], { unit: '' })).ticks).toEqual([0, 1, 2]);
  });

  test('of sizes has powers of two', () => {
    expect(valueScale(series([3_000_000], { unit: 'bytes' })).ticks).toEqual([0, 2 ** 21]);
  });
});
