/**
 * The life of an injection: `planned → injecting → injected → recovering → recovered`, or `failed` (nothing took
 * effect), or `unrecoverable` (it took effect and cannot be undone, as a killed process).
 */
export type InjectionState =
  | 'planned'
  | 'injecting'
  | 'injected'
  | 'recovering'
  | 'recovered'
  | 'failed'
  | 'unrecoverable';

/** States in which something may still have to be undone. */
export const liveStates = ['planned', 'injecting', 'injected', 'recovering'] as const satisfies InjectionState[];

export function isLive(state: InjectionState): boolean {
  return liveStates.some((live) => live === state);
}

/**
 * The life of one effect in the journal.
 *
 * - `intended`: written before it happens; after a crash it may or may not have happened
 * - `applied`: it happened
 * - `refused`: it did not happen (the kernel said no, the target was gone)
 * - `releasing`: it is being undone, and holds nothing any more
 * - `undone`: it was undone, or there is nothing left to undo
 */
export type EffectStatus = 'intended' | 'applied' | 'refused' | 'releasing' | 'undone';

/** It may have happened, and has not been undone. */
export function mayStand(status: EffectStatus): boolean {
  return status === 'intended' || status === 'applied' || status === 'releasing';
}

/** Did what was seen bear out what was meant? */
export type Verdict = 'confirmed' | 'mismatch' | 'inconclusive';

/** The verdict over many: the worst of them. */
export function worstVerdict(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('mismatch')) return 'mismatch';
  return verdicts.length === 0 || verdicts.includes('inconclusive') ? 'inconclusive' : 'confirmed';
}

/** What is hit: a stable key that no other target ever has, and how a person calls it. */
export interface TargetRef {
  /** `process:4123:889233` */
  readonly key: string;
  /** `pid 4123 (nginx)`; untrusted text, printed only through `printable` */
  readonly label: string;
}
