import { describe, expect, it } from 'vitest';
import { chanceOf, purposes, wholeNumber } from './draw.ts';

describe('chance by counting', () => {
  it('draws what it drew in every release before: recorded seeds stay meaningful', () => {
    const { bits, draw } = chanceOf('faultline', 0);
    expect([1, 2, 3].map((n) => bits(n, purposes.percent))).toEqual([3_450_905_172, 1_844_571_298, 66_643_559]);
    expect(draw(1, purposes.errno)).toBe(0.7548188426646159);
    expect(draw(2 ** 32 + 1, purposes.errno)).toBe(0.5583119755481465);
  });

  it('depends on the seed, the rule, the operation and the purpose, and on nothing else', () => {
    const all = [
      chanceOf('a', 0).bits(1, 0),
      chanceOf('b', 0).bits(1, 0),
      chanceOf('a', 1).bits(1, 0),
      chanceOf('a', 0).bits(2, 0),
      chanceOf('a', 0).bits(2 ** 32 + 1, 0),
      chanceOf('a', 0).bits(1, 1),
    ];
    expect(new Set(all).size).toBe(all.length);
    const chance = chanceOf('a', 0);
    chance.bits(7, 3);
    expect(chance.bits(1, 0)).toBe(all[0]);
  });

  it('draws evenly, and operations in a row are no more alike than others', () => {
    const { draw } = chanceOf('even', 0);
    const cells = Array.from({ length: 100 }, () => 0);
    const pairs = Array.from({ length: 100 }, () => 0);
    const operations = 100_000;
    for (let n = 1; n <= operations; n += 1) {
      const [now, next] = [draw(n, 0), draw(n + 1, 0)];
      cells[Math.floor(now * 100)] = (cells[Math.floor(now * 100)] ?? 0) + 1;
      const pair = Math.floor(now * 10) * 10 + Math.floor(next * 10);
      pairs[pair] = (pairs[pair] ?? 0) + 1;
    }
    const expected = operations / 100;
    const chiSquare = (counts: readonly number[]): number =>
      counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 99 degrees of freedom: above 160 in one of 10,000 cases of pure chance, and these are always the same cases.
    expect(chiSquare(cells)).toBeLessThan(160);
    expect(chiSquare(pairs)).toBeLessThan(160);
  });

  it('makes whole numbers of all draws', () => {
    expect(wholeNumber(0, 3, 5)).toBe(3);
    expect(wholeNumber(1 - 2 ** -53, 3, 5)).toBe(5);
    expect(wholeNumber(0.5, 7, 7)).toBe(7);
  });
});
