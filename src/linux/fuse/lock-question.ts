import type { LockRange } from './lock-table.ts';

/*
 * What locks are held through a mount is known to whoever serves it, and not shown in fdinfo. So whoever moves open
 * files asks by F_OFD_GETLK, which names the file and the open file description: for a range that nobody else asks for.
 * The answer is again a range, whose numbers say which descriptors of the server hold the locks. What is locked is in
 * the fdinfo of these.
 */

/** Far behind the end of any file. */
const FIRST = 0x6661_756c_746c_0000n;
/** More processes' locks than a file can have here. */
const QUESTIONS = 0x1_0000n;
const HANDLE_SHIFT = 32n;

/** Which of the server's descriptors hold the locks of this open file description, or of a process in this file? */
export type LockQuestion =
  /** Was anything ever locked through this mount? Then there is a holder. */
  | { readonly about: 'any' }
  | { readonly about: 'description' }
  /** It has one for each way in which it owns locks; `index` counts them from 0. */
  | { readonly about: 'process'; readonly pid: number; readonly index: number };

export interface LockAnswer {
  /** Holds the record locks (fcntl(2)); undefined: there are none. */
  readonly holder: number | undefined;
  /** The server's own descriptor for the open file description: it has the locks of flock(2). */
  readonly handle: number;
}

export type AskedRange = Pick<LockRange, 'start' | 'length'>;

export function rangeOfQuestion(question: LockQuestion): AskedRange {
  if (question.about === 'description') return { start: FIRST, length: 1n };
  if (question.about === 'any') return { start: FIRST + QUESTIONS, length: 1n };
  return { start: FIRST + 1n + BigInt(question.index), length: BigInt(question.pid) };
}

/** @returns undefined: somebody asks for a lock */
export function questionOf({ start, length }: AskedRange): LockQuestion | undefined {
  const number = start - FIRST;
  if (number < 0n || number > QUESTIONS) return undefined;
  if (number === QUESTIONS) return { about: 'any' };
  if (number === 0n) return { about: 'description' };
  return { about: 'process', pid: Number(length), index: Number(number) - 1 };
}

export function rangeOfAnswer({ holder, handle }: LockAnswer): AskedRange {
  return { start: BigInt((holder ?? -1) + 1), length: (BigInt(handle) << HANDLE_SHIFT) + 1n };
}

export function answerOf({ start, length }: AskedRange): LockAnswer {
  return { holder: start === 0n ? undefined : Number(start) - 1, handle: Number(length >> HANDLE_SHIFT) };
}
