import { getSystemErrorMap } from 'node:util';
import type { ErrorCode } from '../base/error-codes.ts';
import { FaultlineError } from '../base/error.ts';
import { type ErrnoName, errnoName, errnoNumber } from './errno.ts';

/** What `SyscallError.errno` says for a number that has no name in errno(3). */
type UnknownErrno = 'EUNKNOWN';

/**
 * A system call or a libc function that failed, with its errno.
 *
 * EPERM and EACCES carry the code PERMISSION_DENIED, everything else SYSCALL_FAILED.
 */
export class SyscallError extends FaultlineError {
  /** The name of the errno, or `EUNKNOWN`; the number is in `details.errnoNumber`. */
  readonly errno: ErrnoName | UnknownErrno;
  /** The man-page name of the call, as in `pidfd_open`. */
  readonly syscall: string;

  /**
   * @param syscall man-page name of the call
   * @param errnoValue the positive errno
   * @param subject what the call was about, where there is more to say than its name: `/proc/12/stat`
   */
  constructor(syscall: string, errnoValue: number, subject?: string, cause?: unknown) {
    const errno = errnoName(errnoValue) ?? 'EUNKNOWN';
    const denied = errno === 'EPERM' || errno === 'EACCES';
    const code: ErrorCode = denied ? 'PERMISSION_DENIED' : 'SYSCALL_FAILED';
    const about = subject === undefined ? syscall : `${syscall} ${subject}`;
    super(code, `${about}: ${describeErrno(errnoValue)} (${errno === 'EUNKNOWN' ? errnoValue : errno})`, {
      ...(denied ? { hint: 'run it as root, or as the user who owns the process or file' } : {}),
      ...(cause === undefined ? {} : { cause }),
      details: { syscall, errno, errnoNumber: errnoValue },
    });
    this.name = 'SyscallError';
    this.errno = errno;
    this.syscall = syscall;
  }
}

/**
 * Did this error come from a system call that failed with one of these errnos?
 *
 * True for a `SyscallError` and for the errors of Node's own `fs` functions, which carry the name as `code`.
 */
export function isErrno(error: unknown, ...names: readonly ErrnoName[]): boolean {
  const name = error instanceof SyscallError ? error.errno : nodeErrno(error);
  return names.some((wanted) => wanted === name);
}

/** An error of Node's `fs` as the `SyscallError` it stands for; anything else comes back as it was. */
export function toSyscallError(error: unknown): unknown {
  const number = errnoNumber(nodeErrno(error) ?? '');
  if (number === undefined) return error;
  const { syscall, path } = error as NodeJS.ErrnoException;
  return new SyscallError(syscall ?? 'system call', number, path, error);
}

/** The errno of an error of Node's, by its one name: Node says ENOTSUP where the kernel's header says EOPNOTSUPP. */
function nodeErrno(error: unknown): ErrnoName | undefined {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return undefined;
  const number = errnoNumber(error.code);
  return number === undefined ? undefined : errnoName(number);
}

/** libuv's sentence for an errno: `no such process`. */
function describeErrno(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[1] ?? 'failed';
}
