import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freshSeed, seededRandom } from './random.ts';

const seeds = fc.string({ unit: 'binary' });

describe('seededRandom', () => {
  it('draws what it drew in every release before: recorded seeds stay meaningful', () => {
    const random = seededRandom('faultline');
    expect([1, 2, 3, 4, 5].map(() => random.integer(1, 1_000_000))).toEqual([484134, 625763, 548809, 97244, 196914]);
    expect(seededRandom('faultline').sample([10, 20, 30, 40, 50], 3)).toEqual([40, 10, 20]);
    expect(seededRandom('naïve ☃').integer(0, 2 ** 40)).toBe(207_039_242_860);
  });

  it('answers the same questions the same way for the same seed', () => {
    fc.assert(
      fc.property(seeds, fc.array(fc.integer()), fc.nat(20), (seed, items, n) => {
        const [first, second] = [seededRandom(seed), seededRandom(seed)];
        expect(first.sample(items, n)).toEqual(second.sample(items, n));
        expect(first.integer(-5, 1e12)).toBe(second.integer(-5, 1e12));
      }),
    );
  });

  it('stays within the bounds, both included', () => {
    fc.assert(
      fc.property(seeds, fc.maxSafeInteger(), fc.maxSafeInteger(), (seed, a, b) => {
        const [min, max] = a < b ? [a, b] : [b, a];
        const drawn = seededRandom(seed).integer(min, max);
        expect(drawn).toBeGreaterThanOrEqual(min);
        expect(drawn).toBeLessThanOrEqual(max);
      }),
    );
    const random = seededRandom('bounds');
    expect(new Set(Array.from({ length: 200 }, () => random.integer(1, 3)))).toEqual(new Set([1, 2, 3]));
  });

  it.each([
    [2, 1],
    [0.5, 3],
    [Number.NaN, 3],
    [0, Number.POSITIVE_INFINITY],
  ])('refuses the range %s to %s', (min, max) => {
    expect(() => seededRandom('x').integer(min, max)).toThrow(RangeError);
  });

  it('samples distinct items, as many as were asked for or as there are, and leaves the list alone', () => {
    fc.assert(
      fc.property(seeds, fc.uniqueArray(fc.integer()), fc.integer({ min: -3, max: 30 }), (seed, items, n) => {
        const before = [...items];
        const drawn = seededRandom(seed).sample(items, n);
        expect(drawn).toHaveLength(Math.min(Math.max(0, n), items.length));
        expect(new Set(drawn).size).toBe(drawn.length);
        expect(drawn.every((item) => items.includes(item))).toBe(true);
        expect(items).toEqual(before);
      }),
    );
  });

  it('gives every item the same chance, also over neighbouring seeds', () => {
    const hits = new Map<number, number>();
    const draws = 20_000;
    for (let run = 0; run < draws; run += 1) {
      for (const item of seededRandom(`run-${run}`).sample([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 2)) {
        hits.set(item, (hits.get(item) ?? 0) + 1);
      }
    }
    // Each of ten items is drawn with p = 0.2: 4,000 times, standard deviation 57. Five of those never happen.
    for (let item = 0; item < 10; item += 1) expect(Math.abs((hits.get(item) ?? 0) - draws / 5)).toBeLessThan(285);
  });
});

describe('freshSeed', () => {
  it('differs each time and is easy to retype', () => {
    const drawn = Array.from({ length: 100 }, freshSeed);
    expect(new Set(drawn).size).toBe(100);
    for (const seed of drawn) expect(seed).toMatch(/^[0-9a-f]{12}$/);
  });
});
