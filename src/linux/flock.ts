import { bindSyscall } from './libc.ts';
import { isErrno } from './syscall-error.ts';

const flock = bindSyscall('flock', ['int', 'int']);

/** include/uapi/asm-generic/fcntl.h */
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Take a file for us alone: flock(2). The kernel lets go of it when the descriptor is closed, however the process ends,
 * and knows no PID namespaces.
 *
 * @returns false when another has it
 * @throws {SyscallError}
 */
export function lockFile(fd: number): boolean {
  try {
    flock(fd, LOCK_EX | LOCK_NB);
    return true;
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return false; // the same number as EWOULDBLOCK
    throw error;
  }
}
