import type { Json } from '../../base/json.ts';

/** What one attempt or one look of a probe came to: what its thread tells. */
export interface Outcome {
  /** When it was due, on the run's clock. */
  readonly dueMs: number;
  /** All that were due before are over. */
  readonly settledMs: number;
  /** From its turn, which comes when it is due, to its end; undefined where a probe only looks. */
  readonly tookMs?: number;
  /** Why it failed: `connection refused`. */
  readonly failure?: string;
  /** What was seen, by the name of the measure. */
  readonly values?: Readonly<Record<string, Json>>;
}

/** What the thread of a probe tells: outcomes as they came. */
export type ProbeMessage = readonly Outcome[] | 'stopped';
