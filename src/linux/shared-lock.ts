import { bindFunction } from './libc.ts';
import { F_OFD_GETLK, F_OFD_SETLK, F_RDLCK, F_UNLCK, F_WRLCK, FLOCK_SIZE } from './record-lock.ts';

/*
 * Locks that any number of processes hold at once, and that others can ask about without taking them: record locks of
 * open file descriptions, fcntl(2), Linux 3.15. The kernel lets go of one when its descriptor is closed, however the
 * process ends.
 */

const fcntl = bindFunction('fcntl', 'int', ['int', 'int', 'pointer']);

/** A struct flock: beside its type all is nought, which is the whole file. */
function wholeFile(type: number): Buffer {
  const lock = Buffer.alloc(FLOCK_SIZE);
  lock.writeInt16LE(type, 0);
  return lock;
}

/**
 * Take a shared lock on a file that is open for reading. Nobody is kept waiting by it, nor by {@link isLocked}.
 *
 * @throws {SyscallError}
 */
export function lockShared(fd: number): void {
  fcntl(fd, F_OFD_SETLK, wholeFile(F_RDLCK));
}

/** Has another descriptor a lock on this file? @throws {SyscallError} */
export function isLocked(fd: number): boolean {
  const lock = wholeFile(F_WRLCK);
  fcntl(fd, F_OFD_GETLK, lock);
  return lock.readInt16LE(0) !== F_UNLCK;
}
