import { bindSyscall } from './libc.ts';
import { isErrno } from './syscall-error.ts';

/**
 * struct pidfd_info, version 0, and its ioctl: include/uapi/linux/pidfd.h (Linux 6.13; exit status since 6.15).
 */
const INFO_SIZE = 64;
const MASK_OFFSET = 0;
const EXIT_CODE_OFFSET = 60;
const INFO_EXIT = 1n << 3n;
/** _IOWR(PIDFS_IOCTL_MAGIC, 11, struct pidfd_info): the size in the number is how the kernel versions the struct. */
const PIDFD_GET_INFO = 0xc040ff0b;

const ioctl = bindSyscall('ioctl', ['int', 'ulong', 'pointer']);
const info = Buffer.alloc(INFO_SIZE);

function getInfo(fd: number): 'answered' | 'gone' | 'unsupported' {
  info.fill(0);
  info.writeBigUInt64LE(INFO_EXIT, MASK_OFFSET);
  try {
    ioctl(fd, PIDFD_GET_INFO, info);
    return 'answered';
  } catch (error) {
    // Reaped, and the kernel kept nothing about it.
    if (isErrno(error, 'ESRCH')) return 'gone';
    // ENOTTY before 6.11, when a pidfd had no ioctl at all; EINVAL where it has others but not this one.
    if (isErrno(error, 'ENOTTY', 'EINVAL')) return 'unsupported';
    throw error;
  }
}

/**
 * The wait status of a process that has been reaped, by whomever, from a pidfd that was opened while it lived.
 *
 * Undefined while it lives or is a zombie, and always before Linux 6.15.
 */
export function reapedWaitStatus(fd: number): number | undefined {
  if (getInfo(fd) !== 'answered') return undefined;
  const answered = info.readBigUInt64LE(MASK_OFFSET);
  return (answered & INFO_EXIT) === 0n ? undefined : info.readInt32LE(EXIT_CODE_OFFSET);
}

/** Does the kernel answer PIDFD_GET_INFO on this pidfd? */
export function answersInfo(fd: number): boolean {
  return getInfo(fd) !== 'unsupported';
}
