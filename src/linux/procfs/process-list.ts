import { readdirSync } from 'node:fs';
import { toSyscallError } from '../syscall-error.ts';

const ZERO = 0x30;
const NINE = 0x39;

/**
 * The PIDs of all processes that /proc shows now, in ascending order. Any of them may be gone a moment later.
 *
 * @throws SyscallError: /proc is not mounted or not readable
 */
export function listPids(): number[] {
  try {
    return numericNames('/proc');
  } catch (error) {
    throw toSyscallError(error);
  }
}

/** The entries of a folder of /proc that are numbers, in ascending order. Throws what readdir(3) throws. */
export function numericNames(folder: string): number[] {
  const numbers: number[] = [];
  for (const name of readdirSync(folder)) {
    const first = name.charCodeAt(0);
    if (first >= ZERO && first <= NINE) numbers.push(Number(name));
  }
  return numbers.sort((a, b) => a - b);
}
