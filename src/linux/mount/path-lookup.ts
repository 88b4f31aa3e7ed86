import { closeSync, constants, openSync } from 'node:fs';
import { bindSyscall } from '../libc.ts';
import { isErrno } from '../syscall-error.ts';

/*
 * Opening places without opening what is there: openat2(2), Linux 5.6. include/uapi/linux/openat2.h and
 * include/uapi/asm-generic/fcntl.h.
 */

const openat2 = bindSyscall('openat2', ['int', 'string', 'pointer', 'size_t']);

/** Node tells those flags that architectures number differently. */
const { O_DIRECTORY, O_NOFOLLOW } = constants;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;

/** For `openSync`: a folder, without looking into it. For links of /proc (`/proc/12/root`), which openat2 is told to
 * refuse. */
export const FOLDER_PATH_FLAGS = O_PATH | O_CLOEXEC | O_DIRECTORY;

const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_IN_ROOT = 0x10;

/** struct open_how: flags, mode, resolve, eight bytes each. */
const OPEN_HOW_SIZE = 24;

const MAX_TRIES = 32;

/** What may stand at the end of the path. */
export interface LookupOptions {
  /** Only a folder: ENOTDIR otherwise. */
  readonly folder?: boolean;
  /** A symbolic link in the last place is opened itself. Links before it are followed. */
  readonly keepLink?: boolean;
}

/**
 * Opens a place with O_PATH, as a process with that root folder would find it: `/` and absolute links begin at the
 * root, `..` does not leave it. What stands there is not touched, so that no file system is asked about it.
 *
 * @param rootFd an open folder: of `/proc/PID/root`, for what that process sees
 * @throws SyscallError ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EACCES; EXDEV or ELOOP: by way of a link of /proc;
 *   EAGAIN: something was renamed meanwhile
 */
export function openInRoot(rootFd: number, path: string, options: LookupOptions = {}): number {
  const flags =
    O_PATH | O_CLOEXEC | (options.folder === true ? O_DIRECTORY : 0) | (options.keepLink === true ? O_NOFOLLOW : 0);
  const how = Buffer.alloc(OPEN_HOW_SIZE);
  how.writeBigUInt64LE(BigInt(flags), 0);
  how.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), 16);
  for (let tries = 1; ; tries += 1) {
    try {
      return openat2(rootFd, path, how, OPEN_HOW_SIZE);
    } catch (error) {
      // Something, somewhere on the host, was renamed just when a link led upward: the kernel says to try again.
      if (tries === MAX_TRIES || !isErrno(error, 'EAGAIN')) throw error;
    }
  }
}

/**
 * A folder as a process sees it, opened with O_PATH.
 *
 * @throws SyscallError as {@link openInRoot}; Error ENOENT, EACCES: the process is gone, or not ours to look at
 */
export function openFolderOf(pid: number, path: string): number {
  const root = openSync(`/proc/${pid}/root`, FOLDER_PATH_FLAGS);
  try {
    return openInRoot(root, path, { folder: true });
  } finally {
    closeSync(root);
  }
}
