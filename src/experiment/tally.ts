import { type LiveTally, tallyLive } from '../store/injections.ts';
import { readHalt } from '../store/latches.ts';
import { type ScheduleTally, tallySchedules } from '../store/schedules.ts';
import type { EngineContext } from './context.ts';

/** The journal in figures, as it is now. */
export interface Tally {
  readonly live: readonly LiveTally[];
  /** Since the journal was begun. */
  readonly schedules: ScheduleTally;
  readonly halted: boolean;
}

export function readTally({ store }: EngineContext): Tally {
  return Object.freeze({
    live: tallyLive(store),
    schedules: tallySchedules(store),
    halted: readHalt(store) !== undefined,
  });
}
