import { type ProcessRef, readProcessRecord } from './read.ts';

const NEWLINE = 0x0a;

/**
 * The kernel's name of a process, at most 15 bytes that it may have chosen itself: any byte but NUL may be in it.
 *
 * The cheapest look at a process that there is. Bytes that are no UTF-8 come out as U+FFFD.
 *
 * @returns undefined when the process is gone
 */
export function readComm(process: ProcessRef): string | undefined {
  const bytes = readProcessRecord(process, 'comm');
  if (bytes === undefined) return undefined;
  const end = bytes.at(-1) === NEWLINE ? bytes.length - 1 : bytes.length;
  return bytes.toString('utf8', 0, end);
}
