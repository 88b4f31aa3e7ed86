import type { IoRule, OffsetRange } from '../rule.ts';
import { type Chance, purposes } from './draw.ts';

/** Does the operation touch bytes of the range? */
export function touches(range: OffsetRange | null, offset: number, size: number): boolean {
  return range === null || (offset + size > range.from && (range.to === null || offset < range.to));
}

type Timing = Pick<IoRule, 'after' | 'nth' | 'every' | 'percent'>;

/**
 * Whether the rule disturbs an operation, by its number among those that it matched, from 1: first `after`, then `nth`
 * and `every`, which count from there, then `percent` of what is left. `count` is not for this to know: how many were
 * disturbed is known to all threads together.
 */
export function trigger({ after, nth, every, percent }: Timing, chance: Chance): (number: number) => boolean {
  const chosen = new Set(nth);
  return (number) => {
    const counted = number - after;
    if (counted < 1) return false;
    if (chosen.size > 0 && !chosen.has(counted)) return false;
    if (counted % every !== 0) return false;
    return percent >= 100 || chance.draw(number, purposes.percent) * 100 < percent;
  };
}
