import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../base/random.ts';
import { choose, selectionModes, takesPercent, takesValue } from './mode.ts';

const candidate = (pid: number) => ({ identity: { pid } });
const pidsOf = (chosen: readonly { identity: { pid: number } }[]) => chosen.map(({ identity }) => identity.pid);

const candidates = fc
  .uniqueArray(fc.integer({ min: 1, max: 4_194_304 }), { maxLength: 60 })
  .map((all) => all.map(candidate));
const percent = fc.integer({ min: 1, max: 100 });
const seeds = fc.string();
const modes = fc.constantFrom(...selectionModes);

const some = [candidate(40), candidate(7), candidate(300), candidate(22), candidate(1)];

describe('choose', () => {
  it.each([
    ['all', undefined, 5],
    ['one', undefined, 1],
    ['fixed', 3, 3],
    ['fixed', 9, 5],
    ['fixed-percent', 1, 1],
    ['fixed-percent', 20, 1],
    ['fixed-percent', 21, 2],
    ['fixed-percent', 100, 5],
  ] as const)('mode %s with value %s takes %s of 5', (mode, value, size) => {
    expect(choose(some, mode, value, seededRandom('x'))).toHaveLength(size);
  });

  it('gives what it chose by PID', () => {
    expect(pidsOf(choose(some, 'all', undefined, seededRandom('x')))).toEqual([1, 7, 22, 40, 300]);
  });

  it('chooses the same for one seed and one set of candidates, in whatever order they were found', () => {
    fc.assert(
      fc.property(candidates, modes, percent, seeds, fc.integer(), (all, mode, value, seed, turn) => {
        const at = all.length === 0 ? 0 : Math.abs(turn) % all.length;
        const turned = [...all.slice(at), ...all.slice(0, at)].toReversed();
        expect(choose(turned, mode, value, seededRandom(seed))).toEqual(choose(all, mode, value, seededRandom(seed)));
      }),
    );
  });

  it('chooses candidates only, none of them twice, and leaves their list as it was', () => {
    fc.assert(
      fc.property(candidates, modes, percent, seeds, (all, mode, value, seed) => {
        const before = [...all];
        const chosen = choose(all, mode, value, seededRandom(seed));
        expect(new Set(chosen).size).toBe(chosen.length);
        expect(chosen.every((one) => all.includes(one))).toBe(true);
        expect(pidsOf(chosen)).toEqual([...pidsOf(chosen)].sort((a, b) => a - b));
        expect(all).toEqual(before);
      }),
    );
  });

  it('takes the smallest number that is at least the fixed percentage, so at least one', () => {
    fc.assert(
      fc.property(candidates, percent, seeds, (all, value, seed) => {
        const { length } = choose(all, 'fixed-percent', value, seededRandom(seed));
        expect(length * 100).toBeGreaterThanOrEqual(all.length * value);
        expect((length - 1) * 100).toBeLessThan(all.length * value);
        expect(length > 0).toBe(all.length > 0);
      }),
    );
  });

  it('never takes more than the maximal random percentage', () => {
    fc.assert(
      fc.property(candidates, percent, seeds, (all, value, seed) => {
        const { length } = choose(all, 'random-max-percent', value, seededRandom(seed));
        expect(length * 100).toBeLessThanOrEqual(all.length * value);
      }),
    );
  });

  it('reaches every share from none to the maximal random percentage, each as often', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => candidate(index + 1));
    const sizes = new Map<number, number>();
    for (let run = 0; run < 8_000; run += 1) {
      const { length } = choose(hundred, 'random-max-percent', 3, seededRandom(`run ${run}`));
      sizes.set(length, (sizes.get(length) ?? 0) + 1);
    }
    expect(new Set(sizes.keys())).toEqual(new Set([0, 1, 2, 3]));
    // p = 1/4 of 8,000: 2,000 with a standard deviation of 39.
    for (const times of sizes.values()) expect(Math.abs(times - 2000)).toBeLessThan(195);
  });

  it('gives every candidate the same chance to be the one', () => {
    const hits = new Map<number, number>();
    for (let run = 0; run < 5_000; run += 1) {
      const [pid] = pidsOf(choose(some, 'one', undefined, seededRandom(`${run}`)));
      hits.set(pid ?? 0, (hits.get(pid ?? 0) ?? 0) + 1);
    }
    // p = 1/5 of 5,000: 1,000 with a standard deviation of 28.
    for (const { identity } of some) expect(Math.abs((hits.get(identity.pid) ?? 0) - 1000)).toBeLessThan(140);
  });

  it('chooses nobody among nobody', () => {
    for (const mode of selectionModes) expect(choose([], mode, 50, seededRandom('x'))).toEqual([]);
  });
});

describe('modes', () => {
  it('know which of them take a value, and which a percentage', () => {
    expect(selectionModes.filter(takesValue)).toEqual(['fixed', 'fixed-percent', 'random-max-percent']);
    expect(selectionModes.filter(takesPercent)).toEqual(['fixed-percent', 'random-max-percent']);
  });
});
