import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { isErrno, toSyscallError } from './syscall-error.ts';

/** Where the oom_score_adj of one process is written: bound to that process, and no later one of its PID. */
export interface OomScoreAdjFile {
  readonly fd: number;
}

/**
 * Take hold of a process's oom_score_adj: proc_pid_oom_score_adj(5). Check the identity after this: what is written is
 * then that process's, or fails with ESRCH.
 *
 * @returns undefined when there is no such process
 * @throws SyscallError EACCES, EPERM: it is another user's
 */
export function openOomScoreAdj(pid: number): OomScoreAdjFile | undefined {
  try {
    return { fd: openSync(`/proc/${pid}/oom_score_adj`, 'r+') };
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw toSyscallError(error);
  }
}

/** @returns false: the process is gone */
export function writeOomScoreAdj({ fd }: OomScoreAdjFile, value: number): boolean {
  try {
    writeSync(fd, String(value));
    return true;
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false;
    throw toSyscallError(error);
  }
}

export function closeOomScoreAdj({ fd }: OomScoreAdjFile): void {
  closeSync(fd);
}

/** Our own. Lowering it takes CAP_SYS_RESOURCE. @returns was it taken? */
export function setOwnOomScoreAdj(value: number): boolean {
  try {
    writeFileSync('/proc/self/oom_score_adj', String(value));
    return true;
  } catch {
    return false;
  }
}
