import { bindUnchecked } from '../../../src/linux/libc.ts';
import { AT_FDCWD, F_GETFL, F_SETFL, F_SETLEASE, O_CLOEXEC } from './abi.ts';
import { type Bytes, filled, forgotten, kernel, noted } from './kernel.ts';
import { type Lock, decodeLock, encodeLock } from './structs.ts';

/* System calls on open files: what they hold, their locks, their maps. */

const native = {
  close: kernel('close', ['int']),
  dup: kernel('dup', ['int']),
  openat: kernel('openat', ['int', 'string', 'int', 'uint']),
  read: kernel('read', ['int', 'pointer', 'size_t'], 'long'),
  write: kernel('write', ['int', 'pointer', 'size_t'], 'long'),
  pread: kernel('pread', ['int', 'pointer', 'size_t', 'long'], 'long'),
  pwrite: kernel('pwrite', ['int', 'pointer', 'size_t', 'long'], 'long'),
  fcntlNumber: kernel('fcntl', ['int', 'int', 'long']),
  fcntlPointer: kernel('fcntl', ['int', 'int', 'pointer']),
  pipe: kernel('pipe2', ['pointer', 'int']),
  mmap: kernel('mmap', ['ulong', 'size_t', 'int', 'int', 'int', 'long'], 'long'),
  munmap: kernel('munmap', ['ulong', 'size_t']),
  msync: kernel('msync', ['ulong', 'size_t', 'int']),
  copyMemoryIn: bindUnchecked('memcpy', 'long', ['pointer', 'ulong', 'size_t']),
  copyMemoryOut: bindUnchecked('memcpy', 'long', ['ulong', 'pointer', 'size_t']),
  posixFadvise: bindUnchecked('posix_fadvise', 'int', ['int', 'long', 'long', 'int']),
  copyFileRange: kernel('copy_file_range', ['int', 'pointer', 'int', 'pointer', 'size_t', 'uint'], 'long'),
  sendfile: kernel('sendfile', ['int', 'int', 'pointer', 'size_t'], 'long'),
  splice: kernel('splice', ['int', 'pointer', 'int', 'pointer', 'size_t', 'uint'], 'long'),
  pwritev2: kernel('pwritev2', ['int', 'pointer', 'int', 'long', 'int'], 'long'),
};

const preadAddress = kernel('pread', ['int', 'ulong', 'size_t', 'long'], 'long');
const pwriteAddress = kernel('pwrite', ['int', 'ulong', 'size_t', 'long'], 'long');

function offsetBytes(offset: number | undefined): Buffer | null {
  if (offset === undefined) return null;
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(offset));
  return bytes;
}

export const openAndClose = {
  /** Closed on exec, so that no process that a test starts has it too. */
  open: (path: string, flags: number, mode = 0o644, dir = AT_FDCWD): number =>
    noted(native.openat(dir, path, flags | O_CLOEXEC, mode)),
  close: (fd: number): number => native.close(forgotten(fd)),
  dup: (fd: number): number => noted(native.dup(fd)),
  flags: (fd: number): number => native.fcntlNumber(fd, F_GETFL, 0),
  setFlags: (fd: number, flags: number): number => native.fcntlNumber(fd, F_SETFL, flags),
  setLease: (fd: number, type: number): number => native.fcntlNumber(fd, F_SETLEASE, type),
  /** @returns the ends for reading and for writing */
  pipe: (): readonly [number, number] => {
    const ends = Buffer.alloc(8);
    native.pipe(ends, O_CLOEXEC);
    return [noted(ends.readInt32LE(0)), noted(ends.readInt32LE(4))];
  },
};

export const data = {
  read: (fd: number, size: number): Bytes => {
    const bytes = Buffer.alloc(size);
    return filled(bytes, native.read(fd, bytes, size));
  },
  pread: (fd: number, size: number, offset: number): Bytes => {
    const bytes = Buffer.alloc(size);
    return filled(bytes, native.pread(fd, bytes, size, offset));
  },
  write: (fd: number, bytes: string | Uint8Array): number => {
    const memory = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    return native.write(fd, memory, memory.byteLength);
  },
  pwrite: (fd: number, bytes: string | Uint8Array, offset: number): number => {
    const memory = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    return native.pwrite(fd, memory, memory.byteLength, offset);
  },
  /** One buffer, with RWF_ flags. */
  pwritev2: (fd: number, address: number, size: number, offset: number, flags: number): number => {
    const vector = Buffer.alloc(16);
    vector.writeBigUInt64LE(BigInt(address), 0);
    vector.writeBigUInt64LE(BigInt(size), 8);
    return native.pwritev2(fd, vector, 1, offset, flags);
  },
  lseek: kernel('lseek', ['int', 'long', 'int'], 'long'),
  truncate: kernel('truncate', ['string', 'long']),
  ftruncate: kernel('ftruncate', ['int', 'long']),
  fallocate: kernel('fallocate', ['int', 'int', 'long', 'long']),
  fsync: kernel('fsync', ['int']),
  fdatasync: kernel('fdatasync', ['int']),
  syncfs: kernel('syncfs', ['int']),
  syncFileRange: kernel('sync_file_range', ['int', 'long', 'long', 'uint']),
  fadvise: (fd: number, offset: number, length: number, advice: number): number =>
    0 - native.posixFadvise(fd, offset, length, advice),
  /** Without offsets the positions of the descriptors are used and moved. */
  copyFileRange: (
    from: number,
    fromAt: number | undefined,
    to: number,
    toAt: number | undefined,
    size: number,
  ): number => native.copyFileRange(from, offsetBytes(fromAt), to, offsetBytes(toAt), size, 0),
  sendfile: (to: number, from: number, offset: number | undefined, size: number): number =>
    native.sendfile(to, from, offsetBytes(offset), size),
  splice: (from: number, fromAt: number | undefined, to: number, toAt: number | undefined, size: number): number =>
    native.splice(from, offsetBytes(fromAt), to, offsetBytes(toAt), size, 0),
};

export const locks = {
  flock: kernel('flock', ['int', 'int']),
  lock: (fd: number, command: number, type: number, start = 0, length = 0): number =>
    native.fcntlPointer(fd, command, encodeLock(type, start, length)),
  getLock: (fd: number, command: number, type: number, start = 0, length = 0): Lock | number => {
    const bytes = encodeLock(type, start, length);
    const failed = native.fcntlPointer(fd, command, bytes);
    return failed < 0 ? failed : decodeLock(bytes);
  },
};

export const memory = {
  mmap: (fd: number, size: number, protection: number, flags: number, offset = 0): number =>
    native.mmap(0, size, protection, flags, fd, offset),
  munmap: native.munmap,
  msync: native.msync,
  peek: (address: number, size: number): Buffer => {
    const bytes = Buffer.alloc(size);
    native.copyMemoryIn(bytes, address, size);
    return bytes;
  },
  poke: (address: number, bytes: string | Uint8Array): void => {
    const from = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    native.copyMemoryOut(address, from, from.byteLength);
  },
  /** Memory of its own at a page's boundary, as O_DIRECT wants it. */
  allocate: (size: number): number => native.mmap(0, size, 3, 0x22, -1, 0),
  preadInto: (fd: number, address: number, size: number, offset: number): number =>
    preadAddress(fd, address, size, offset),
  pwriteFrom: (fd: number, address: number, size: number, offset: number): number =>
    pwriteAddress(fd, address, size, offset),
};
