import { createContext, Script } from 'node:vm';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';

/** How long all texts together may take, in milliseconds: thousands of command lines take a few. */
const budgetMs = 1_000;

const program = new Script('test()');

function isTimeout(error: unknown): boolean {
  // An error of the other context is no `Error` of ours.
  return (
    typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}

/**
 * Which of the texts a pattern matches. A pattern that backtracks without end (`(a+)+b`) would hold up the process for
 * hours, a service with everything that it has to undo; so it is cut off. Only the matching itself is done under the
 * limit: whatever runs there may be broken off anywhere.
 *
 * @param shortenedMs for tests
 * @throws {FaultlineError} REGEX_INVALID
 */
export function matchesOf(pattern: RegExp, texts: readonly string[], shortenedMs = budgetMs): readonly boolean[] {
  const test = (): boolean[] => texts.map((text) => pattern.test(text));
  try {
    return program.runInContext(createContext({ test }), { timeout: shortenedMs }) as boolean[];
  } catch (error) {
    if (!isTimeout(error)) throw error;
    throw new FaultlineError('REGEX_INVALID', `the regular expression takes too long: ${printable(pattern.source)}`, {
      hint: 'repetitions inside of repetitions, as in (a+)+, try endless ways; write it without',
    });
  }
}
