import { liveStates } from '../../base/lifecycle.ts';
import type { Engine } from '../../experiment/engine.ts';
import type { Tally } from '../../experiment/tally.ts';
import type { Families } from './families.ts';
import { everyAction } from './journal-counts.ts';

/**
 * What the journal has in figures, read at each scrape.
 *
 * Ticks of schedules are counted in the journal itself; not each one that is skipped has an event.
 *
 * @param since what they had come to when the service began
 */
export function journalGauges(
  { live, halted, scheduleRuns }: Families,
  engine: Engine,
  since: Tally['schedules'],
): () => void {
  let before = since;
  for (const result of ['run', 'skipped', 'failed']) scheduleRuns.inc({ result }, 0);
  return () => {
    const tally = engine.tally();
    live.reset();
    for (const labels of everyAction) for (const state of liveStates) live.set({ ...labels, state }, 0);
    for (const { kind, action, state, count } of tally.live) live.set({ fault: kind, action, state }, count);
    halted.set(tally.halted ? 1 : 0);
    const now = tally.schedules;
    scheduleRuns.inc({ result: 'run' }, now.runs - before.runs);
    scheduleRuns.inc({ result: 'skipped' }, now.skipped - before.skipped);
    scheduleRuns.inc({ result: 'failed' }, now.failed - before.failed);
    before = now;
  };
}
