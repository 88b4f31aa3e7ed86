import { AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, FICLONE } from './abi.ts';
import { type Bytes, filled, kernel } from './kernel.ts';
import {
  type Entry,
  type Stat,
  type StatFs,
  decodeEntries,
  decodeStatFs,
  decodeStatx,
  encodeTimes,
  statFsSize,
  statxBasicAndBirth,
  statxSize,
} from './structs.ts';

/* System calls on names and attributes. */

const native = {
  statx: kernel('statx', ['int', 'string', 'int', 'uint', 'pointer']),
  statfs: kernel('statfs', ['string', 'pointer']),
  readlinkat: kernel('readlinkat', ['int', 'string', 'pointer', 'size_t'], 'long'),
  utimensat: kernel('utimensat', ['int', 'string', 'pointer', 'int']),
  futimens: kernel('futimens', ['int', 'pointer']),
  getdents: kernel('getdents64', ['int', 'pointer', 'size_t'], 'long'),
  setxattr: kernel('setxattr', ['string', 'string', 'pointer', 'size_t', 'int']),
  lsetxattr: kernel('lsetxattr', ['string', 'string', 'pointer', 'size_t', 'int']),
  fsetxattr: kernel('fsetxattr', ['int', 'string', 'pointer', 'size_t', 'int']),
  getxattr: kernel('getxattr', ['string', 'string', 'pointer', 'size_t'], 'long'),
  lgetxattr: kernel('lgetxattr', ['string', 'string', 'pointer', 'size_t'], 'long'),
  fgetxattr: kernel('fgetxattr', ['int', 'string', 'pointer', 'size_t'], 'long'),
  listxattr: kernel('listxattr', ['string', 'pointer', 'size_t'], 'long'),
  ioctl: kernel('ioctl', ['int', 'ulong', 'pointer']),
  ioctlNumber: kernel('ioctl', ['int', 'ulong', 'long']),
  getcwd: kernel('syscall', ['long', 'pointer', 'size_t'], 'long'),
};

const mkdirat = kernel('mkdirat', ['int', 'string', 'uint']);
const mknodat = kernel('mknodat', ['int', 'string', 'uint', 'ulong']);
const unlinkat = kernel('unlinkat', ['int', 'string', 'int']);
const symlinkat = kernel('symlinkat', ['string', 'int', 'string']);
const linkat = kernel('linkat', ['int', 'string', 'int', 'string', 'int']);
const renameat2 = kernel('renameat2', ['int', 'string', 'int', 'string', 'uint']);
const fchmodat = kernel('fchmodat', ['int', 'string', 'uint', 'int']);
const fchownat = kernel('fchownat', ['int', 'string', 'uint', 'uint', 'int']);
const faccessat = kernel('faccessat', ['int', 'string', 'int', 'int']);

const statBuffer = Buffer.alloc(statxSize);

export const names = {
  mkdir: (path: string, mode = 0o755, dir = AT_FDCWD): number => mkdirat(dir, path, mode),
  mknod: (path: string, mode: number, device = 0): number => mknodat(AT_FDCWD, path, mode, device),
  unlink: (path: string, dir = AT_FDCWD): number => unlinkat(dir, path, 0),
  rmdir: (path: string, dir = AT_FDCWD): number => unlinkat(dir, path, AT_REMOVEDIR),
  symlink: (target: string, path: string, dir = AT_FDCWD): number => symlinkat(target, dir, path),
  readlink: (path: string, size = 4096, dir = AT_FDCWD): string | number => {
    const bytes = Buffer.alloc(size);
    const count = native.readlinkat(dir, path, bytes, size);
    return count < 0 ? count : bytes.toString('utf8', 0, count);
  },
  link: (from: string, to: string): number => linkat(AT_FDCWD, from, AT_FDCWD, to, 0),
  linkAt: (fromDir: number, from: string, toDir: number, to: string, flags: number): number =>
    linkat(fromDir, from, toDir, to, flags),
  rename: (from: string, to: string, flags = 0): number => renameat2(AT_FDCWD, from, AT_FDCWD, to, flags),
  renameAt: (fromDir: number, from: string, toDir: number, to: string): number =>
    renameat2(fromDir, from, toDir, to, 0),
  /** The entries of one getdents64(2): as many as fit into `size` bytes. */
  entries: (fd: number, size = 32_768): Entry[] | number => {
    const bytes = Buffer.alloc(size);
    const count = native.getdents(fd, bytes, size);
    return count < 0 ? count : decodeEntries(bytes.subarray(0, count));
  },
  chdir: kernel('chdir', ['string']),
  fchdir: kernel('fchdir', ['int']),
  getcwd: (): string | number => {
    const bytes = Buffer.alloc(4096);
    const number = process.arch === 'arm64' ? 17 : 79;
    const count = native.getcwd(number, bytes, bytes.length);
    return count < 0 ? count : bytes.toString('utf8', 0, count - 1);
  },
};

/** What `chown` takes for an owner who is to stay. */
const unchanged = 0xffffffff;

export const attributes = {
  stat: (path: string, flags = 0, dir = AT_FDCWD): Stat | number => {
    const failed = native.statx(dir, path, flags, statxBasicAndBirth, statBuffer);
    return failed < 0 ? failed : decodeStatx(statBuffer);
  },
  lstat: (path: string): Stat | number => attributes.stat(path, AT_SYMLINK_NOFOLLOW),
  fstat: (fd: number): Stat | number => attributes.stat('', AT_EMPTY_PATH, fd),
  statfs: (path: string): StatFs | number => {
    const bytes = Buffer.alloc(statFsSize);
    const failed = native.statfs(path, bytes);
    return failed < 0 ? failed : decodeStatFs(bytes);
  },
  chmod: (path: string, mode: number): number => fchmodat(AT_FDCWD, path, mode, 0),
  fchmod: kernel('fchmod', ['int', 'uint']),
  chown: (path: string, uid = unchanged, gid = unchanged, flags = 0): number =>
    fchownat(AT_FDCWD, path, uid, gid, flags),
  fchown: kernel('fchown', ['int', 'uint', 'uint']),
  /** Times in ns since 1970, or UTIME_NOW, UTIME_OMIT as numbers. */
  utimes: (path: string, atime: bigint | number, mtime: bigint | number, flags = 0): number =>
    native.utimensat(AT_FDCWD, path, encodeTimes(atime, mtime), flags),
  futimes: (fd: number, atime: bigint | number, mtime: bigint | number): number =>
    native.futimens(fd, encodeTimes(atime, mtime)),
  /** Both to now, which whoever may write may do. */
  touch: (path: string): number => native.utimensat(AT_FDCWD, path, null, 0),
  access: (path: string, mode: number, flags = 0): number => faccessat(AT_FDCWD, path, mode, flags),
  umask: kernel('umask', ['uint']),
  ioctlFlags: (fd: number, request: number, flags = 0): number => {
    const bytes = Buffer.alloc(8);
    bytes.writeInt32LE(flags);
    const failed = native.ioctl(fd, request, bytes);
    return failed < 0 ? failed : bytes.readInt32LE();
  },
  clone: (to: number, from: number): number => native.ioctlNumber(to, FICLONE, from),
};

export const extended = {
  setxattr: (path: string, name: string, value: string | Uint8Array, flags = 0): number => {
    const bytes = Buffer.from(value);
    return native.setxattr(path, name, bytes, bytes.length, flags);
  },
  lsetxattr: (path: string, name: string, value: string): number =>
    native.lsetxattr(path, name, Buffer.from(value), value.length, 0),
  fsetxattr: (fd: number, name: string, value: string): number =>
    native.fsetxattr(fd, name, Buffer.from(value), value.length, 0),
  getxattr: (path: string, name: string, size = 65_536): Bytes => {
    const bytes = Buffer.alloc(size);
    return filled(bytes, native.getxattr(path, name, bytes, size));
  },
  lgetxattr: (path: string, name: string): Bytes => {
    const bytes = Buffer.alloc(256);
    return filled(bytes, native.lgetxattr(path, name, bytes, bytes.length));
  },
  fgetxattr: (fd: number, name: string): Bytes => {
    const bytes = Buffer.alloc(256);
    return filled(bytes, native.fgetxattr(fd, name, bytes, bytes.length));
  },
  /** How large it is: a read into no bytes at all. */
  xattrSize: (path: string, name: string): number => native.getxattr(path, name, null, 0),
  listxattr: (path: string, size = 65_536): string[] | number => {
    const bytes = Buffer.alloc(size);
    const count = native.listxattr(path, bytes, size);
    return count < 0 ? count : bytes.toString('utf8', 0, count).split('\0').slice(0, -1).toSorted();
  },
  listxattrSize: (path: string): number => native.listxattr(path, null, 0),
  removexattr: kernel('removexattr', ['string', 'string']),
};
