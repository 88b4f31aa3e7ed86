import { formatDuration } from '../base/duration.ts';
import type { Ledger } from './ledger.ts';

/** How often it is looked whether time was lost, in ms. */
const lookMs = 50;

/** What is told, in ms: less than what any probe would be judged by. */
const leastMs = 250;

/**
 * Tell of every moment at which this program stood still: a machine with too little time for all, a hypervisor or a
 * slow disk held it up. Whoever is measured was held up as well, perhaps, and a deviation is then the machine's rather
 * than that of the fault: who reads the report must be able to see it.
 *
 * @returns ends it
 */
export function tellHoldUps(ledger: Pick<Ledger, 'clock' | 'note'>): () => void {
  let lastMs = ledger.clock();
  const timer = setInterval(() => {
    const nowMs = ledger.clock();
    const lostMs = nowMs - lastMs - lookMs;
    lastMs = nowMs;
    if (lostMs < leastMs) return;
    const lost = formatDuration(Math.round(lostMs));
    ledger.note(`this machine held up Faultline for ${lost}: what was measured then may be its doing`);
  }, lookMs);
  return () => clearInterval(timer);
}
