import type { Json } from '../../base/json.ts';
import type { Probe } from '../experiment.ts';
import type { Series } from '../result.ts';

/** Milliseconds since the run began, on a clock that nobody sets. */
export type RunClock = () => number;

/** A probe at work. It keeps what it has measured until the end of the run, within bounded memory. */
export interface RunningProbe {
  readonly probe: Probe;
  /**
   * A measure over what happened from one moment to another, `fromMs` included.
   *
   * @returns of a measure over looks: each of them, with its moment; of others at most one, at `toMs`; nothing where
   *   nothing was measured then
   */
  measure(measure: string, fromMs: number, toMs: number): readonly { readonly atMs: number; readonly value: Json }[];
  /**
   * All attempts that were due before this moment are over: what is measured up to it changes no more. An attempt
   * belongs to the moment at which it was due, for one that a stall delays is told of long after.
   */
  settledMs(): number;
  /** The curves for a report. */
  series(): readonly Series[];
  /** What went wrong how often, the most frequent first. */
  failures(): Readonly<Record<string, number>>;
  /** End it; what is under way is waited for or aborted. Never throws. */
  stop(): Promise<void>;
}
