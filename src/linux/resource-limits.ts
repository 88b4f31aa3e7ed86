import { bindFunction } from './libc.ts';
import { isErrno } from './syscall-error.ts';

const prlimit = bindFunction('prlimit', 'int', ['int', 'int', 'pointer', 'pointer']);

/** include/uapi/asm-generic/resource.h */
export const Resource = { FSIZE: 1, NOFILE: 7 } as const;

const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

/** The calling process. */
const SELF = 0;

/** struct rlimit64: the soft limit and the hard one, eight bytes each. `Infinity` is none. */
export function encodeLimits(soft: number, hard: number): Buffer {
  const limits = Buffer.alloc(16);
  for (const [index, limit] of [soft, hard].entries()) {
    limits.writeBigUInt64LE(limit === Number.POSITIVE_INFINITY ? RLIM_INFINITY : BigInt(limit), index * 8);
  }
  return limits;
}

/**
 * Sets the limits of a process: prlimit(2).
 *
 * @throws SyscallError EPERM: above its hard limit without CAP_SYS_RESOURCE, or above /proc/sys/fs/nr_open; ESRCH
 */
export function setLimits(pid: number, resource: number, soft: number, hard: number): void {
  prlimit(pid, resource, encodeLimits(soft, hard), null);
}

/**
 * Lets this process write files of any size: what others write through it is held to their own limits. Where that is
 * not allowed, the limit stays.
 */
export function liftFileSizeLimit(): void {
  try {
    setLimits(SELF, Resource.FSIZE, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  } catch (error) {
    if (!isErrno(error, 'EPERM')) throw error;
  }
}
