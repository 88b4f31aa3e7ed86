import { isKernelThread } from '../linux/procfs/stat.ts';
import { identityOf, isDead, type ProcessIdentity } from './identity.ts';
import type { ProcessTable } from './process-table.ts';

/** What one look at a process's stat line tells: enough to choose among thousands. */
export interface ProcessSummary {
  readonly identity: ProcessIdentity;
  /**
   * The kernel's name, at most 15 bytes except for kernel threads. Chosen by the process: print it with `printable`.
   */
  readonly comm: string;
  readonly ppid: number;
  /** The letter of proc_pid_stat(5): R, S, D, T, t, I. */
  readonly state: string;
  readonly kernelThread: boolean;
}

/** A process as a target: plain data, as it was when it was looked at. */
export interface TargetProcess extends ProcessSummary {
  /** The effective user ID, which is the one that ps shows. */
  readonly uid: number;
  /** The first 4 KiB of its arguments; empty for kernel threads. */
  readonly argv: readonly string[];
}

/** Where `argv` is cut: what a journal keeps of each target, where a Java command line may have 100 KiB. */
const argvBytes = 4096;

/** The arguments that fit into `limit` bytes, each with its NUL; the last one may be cut, at a whole character. */
export function firstArguments(argv: readonly string[], limit = argvBytes): readonly string[] {
  const kept: string[] = [];
  let room = limit;
  for (const argument of argv) {
    const bytes = Buffer.byteLength(argument) + 1;
    if (bytes > room) {
      const cut =
        room > 1 ? new TextDecoder().decode(Buffer.from(argument).subarray(0, room - 1), { stream: true }) : '';
      return cut === '' ? kept : [...kept, cut];
    }
    kept.push(argument);
    room -= bytes;
  }
  return kept;
}

/**
 * The kernel's name of a process whose stat line was read.
 *
 * Some kernels escape backslashes and newlines in the stat line and none do in /proc/PID/comm, so a name with a
 * backslash is taken from there.
 */
function commOf(table: ProcessTable, pid: number, statComm: string): string {
  return statComm.includes('\\') ? (table.confirmedComm(pid) ?? statComm) : statComm;
}

/** A live process in short; undefined when it has vanished or died: zombies are no targets. */
export function summaryOf(table: ProcessTable, pid: number): ProcessSummary | undefined {
  const stat = table.stat(pid);
  if (stat === undefined || isDead(stat)) return undefined;
  return Object.freeze({
    identity: identityOf(stat),
    comm: commOf(table, pid, stat.comm),
    ppid: stat.ppid,
    state: stat.state,
    kernelThread: isKernelThread(stat),
  });
}

/** The whole record of a process; undefined when it has vanished since its stat line was read. */
export function targetOf(table: ProcessTable, summary: ProcessSummary): TargetProcess | undefined {
  const { pid } = summary.identity;
  const status = table.status(pid);
  const argv = table.argv(pid);
  if (status === undefined || argv === undefined) return undefined;
  return Object.freeze({ ...summary, uid: status.effectiveUid, argv: Object.freeze([...firstArguments(argv)]) });
}
