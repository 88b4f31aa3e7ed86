import { readlinkSync } from 'node:fs';
import { isErrno, toSyscallError } from '../syscall-error.ts';
import type { ProcessRef } from './read.ts';

/** The links of /proc/PID/ns: namespaces(7). */
export type NamespaceKind = 'cgroup' | 'ipc' | 'mnt' | 'net' | 'pid' | 'time' | 'user' | 'uts';

/** The PID namespace that the kernel begins with: PROC_PID_INIT_INO of include/linux/proc_ns.h. */
export const firstPidNamespace = 0xeffffffc;

/**
 * The inode number of a process's namespace: two processes share a namespace where the numbers are equal.
 *
 * @returns undefined when the process is gone, or the kernel has no such kind of namespace
 * @throws SyscallError EACCES: reading it needs the right to trace the process
 */
export function readNamespace(process: ProcessRef, kind: NamespaceKind): number | undefined {
  let link: string;
  try {
    link = readlinkSync(`/proc/${process}/ns/${kind}`);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw toSyscallError(error);
  }
  const inode = /^\w+:\[(\d+)\]$/.exec(link)?.[1];
  return inode === undefined ? undefined : Number(inode);
}
