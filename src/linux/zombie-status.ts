import { readNamespace } from './procfs/namespaces.ts';
import { isEndedState, readStat } from './procfs/stat.ts';
import { isErrno } from './syscall-error.ts';

/**
 * The wait status of who has ended and is still seen, field 52 of /proc/PID/stat; undefined where that does not tell.
 * Seen is who waits for its parent and, for a little longer, who is just being reaped.
 *
 * A PID is free for reuse once its process is reaped, so what was read is about the process that is meant only if that
 * one is not reaped afterwards.
 *
 * @param isReaped tells, after the look, whether the process that is meant has been reaped
 */
export function zombieWaitStatus(pid: number, isReaped: () => boolean): number | undefined {
  const stat = readStat(pid);
  if (stat === undefined || !isEndedState(stat.state)) return undefined;
  // To those who may not trace it the kernel shows 0, whatever the status is: fs/proc/array.c.
  if (stat.exitCode === 0 && !mayTrace(pid)) return undefined;
  return isReaped() ? undefined : stat.exitCode;
}

/** Reading a namespace link needs the same right, PTRACE_MODE_READ_FSCREDS, as seeing the exit status: proc(5). */
function mayTrace(pid: number): boolean {
  try {
    return readNamespace(pid, 'user') !== undefined;
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return false;
    throw error;
  }
}
