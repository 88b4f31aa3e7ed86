import { basename } from 'node:path/posix';
import type { ProcessTable } from './process-table.ts';

/** TASK_COMM_LEN of include/linux/sched.h, without the closing NUL. */
const commBytes = 15;

/** Is the text a PID first? Any row of digits is. */
export function isPidText(text: string): boolean {
  return /^\d+$/.test(text);
}

/**
 * What the kernel makes of a program's name: its first 15 bytes. A character that the cut goes through comes out as
 * U+FFFD here, as it does when /proc/PID/comm is read.
 */
export function commOfName(name: string): string {
  const bytes = Buffer.from(name);
  return bytes.length > commBytes ? bytes.toString('utf8', 0, commBytes) : name;
}

/** Is a process called so? Prepared once for a name, asked for each process. */
export interface NameMatcher {
  /** Could a process with this kernel's name be meant? Decides most cases for one small read each. */
  maybe(comm: string): boolean;
  /** Is this process, with this kernel's name, meant? Reads its arguments only where the kernel's name was cut. */
  matches(table: ProcessTable, pid: number, comm: string): boolean;
}

/**
 * NAME equals the kernel's name (comm) or, where that is NAME cut after 15 bytes, the base name of argv[0]. Case
 * matters; there are no patterns.
 */
export function nameMatcher(name: string): NameMatcher {
  const cut = commOfName(name);
  return Object.freeze({
    maybe: (comm: string) => comm === cut || comm === name,
    matches: (table: ProcessTable, pid: number, comm: string) =>
      comm === name || (comm === cut && basename(table.argv(pid)?.[0] ?? '') === name),
  });
}
