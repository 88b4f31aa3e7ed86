import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';

/** Somewhere in the file; both count from 1. */
export interface Spot {
  readonly line: number;
  readonly column: number;
}

/** Something that is wrong in a file. */
export interface Problem extends Spot {
  /** `there is no measure "p98" of an http probe` */
  readonly problem: string;
  /** What to write: `did you mean p99?` */
  readonly hint: string;
}

/** All that is wrong in a file, as it is found. */
export interface Problems {
  /** Returns nothing, as a reader does that has found no value. */
  add(at: Spot, problem: string, hint: string): undefined;
  /** There are so many that no more are kept. */
  isFull(): boolean;
  /** In the order of the file. */
  all(): readonly Problem[];
}

/** Of more, a file has something else that is wrong than what they say. */
const most = 100;

export function openProblems(): Problems {
  const found: Problem[] = [];
  return {
    add: ({ line, column }, problem, hint) => {
      if (found.length < most) {
        found.push(Object.freeze({ line, column, problem: printable(problem), hint: printable(hint) }));
      }
      return undefined;
    },
    isFull: () => found.length >= most,
    all: () => found.toSorted((a, b) => a.line - b.line || a.column - b.column),
  };
}

/** How many problems an error shows beside the first. */
const mostShown = 20;

/** `kill.yaml:7:9: there is no measure "p98" of an http probe` */
function problemText(file: string, { line, column, problem }: Problem): string {
  return `${printable(file === '-' ? '<stdin>' : file)}:${line}:${column}: ${problem}`;
}

/**
 * The error that tells of all of them: the first as its sentence, the others in the hint, a line each.
 *
 * @param problems at least one
 */
export function problemsError(file: string, problems: readonly Problem[]): FaultlineError {
  const [first, ...others] = problems;
  if (first === undefined) throw new Error('an error needs a problem');
  const lines = others.slice(0, mostShown).map((one) => `${problemText(file, one)}; ${one.hint}`);
  const unshown = others.length - lines.length;
  const rest = unshown > 0 ? [`and ${unshown} more`] : [];
  return new FaultlineError('EXPERIMENT_INVALID', problemText(file, first), {
    hint: [first.hint, ...lines, ...rest].join('\n'),
    details: { line: first.line, column: first.column, problems },
  });
}
