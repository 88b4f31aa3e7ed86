import { isErrno, toSyscallError } from '../syscall-error.ts';
import { numericNames } from './process-list.ts';
import { readProcessRecord } from './read.ts';
import { parseStat, type ProcessStat } from './stat.ts';

/** The thread IDs of a process, its main thread's (the PID itself) first as a rule; undefined when it is gone. */
export function listTasks(pid: number): number[] | undefined {
  try {
    return numericNames(`/proc/${pid}/task`);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw toSyscallError(error);
  }
}

/** /proc/PID/task/TID/stat: the state of one thread; undefined when it is gone. */
export function readTaskStat(pid: number, tid: number): ProcessStat | undefined {
  const bytes = readProcessRecord(pid, `task/${tid}/stat`);
  return bytes === undefined ? undefined : parseStat(bytes);
}
