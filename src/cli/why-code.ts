import { explainCode } from '../forensics/codes/explain-code.ts';
import { parseCode } from '../forensics/codes/parse-code.ts';
import { say } from './output/style.ts';
import { whyText } from './output/why-text.ts';

/**
 * `faultline why CODE`, and nothing else: what a code means is told from tables, and reading all of the program first
 * would take longer than all else. It is built into a file of its own.
 *
 * @returns false where it is no code: then the program is to be asked
 */
export async function whyCode(what: string): Promise<boolean> {
  const given = parseCode(what);
  if (given === undefined) return false;
  const found = explainCode(what, given);
  say(await whyText(found));
  if (found.causes.length === 0) process.exitCode = 1;
  return true;
}
