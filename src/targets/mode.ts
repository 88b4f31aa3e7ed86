import type { Random } from '../base/random.ts';

/** Chaos Mesh's words for how many of the candidates are chosen. */
export const selectionModes = ['one', 'all', 'fixed', 'fixed-percent', 'random-max-percent'] as const;

export type SelectionMode = (typeof selectionModes)[number];

export function isSelectionMode(text: string): text is SelectionMode {
  return selectionModes.some((mode) => mode === text);
}

/** Does the mode need a value? */
export function takesValue(mode: SelectionMode): boolean {
  return mode !== 'one' && mode !== 'all';
}

/** Is the mode's value a percentage? */
export function takesPercent(mode: SelectionMode): boolean {
  return mode === 'fixed-percent' || mode === 'random-max-percent';
}

interface Numbered {
  readonly identity: { readonly pid: number };
}

/**
 * How many of `total` a mode chooses. `fixed-percent` rounds up, so at least one; `random-max-percent` draws a whole
 * percentage from 0 to `value` and rounds down, as Chaos Mesh does, so it may be none.
 */
function sizeOf(total: number, mode: SelectionMode, value: number, random: Random): number {
  switch (mode) {
    case 'all':
      return total;
    case 'one':
      return 1;
    case 'fixed':
      return value;
    case 'fixed-percent':
      return Math.ceil((total * value) / 100);
    case 'random-max-percent':
      return Math.floor((total * random.integer(0, value)) / 100);
  }
}

/**
 * Choose among candidates. They are brought into the order of their PIDs before anything is drawn, so the same seed
 * chooses the same among the same candidates however they were found.
 *
 * @param value a count for `fixed`, a percentage from 1 to 100 for the percent modes, else ignored
 * @returns the chosen, by PID
 */
export function choose<Candidate extends Numbered>(
  candidates: readonly Candidate[],
  mode: SelectionMode,
  value: number | undefined,
  random: Random,
): Candidate[] {
  const byPid = (a: Candidate, b: Candidate): number => a.identity.pid - b.identity.pid;
  const ordered = [...candidates].sort(byPid);
  const size = sizeOf(ordered.length, mode, value ?? 0, random);
  return size >= ordered.length ? ordered : random.sample(ordered, size).sort(byPid);
}
