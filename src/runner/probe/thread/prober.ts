import type { Outcome } from '../outcome.ts';

export interface Parts {
  /** The run's clock. */
  readonly clock: () => number;
  readonly report: (outcome: Outcome) => void;
  /** See `ProbeOrder`. */
  readonly leader: Int32Array;
}

/**
 * Begins to probe.
 *
 * @returns ends it, and whatever is under way
 * @throws Error what it looks at cannot be, such as a URL that is none
 */
export type Prober<Source> = (source: Source, parts: Parts) => () => void | Promise<void>;
