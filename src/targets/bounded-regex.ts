import { withinTime } from '../base/bounded.ts';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';

/** How long all texts together may take, in milliseconds: thousands of command lines take a few. */
const budgetMs = 1_000;

/**
 * Which of the texts a pattern matches. A pattern that backtracks without end (`(a+)+b`) would hold up the process for
 * hours, a service with everything that it has to undo; so it is cut off.
 *
 * @param shortenedMs for tests
 * @throws {FaultlineError} REGEX_INVALID
 */
export function matchesOf(pattern: RegExp, texts: readonly string[], shortenedMs = budgetMs): readonly boolean[] {
  const matched = withinTime(() => texts.map((text) => pattern.test(text)), shortenedMs);
  if (matched !== undefined) return matched.result;
  throw new FaultlineError('REGEX_INVALID', `the regular expression takes too long: ${printable(pattern.source)}`, {
    hint: 'repetitions inside of repetitions, as in (a+)+, try endless ways; write it without',
  });
}
