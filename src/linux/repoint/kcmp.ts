import { bindSyscall } from '../libc.ts';
import { isErrno } from '../syscall-error.ts';

/*
 * Do two threads share something? kcmp(2), include/uapi/linux/kcmp.h; needs CONFIG_KCMP and the right to trace both.
 */

const kcmp = bindSyscall('kcmp', ['int', 'int', 'int', 'ulong', 'ulong']);

const KCMP_FILE = 0;
const KCMP_VM = 1;
const KCMP_FILES = 2;
const KCMP_FS = 3;

/** What threads may share: a table of descriptors, root and working directory, memory. */
export type SharedThing = 'files' | 'folders' | 'memory';

const types: Readonly<Record<SharedThing, number>> = { files: KCMP_FILES, folders: KCMP_FS, memory: KCMP_VM };

/** A descriptor of a thread. */
export interface DescriptorRef {
  readonly tid: number;
  readonly fd: number;
}

/** Both threads share the thing; false also when one of them has ended. @throws SyscallError EPERM, ENOSYS */
export function shares(thing: SharedThing, one: number, other: number): boolean {
  return compare(one, other, types[thing], 0, 0) === 0;
}

/**
 * Do both descriptors mean the same open file description? -1 or 1 otherwise, by an order that holds until the next
 * boot; undefined when one of them has been closed.
 *
 * @throws SyscallError EPERM, ENOSYS
 */
export function compareDescriptions(one: DescriptorRef, other: DescriptorRef): number | undefined {
  const order = compare(one.tid, other.tid, KCMP_FILE, one.fd, other.fd);
  if (order === undefined) return undefined;
  return order === 0 ? 0 : order === 1 ? -1 : 1;
}

/** 0 the same, 1 less, 2 greater. */
function compare(one: number, other: number, type: number, index: number, otherIndex: number): number | undefined {
  try {
    return kcmp(one, other, type, index, otherIndex);
  } catch (error) {
    if (isErrno(error, 'EBADF', 'ESRCH')) return undefined;
    throw error;
  }
}
