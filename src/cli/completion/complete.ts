import type { Command } from 'commander';
import { answer } from './answer.ts';
import { parseBashLine, bashReply } from './bash-line.ts';
import type { Answer, Candidate } from './candidate.ts';
import type { Shell } from './shell.ts';

/** The first line says what follows; then a candidate a line. */
function written(found: Answer, lineOf: (candidate: Candidate) => string | undefined): string {
  const lines = found.what === 'words' ? found.candidates.flatMap((one) => lineOf(one) ?? []) : [];
  return [found.what, ...lines].join('\n');
}

/** bash shows no descriptions, and PIDs without names tell nothing: they are left out until a digit is typed. */
function wantedInBash(candidates: readonly Candidate[], current: string): readonly Candidate[] {
  const isNumber = ({ value }: Candidate): boolean => /^\d+$/.test(value);
  return current !== '' || candidates.every(isNumber) ? candidates : candidates.filter((one) => !isNumber(one));
}

async function completeBash(root: Command, [text = '', wordBreaks = '']: readonly string[]): Promise<string> {
  const line = parseBashLine(text, wordBreaks);
  const found = await answer(root, line.words.slice(1), line.current);
  if (found.what !== 'words') return found.what;
  const candidates = wantedInBash(found.candidates, line.current);
  return written({ what: 'words', candidates }, ({ value }) => bashReply(line, value));
}

/**
 * The answer to one press of the Tab key, as the scripts read it.
 *
 * @param args zsh, fish: the words before the current one, then the current one; bash: the command line up to the
 *   cursor, and COMP_WORDBREAKS
 */
export async function complete(root: Command, shell: Shell, args: readonly string[]): Promise<string> {
  if (shell === 'bash') return completeBash(root, args);
  const found = await answer(root, args.slice(0, -1), args.at(-1) ?? '');
  return written(found, ({ value, description }) => (description === '' ? value : `${value}\t${description}`));
}
