import { FaultlineError } from '../../../base/error.ts';
import { printable } from '../../../base/text.ts';

/*
 * Text that a user wrote, and places in it, so that whatever is wrong with it is shown where it stands.
 */

export interface Source {
  /** What it is, at the beginning of a sentence: `the predicate of d_alloc_parallel`. */
  readonly what: string;
  readonly text: string;
}

/** From a character to another, which is not part of it. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** From where one begins to where the other ends. */
export function spanOf(first: Span, last: Span): Span {
  return { start: first.start, end: last.end };
}

/** How much of a line is shown around the place. */
const shownBefore = 60;
const shownAfter = 60;
/** How much of the place itself. */
const shownPlace = 60;

/** A problem may have a word of the user's in it, as long as the user likes. */
const maxProblem = 200;

/** The text around a place in one line, and a line below with a mark under the place. */
function excerpt({ text }: Source, { start, end }: Span): readonly [string, string] {
  const from = Math.max(0, start - shownBefore);
  const before = printable(text.slice(from, start).replaceAll(/\s/gu, ' '));
  const shownEnd = Math.min(end, start + shownPlace);
  const place = printable(text.slice(start, shownEnd).replaceAll(/\s/gu, ' '));
  const after = printable(text.slice(shownEnd, shownEnd + shownAfter).replaceAll(/\s/gu, ' '));
  const mark = `^${'~'.repeat(Math.max(0, place.length - 1))}`;
  return [`${before}${place}${after}`, `${' '.repeat(before.length)}${mark}`];
}

/** An error at a place of a text: a sentence, the place with a caret under it, and what to do. */
export function sourceError(source: Source, span: Span, problem: string, hint: string): FaultlineError {
  const [line, mark] = excerpt(source, span);
  const told = problem.length > maxProblem ? `${problem.slice(0, maxProblem)}…` : problem;
  return new FaultlineError('ARGUMENT_INVALID', `${source.what}: ${told}`, {
    hint: `${hint}\n  ${line}\n  ${mark}`,
    details: { text: source.text, start: span.start, end: span.end },
  });
}
