/**
 * Reading the files of /proc/PID, fast: five thousand processes must be looked through in a few dozen milliseconds.
 *
 * open, read and close are called directly, into one reused buffer. A process that is gone is an answer, not an
 * exception: processes vanish all the time while /proc is walked.
 */
import { errnoName } from '../errno.ts';
import { bindUnchecked, lastErrno } from '../libc.ts';
import { SyscallError } from '../syscall-error.ts';

/** A process by its number, or the one that asks. */
export type ProcessRef = number | 'self';

const open = bindUnchecked('open', 'int', ['pointer', 'int']);
const read = bindUnchecked('read', 'long', ['int', 'pointer', 'size_t']);
const close = bindUnchecked('close', 'int', ['int']);

/** O_RDONLY is 0: include/uapi/asm-generic/fcntl.h. */
const O_CLOEXEC = 0o2000000;

/** The longest name is `/proc/<pid>/task/<tid>/<file>`. */
const cName = Buffer.alloc(128);
/** Larger than any file that the kernel makes in one piece. */
let buffer = Buffer.alloc(16 * 1024);

/**
 * A file of /proc/PID that the kernel makes in one piece (stat, comm, status), with a single read(2).
 *
 * @returns a view of a buffer that the next read overwrites; undefined when the process is gone
 * @throws SyscallError EACCES or EPERM: the file is not ours to read
 */
export function readProcessRecord(process: ProcessRef, file: string): Buffer | undefined {
  const name = nameOf(process, file);
  const fd = openFile(name);
  if (fd === undefined) return undefined;
  const length = readInto(buffer, fd);
  if (length === -1) return closeFailed(fd, name);
  close(fd);
  return buffer.subarray(0, length);
}

/**
 * A file of /proc/PID of any length (cmdline, mountinfo, cgroup), read to its end.
 *
 * @returns a view of a buffer that the next read overwrites; undefined when the process is gone
 * @throws SyscallError EACCES or EPERM: the file is not ours to read
 */
export function readProcessFile(process: ProcessRef, file: string): Buffer | undefined {
  const name = nameOf(process, file);
  const fd = openFile(name);
  if (fd === undefined) return undefined;
  let length = 0;
  for (;;) {
    const count = readInto(buffer.subarray(length), fd);
    if (count === -1) return closeFailed(fd, name);
    // A short read is not yet the end: the kernel hands out whole lines.
    if (count === 0) break;
    length += count;
    if (length === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
  }
  close(fd);
  return buffer.subarray(0, length);
}

function nameOf(process: ProcessRef, file: string): string {
  return `/proc/${process}/${file}`;
}

function openFile(name: string): number | undefined {
  cName[cName.write(name, 0, cName.length - 1, 'latin1')] = 0;
  const fd = open(cName, O_CLOEXEC);
  return fd === -1 ? unlessGone('open', name) : fd;
}

function readInto(memory: Buffer, fd: number): number {
  return read(fd, memory, memory.length);
}

/** After a failed read: closes, and undefined where that means that the process is gone. */
function closeFailed(fd: number, name: string): undefined {
  try {
    return unlessGone('read', name);
  } finally {
    close(fd);
  }
}

/** ENOENT: there is no such process any more; ESRCH: it went between open and read. */
function unlessGone(syscall: string, name: string): undefined {
  const errno = lastErrno();
  const gone = errnoName(errno);
  if (gone === 'ENOENT' || gone === 'ESRCH') return undefined;
  throw new SyscallError(syscall, errno, name);
}
