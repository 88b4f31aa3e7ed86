import { readCmdline } from '../linux/procfs/cmdline.ts';
import { readComm } from '../linux/procfs/comm.ts';
import { listPids } from '../linux/procfs/process-list.ts';
import { type ProcessStat, readStat } from '../linux/procfs/stat.ts';
import { type ProcessStatus, readStatus } from '../linux/procfs/status.ts';
import { isErrno } from '../linux/syscall-error.ts';

/**
 * The processes of this host, each fact read once, when it is first asked for. A process that has vanished, or that
 * `hidepid` keeps from us, answers undefined.
 *
 * /proc is no database: two facts of one PID are read at two moments, between which it may change hands. What is acted
 * on must therefore be bound to one process: `stat` is read before `status` and `argv` are, and the identity is taken
 * from it. If the PID changes hands later, the identity names a process that is gone, and `openProcess` refuses it;
 * an identity never gets the facts of an earlier holder. `comm` alone may be read before `stat`, being the cheap
 * sieve; what passed it is looked at again with {@link ProcessTable.confirmedComm}.
 */
export interface ProcessTable {
  /** The PIDs in ascending order: processes, not threads. */
  pids(): readonly number[];
  /** The kernel's name for the main thread, at most 15 bytes; possibly of an earlier holder of the PID. */
  comm(pid: number): string | undefined;
  /** As `comm`, of the process that `stat` is about. */
  confirmedComm(pid: number): string | undefined;
  stat(pid: number): ProcessStat | undefined;
  status(pid: number): ProcessStatus | undefined;
  /** The argument vector; empty for kernel threads and for processes that cleared theirs. */
  argv(pid: number): readonly string[] | undefined;
}

/** `read`, asked at most once for each PID. What `hidepid` denies us counts as not there. */
function once<T>(read: (pid: number) => T | undefined): (pid: number) => T | undefined {
  const known = new Map<number, T | undefined>();
  return (pid) => {
    let value = known.get(pid);
    if (value !== undefined || known.has(pid)) return value;
    try {
      value = read(pid);
    } catch (error) {
      if (!isErrno(error, 'EACCES', 'EPERM')) throw error;
    }
    known.set(pid, value);
    return value;
  };
}

/** A new table. Nothing is read before it is asked for, and nothing is read twice. */
export function readProcessTable(): ProcessTable {
  let pids: readonly number[] | undefined;
  const stat = once(readStat);
  /** `stat` first: see {@link ProcessTable}. */
  const afterStat = <T>(read: (pid: number) => T | undefined) =>
    once((pid) => (stat(pid) === undefined ? undefined : read(pid)));
  return Object.freeze({
    pids: () => {
      pids ??= Object.freeze(listPids());
      return pids;
    },
    comm: once(readComm),
    confirmedComm: afterStat(readComm),
    stat,
    status: afterStat(readStatus),
    argv: afterStat(readCmdline),
  });
}
