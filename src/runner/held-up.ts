import { formatDuration } from '../base/duration.ts';
import type { Ledger } from './ledger.ts';

/** How often it is looked whether time was lost, in ms. */
const lookMs = 50;

/** What counts, in ms: less than what any probe would be judged by. */
const leastMs = 250;

/** The moments at which this program stood still, with its probes. */
export interface HoldUps {
  /** How much of the time from then until now was lost, in ms. */
  lostSince(fromMs: number): number;
  /** Look no more. */
  end(): void;
}

/**
 * Tell of every moment at which this program stood still: a machine with too little time for all, a hypervisor or a
 * slow disk held it up. Whoever is measured was held up as well, perhaps, and a deviation is then the machine's rather
 * than that of the fault: who reads the report must be able to see it.
 */
export function watchHoldUps({ clock, note }: Pick<Ledger, 'clock' | 'note'>): HoldUps {
  const holdUps: { readonly endMs: number; readonly lostMs: number }[] = [];
  let lastMs = clock();
  const look = (): void => {
    const endMs = clock();
    const lostMs = endMs - lastMs - lookMs;
    lastMs = endMs;
    if (lostMs < leastMs) return;
    holdUps.push({ endMs, lostMs });
    const lost = formatDuration(Math.round(lostMs));
    note(`this machine held up Faultline for ${lost}: what was measured then may be its doing`);
  };
  const timer = setInterval(look, lookMs);
  return Object.freeze({
    lostSince: (fromMs: number) => {
      look(); // whoever asks may be the first to run again
      return holdUps.reduce((sum, { endMs, lostMs }) => (endMs > fromMs ? sum + lostMs : sum), 0);
    },
    end: () => clearInterval(timer),
  });
}
