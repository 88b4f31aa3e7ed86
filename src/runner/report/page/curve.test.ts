import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mostPoints, pathData, type Point, readOut, thinned } from './curve.ts';

const box = { x: (ms: number) => ms, y: (value: number) => 100 - value };

const value = fc.option(fc.integer({ min: -1000, max: 1000 }), { nil: null, freq: 10 });
const points = fc
  .array(value, { maxLength: 5000 })
  .map((values) => values.map((one, index): Point => [index * 10, one]));

describe('a curve of many points', () => {
  test('keeps its extremes, its ends, its order and its gaps, in a bounded number of points', () => {
    fc.assert(
      fc.property(points, (all) => {
        const kept = thinned(all);
        expect(kept.length).toBeLessThanOrEqual(Math.max(mostPoints, 5));
        const known = (of: readonly Point[]): readonly number[] =>
          of.map(([, one]) => one).filter((one) => one !== null);
        const [of, from] = [known(kept), known(all)];
        expect([Math.min(...of), Math.max(...of)]).toEqual([Math.min(...from), Math.max(...from)]);
        expect([kept[0], kept.at(-1)]).toEqual([all[0], all.at(-1)]);
        expect(kept.some(([, one]) => one === null)).toBe(all.some(([, one]) => one === null));
        const moments = kept.map(([atMs]) => atMs);
        expect(moments).toEqual([...moments].sort((a, b) => a - b));
      }),
    );
  });

  test('a single peak among very many is still there', () => {
    const all = Array.from({ length: 100_000 }, (_, index): Point => [index, index === 54_321 ? 9000 : 1]);
    expect(thinned(all)).toContainEqual([54_321, 9000]);
  });

  test('few points stay as they are', () => {
    const few: readonly Point[] = [
      [0, 1],
      [5, null],
    ];
    expect(thinned(few)).toBe(few);
  });
});

describe('the path of a curve', () => {
  test('goes from point to point', () => {
    expect(
      pathData(
        [
          [0, 10],
          [10, 20],
          [20, 0],
        ],
        box,
        false,
      ),
    ).toBe('M0 90L10 80L20 100');
  });

  test('has a gap where nothing was measured, and a dot for a point between gaps', () => {
    const gaps: readonly Point[] = [
      [0, 10],
      [10, 20],
      [20, null],
      [30, 5],
      [40, null],
      [50, 5],
      [60, 6],
    ];
    expect(pathData(gaps, box, false)).toBe('M0 90L10 80M30 95h0M50 95L60 94');
  });

  test('leaves out the middle of a level stretch', () => {
    expect(
      pathData(
        [
          [0, 10],
          [10, 10],
          [20, 10],
          [30, 5],
        ],
        box,
        false,
      ),
    ).toBe('M0 90L20 90L30 95');
  });

  test('of single looks goes in steps', () => {
    expect(
      pathData(
        [
          [0, 2],
          [10, 2],
          [20, 1],
          [30, 1],
          [40, 2],
        ],
        box,
        true,
      ),
    ).toBe('M0 98H10H20V99H30H40V98');
  });

  test('of nothing is nothing', () => {
    expect(pathData([], box, false)).toBe('');
    expect(pathData([[0, null]], box, true)).toBe('');
  });
});

test('the read-out has moments in ms and values with four digits', () => {
  expect(
    readOut([
      [0.4, 1.234_56],
      [10, null],
      [20, 99.987_65],
    ]),
  ).toBe('0 1.235;10 ;20 99.99');
});
