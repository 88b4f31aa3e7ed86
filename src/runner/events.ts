import type { JournalEntryDocument, PhaseName } from './result.ts';

/** A number of a probe as it is just now. */
export interface ProbeNumber {
  readonly probe: string;
  readonly measure: string;
  /** As a person reads it; undefined: nothing was measured of late. */
  readonly text: string | undefined;
  /** Is it within its tolerance? */
  readonly held: boolean;
}

/** What a run tells while it goes on, for whoever watches. Nothing computes a state of these; the document has it. */
export type RunEvent =
  | { readonly kind: 'begun'; readonly uid: string; readonly name: string }
  | { readonly kind: 'phase'; readonly phase: PhaseName; readonly atMs: number }
  /** A line of the journal. */
  | { readonly kind: 'entry'; readonly entry: JournalEntryDocument }
  /** Several times a second. */
  | {
      readonly kind: 'tick';
      readonly atMs: number;
      readonly phase: PhaseName;
      /** What is being done, one of each branch. */
      readonly steps: readonly string[];
      readonly numbers: readonly ProbeNumber[];
    };

export type RunObserver = (event: RunEvent) => void;
