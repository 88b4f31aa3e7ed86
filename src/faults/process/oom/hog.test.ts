import { expect, test } from 'vitest';
import { adjBehind } from './hog.ts';

/** Points as the kernel counts them, in KiB. */
const points = (usedKib: number, adj: number, limitKib: number): number => usedKib + (adj * limitKib) / 1000;

test.each([
  [64 * 1024, 60_000, 1700],
  [512 * 1024, 62_000, 1700],
  [8 * 1024 * 1024, 62_000, 4_000_000],
  [128 * 1024, 62_000, 100_000],
])('of %i KiB it stands behind the victim, and before everybody else', (limitKib, ownKib, victimKib) => {
  const own = points(ownKib, adjBehind(limitKib, ownKib, victimKib), limitKib);
  expect(own).toBeLessThan(points(victimKib, 1000, limitKib));
  // Nobody without an oom_score_adj has more than what the victim leaves of the limit.
  expect(own).toBeGreaterThan(Math.min(limitKib - victimKib, 0.9 * limitKib));
});

test('where the limit is smaller than the interpreter it is no victim', () => {
  expect(adjBehind(8 * 1024, 60_000, 1700)).toBe(-1000);
});
