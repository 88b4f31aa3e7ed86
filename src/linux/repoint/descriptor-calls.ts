import { closeSync, constants } from 'node:fs';
import { bindSyscall, bindUnchecked, lastErrno } from '../libc.ts';
import { F_GETLK, F_OFD_GETLK, F_OFD_SETLK, F_RDLCK, F_UNLCK, F_WRLCK, FLOCK_SIZE } from '../record-lock.ts';
import { isErrno, SyscallError, toSyscallError } from '../syscall-error.ts';
import type { AskedRange } from '../fuse/lock-question.ts';
import type { LockLine } from './descriptor-info.ts';

/*
 * Calls on open files: of this process, and fetched from others.
 */

const pidfdOpen = bindSyscall('pidfd_open', ['int', 'uint']);
const pidfdGetfd = bindSyscall('pidfd_getfd', ['int', 'int', 'uint']);
const openat2 = bindSyscall('openat2', ['int', 'pointer', 'pointer', 'size_t']);
const lseek = bindUnchecked('lseek', 'long', ['int', 'long', 'int']);
const flockCall = bindUnchecked('flock', 'int', ['int', 'int']);
// Variadic in C; integers and pointers travel as in plain functions on x86_64 and arm64.
const fcntlNumber = bindUnchecked('fcntl', 'int', ['int', 'int', 'int']);
const fcntlLock = bindUnchecked('fcntl', 'int', ['int', 'int', 'pointer']);

/** include/uapi/linux/pidfd.h; O_EXCL. Linux 6.9. */
const PIDFD_THREAD = 0o200;

/** A hold on one thread, for its own descriptors. @throws SyscallError ESRCH; EINVAL: no main thread, before 6.9 */
export function openThread(tid: number): number {
  try {
    return pidfdOpen(tid, 0);
  } catch (error) {
    // ENOENT since 6.9, EINVAL before: not the main thread of its process.
    if (!isErrno(error, 'EINVAL', 'ENOENT')) throw error;
    return pidfdOpen(tid, PIDFD_THREAD);
  }
}

/** A descriptor of ours for what a thread has open under a number. @throws SyscallError EBADF, ESRCH */
export function fetchDescriptor(threadFd: number, fd: number): number {
  return pidfdGetfd(threadFd, fd, 0);
}

export const O_PATH = 0o10000000;
const O_ASYNC = 0o20000;
const O_CLOEXEC = 0o2000000;
const O_TMPFILE_BIT = 0o20000000;
/** Some have other numbers on arm64 (arch/arm64/include/uapi/asm/fcntl.h); Node knows those of here. */
const { O_APPEND, O_CREAT, O_DIRECT, O_DIRECTORY, O_EXCL, O_NOATIME, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_TRUNC } =
  constants;
/** Those that F_SETFL may change: fcntl(2). */
const SETTABLE = O_APPEND | O_ASYNC | O_DIRECT | O_NOATIME | O_NONBLOCK;

const AT_FDCWD = -100;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_IN_ROOT = 0x10;
/** struct open_how: flags, mode, resolve, eight bytes each. */
const OPEN_HOW_SIZE = 24;
const F_SETFL = 4;

/**
 * Opens a file below a folder as it was opened once, without ever waiting: not for a lease, and not for the other end
 * of a FIFO. No symbolic link is followed, and no `..` leads out.
 *
 * @param relative from the folder, one character a byte; '' for itself
 * @param flags as fdinfo tells them
 * @throws SyscallError as openat2(2); EAGAIN: things were renamed meanwhile, or there is a lease
 */
export function openBelow(rootFd: number, relative: string, flags: number): number {
  const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return openAsBefore(rootFd, relative === '' ? '.' : relative, flagsToReopen(flags), resolve);
}

/** Opens what a link of /proc means as it was opened once, though it may have no name any more. @throws as open(2) */
export function openAgain(link: string, flags: number): number {
  return openAsBefore(AT_FDCWD, link, flagsToReopen(flags) & ~O_NOFOLLOW, 0);
}

/** The flags that a file is opened with again: what made or emptied it once must not do so twice. */
function flagsToReopen(flags: number): number {
  // O_TMPFILE says O_DIRECTORY as well, though it makes no folder.
  const unnamed = (flags & O_TMPFILE_BIT) !== 0 ? O_TMPFILE_BIT | O_DIRECTORY : 0;
  return flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY | unnamed);
}

function openAsBefore(folderFd: number, path: string, flags: number, resolve: number): number {
  // With O_PATH no others are allowed.
  const harmless = (flags & O_PATH) === 0 ? O_NONBLOCK | O_NOCTTY : 0;
  const how = Buffer.alloc(OPEN_HOW_SIZE);
  how.writeBigUInt64LE(BigInt((flags | O_CLOEXEC | harmless) >>> 0), 0);
  how.writeBigUInt64LE(BigInt(resolve), 16);
  const fd = openat2(folderFd, Buffer.from(`${path}\0`, 'latin1'), how, OPEN_HOW_SIZE);
  if (harmless === 0 || (flags & O_NONBLOCK) !== 0) return fd;
  if (fcntlNumber(fd, F_SETFL, flags & SETTABLE) !== -1) return fd;
  const errno = lastErrno();
  closeSync(fd);
  throw new SyscallError('fcntl', errno, 'F_SETFL');
}

/** Changes the flags that may be changed to those of another descriptor. @throws SyscallError */
export function setStatusFlags(fd: number, flags: number): void {
  checked('fcntl', fcntlNumber(fd, F_SETFL, flags & SETTABLE));
}

const SEEK_SET = 0;
const SEEK_CUR = 1;

/** The position of an open file description, in bytes. @throws SyscallError ESPIPE: it has none */
export function positionOf(fd: number): bigint {
  return BigInt(checked('lseek', lseek(fd, 0, SEEK_CUR)));
}

/** @throws SyscallError EINVAL: it cannot have that position */
export function setPosition(fd: number, position: bigint): void {
  checked('lseek', lseek(fd, position, SEEK_SET));
}

function checked(syscall: string, result: number): number {
  if (result === -1) throw new SyscallError(syscall, lastErrno());
  return result;
}

/** include/uapi/asm-generic/fcntl.h */
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;

/** Locks a whole file for its open file description; false when somebody is in the way. flock(2). */
export function tryFlock(fd: number, mode: LockLine['mode']): boolean {
  return flockCall(fd, (mode === 'WRITE' ? LOCK_EX : LOCK_SH) | LOCK_NB) === 0;
}

export function releaseFlock(fd: number): void {
  flockCall(fd, LOCK_UN);
}

/** Offsets in struct flock. */
const L_START = 8;
const L_LEN = 16;
const L_PID = 24;

/** struct flock for fcntl(2). */
export function lockRecord({ mode, start, end }: Pick<LockLine, 'mode' | 'start' | 'end'>, unlock = false): Buffer {
  const record = Buffer.alloc(FLOCK_SIZE);
  record.writeInt16LE(unlock ? F_UNLCK : mode === 'WRITE' ? F_WRLCK : F_RDLCK, 0);
  record.writeBigInt64LE(start, L_START);
  // 0 is to the end of the file, wherever that will be.
  record.writeBigInt64LE(end === undefined ? 0n : end - start + 1n, L_LEN);
  return record;
}

/** Locks a range for the open file description; false when somebody is in the way. F_OFD_SETLK, fcntl(2). */
export function tryRangeLock(fd: number, lock: LockLine): boolean {
  return fcntlLock(fd, F_OFD_SETLK, lockRecord(lock)) === 0;
}

export function releaseRangeLock(fd: number, lock: LockLine): void {
  fcntlLock(fd, F_OFD_SETLK, lockRecord(lock, true));
}

/** A lock for reading that is in the way of one for writing; undefined for none. F_OFD_GETLK, fcntl(2). */
export function findRangeLock(fd: number, range: AskedRange): AskedRange | undefined {
  const record = Buffer.alloc(FLOCK_SIZE);
  record.writeInt16LE(F_WRLCK, 0);
  record.writeBigInt64LE(range.start, L_START);
  record.writeBigInt64LE(range.length, L_LEN);
  if (fcntlLock(fd, F_OFD_GETLK, record) === -1 || record.readInt16LE(0) === F_UNLCK) return undefined;
  return { start: record.readBigInt64LE(L_START), length: record.readBigInt64LE(L_LEN) };
}

/** Who is in the way of a lock of a process: its PID, -1 for an open file description, undefined for nobody. */
export function lockHolder(fd: number, lock: LockLine): number | undefined {
  const record = lockRecord(lock);
  if (fcntlLock(fd, F_GETLK, record) === -1) return undefined;
  return record.readInt16LE(0) === F_UNLCK ? undefined : record.readInt32LE(L_PID);
}

/**
 * Closes a descriptor of a file whose file system may not answer any more: that is what close(2) then tells, and the
 * descriptor is closed all the same.
 *
 * @throws SyscallError EBADF: it was not open
 */
export function closeAnyhow(fd: number): void {
  try {
    closeSync(fd);
  } catch (error) {
    const failure = toSyscallError(error);
    if (isErrno(failure, 'EBADF') || !(failure instanceof SyscallError)) throw failure;
  }
}
