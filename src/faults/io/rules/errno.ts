import type { ErrnoSpec } from '../rule.ts';
import type { Disturbance } from './disturbance.ts';
import { type Chance, purposes } from './draw.ts';

/** The operation fails and is not done. */
export function errno({ choices }: ErrnoSpec, chance: Chance): Disturbance {
  const total = choices.reduce((sum, { weight }) => sum + weight, 0);

  function choose(draw: number): number {
    let left = draw * total;
    for (const choice of choices) {
      left -= choice.weight;
      if (left < 0) return choice.errno;
    }
    return choices.at(-1)?.errno ?? 0;
  }

  return {
    evenIfItFails: false,
    applies: () => true,
    disturb(draft, _operation, number) {
      draft.errno = choose(choices.length === 1 ? 0 : chance.draw(number, purposes.errno));
    },
  };
}
