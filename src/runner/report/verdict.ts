import type { RunDocument, RunVerdict } from '../result.ts';
import { shellWord } from './plain-text.ts';

/** What became of a run, or `unfinished`: it goes on, or its runner was killed. */
export type Outcome = RunVerdict | 'unfinished';

const words: Readonly<Record<Outcome, string>> = {
  held: 'Held',
  deviated: 'Deviated',
  aborted: 'Aborted',
  error: 'Error',
  unfinished: 'Unfinished',
};

const meanings: Readonly<Record<Outcome, string>> = {
  held: 'The hypothesis held.',
  deviated: 'The hypothesis did not hold: something was outside of its tolerance.',
  aborted: 'The run was ended before its time, and tells nothing of the hypothesis.',
  error: 'The run could not be done as the file says, and tells nothing of the hypothesis.',
  unfinished: 'The run still goes on, or its runner was killed and nobody has looked since.',
};

export function outcomeOf({ verdict }: RunDocument): Outcome {
  return verdict ?? 'unfinished';
}

/** `Held` */
export function verdictWord(outcome: Outcome): string {
  return words[outcome];
}

/** What the word means for the hypothesis, in a sentence. */
export function verdictMeaning(outcome: Outcome): string {
  return meanings[outcome];
}

/** How to run the same again, where the text of the report is kept in a file. */
export function againCommand({ experiment }: RunDocument): string {
  const file = experiment.file === '-' ? `${experiment.name}.yaml` : experiment.file;
  return `faultline run ${shellWord(file)}`;
}

/** Was as much touched as was planned, or more? */
export interface Extent {
  readonly what: 'targets' | 'percent' | 'duration';
  readonly planned: number | null;
  readonly actual: number | null;
  readonly unit: '' | '%' | 'ms';
  readonly beyond: boolean;
}

/** The blast radius, planned against actual. */
export function extents({ blastRadius: { planned, actual } }: RunDocument): readonly Extent[] {
  const extent = (what: Extent['what'], unit: Extent['unit'], a: number | null, b: number | null): Extent => ({
    what,
    unit,
    planned: a,
    actual: b,
    beyond: a !== null && b !== null && b > a,
  });
  return [
    extent('targets', '', planned.targets, actual.targets),
    extent('percent', '%', planned.percent, actual.percent),
    extent('duration', 'ms', planned.durationMs, actual.durationMs),
  ];
}
