import type { ShortSpec } from '../rule.ts';
import type { Disturbance } from './disturbance.ts';
import { type Chance, purposes, wholeNumber } from './draw.ts';

/** A read or a write stops early, but never before the first byte: that would be the end of the file, or an error. */
export function short({ maxBytes }: ShortSpec, chance: Chance): Disturbance {
  return {
    evenIfItFails: false,
    applies: ({ size }) => size > (maxBytes ?? 1),
    disturb(draft, { size }, number) {
      const part = maxBytes ?? wholeNumber(chance.draw(number, purposes.short), 1, size - 1);
      draft.maxBytes = Math.min(draft.maxBytes, part);
    },
  };
}
