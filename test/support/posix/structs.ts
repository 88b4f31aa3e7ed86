import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from './abi.ts';

/*
 * Structures of the kernel that tests of a file system read and write, little-endian as x86_64 and arm64 have them.
 */

export type FileType = 'file' | 'dir' | 'symlink' | 'fifo' | 'socket' | 'char' | 'block' | 'unknown';

const typeOfMode: ReadonlyMap<number, FileType> = new Map([
  [S_IFREG, 'file'],
  [S_IFDIR, 'dir'],
  [S_IFLNK, 'symlink'],
  [S_IFIFO, 'fifo'],
  [S_IFSOCK, 'socket'],
  [S_IFCHR, 'char'],
  [S_IFBLK, 'block'],
]);

export interface Stat {
  readonly type: FileType;
  /** The twelve bits of permission, as `chmod` takes them: 0o4755. */
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Of 512 bytes. */
  readonly blocks: number;
  readonly blockSize: number;
  readonly inode: bigint;
  /** `major:minor`, of a device file. */
  readonly rdev: string;
  /** `major:minor` of the file system. */
  readonly device: string;
  /** Times in ns since 1970. */
  readonly atime: bigint;
  readonly mtime: bigint;
  readonly ctime: bigint;
  /** Birth; undefined where the file system does not tell it. */
  readonly btime: bigint | undefined;
}

export const statxSize = 256;
/** STATX_BASIC_STATS | STATX_BTIME; and as a bit alone. include/uapi/linux/stat.h */
export const statxBasicAndBirth = 0xfff;
const STATX_BTIME = 0x800;

/** struct statx_timestamp { __s64 tv_sec; __u32 tv_nsec; } in ns. */
function timestampAt(bytes: Buffer, offset: number): bigint {
  return bytes.readBigInt64LE(offset) * 1_000_000_000n + BigInt(bytes.readUInt32LE(offset + 8));
}

/** struct statx, include/uapi/linux/stat.h */
export function decodeStatx(bytes: Buffer): Stat {
  const mode = bytes.readUInt16LE(28);
  return {
    type: typeOfMode.get(mode & S_IFMT) ?? 'unknown',
    mode: mode & 0o7777,
    links: bytes.readUInt32LE(16),
    uid: bytes.readUInt32LE(20),
    gid: bytes.readUInt32LE(24),
    size: Number(bytes.readBigUInt64LE(40)),
    blocks: Number(bytes.readBigUInt64LE(48)),
    blockSize: bytes.readUInt32LE(4),
    inode: bytes.readBigUInt64LE(32),
    rdev: `${bytes.readUInt32LE(128)}:${bytes.readUInt32LE(132)}`,
    device: `${bytes.readUInt32LE(136)}:${bytes.readUInt32LE(140)}`,
    atime: timestampAt(bytes, 64),
    btime: (bytes.readUInt32LE(0) & STATX_BTIME) === 0 ? undefined : timestampAt(bytes, 80),
    ctime: timestampAt(bytes, 96),
    mtime: timestampAt(bytes, 112),
  };
}

/** Numbers of a file system: statfs(2). Its flags are those of the mount. */
export interface StatFs {
  readonly type: number;
  readonly blockSize: number;
  readonly blocks: number;
  readonly blocksFree: number;
  readonly files: number;
  readonly filesFree: number;
  readonly nameLength: number;
  readonly fragmentSize: number;
  readonly flags: number;
}

export const statFsSize = 120;

/** struct statfs of 64-bit architectures, include/uapi/asm-generic/statfs.h */
export function decodeStatFs(bytes: Buffer): StatFs {
  const word = (index: number): number => Number(bytes.readBigInt64LE(index * 8));
  return {
    type: word(0),
    blockSize: word(1),
    blocks: word(2),
    blocksFree: word(3),
    files: word(5),
    filesFree: word(6),
    nameLength: word(8),
    fragmentSize: word(9),
    flags: word(10),
  };
}

export interface Entry {
  readonly name: string;
  readonly inode: bigint;
  /** Where the next entry is: what telldir(3) tells after this one. */
  readonly next: bigint;
  readonly type: FileType;
}

/** struct linux_dirent64 one after the other, include/linux/dirent.h; d_type is the type of st_mode shifted by 12. */
export function decodeEntries(bytes: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt16LE(at + 16);
    const end = bytes.indexOf(0, at + 19);
    entries.push({
      name: bytes.toString('utf8', at + 19, end),
      inode: bytes.readBigUInt64LE(at),
      next: bytes.readBigInt64LE(at + 8),
      type: typeOfMode.get(bytes.readUInt8(at + 18) << 12) ?? 'unknown',
    });
    at += length;
  }
  return entries;
}

/** struct timespec[2]: seconds and nanoseconds of atime and mtime; utimensat(2). */
export function encodeTimes(atime: bigint | number, mtime: bigint | number): Buffer {
  const bytes = Buffer.alloc(32);
  for (const [offset, time] of [
    [0, atime],
    [16, mtime],
  ] as const) {
    // A number is UTIME_NOW or UTIME_OMIT, which stand in place of the nanoseconds.
    const special = typeof time === 'number';
    const seconds = special ? 0n : (time - (((time % billion) + billion) % billion)) / billion;
    bytes.writeBigInt64LE(seconds, offset);
    bytes.writeBigInt64LE(special ? BigInt(time) : time - seconds * billion, offset + 8);
  }
  return bytes;
}
const billion = 1_000_000_000n;

export interface Lock {
  readonly type: number;
  readonly start: number;
  readonly length: number;
  readonly pid: number;
}

/** struct flock of 64-bit architectures, counted from the beginning of the file; include/uapi/asm-generic/fcntl.h */
export function encodeLock(type: number, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeInt16LE(type, 0);
  bytes.writeBigInt64LE(BigInt(start), 8);
  bytes.writeBigInt64LE(BigInt(length), 16);
  return bytes;
}

export function decodeLock(bytes: Buffer): Lock {
  return {
    type: bytes.readInt16LE(0),
    start: Number(bytes.readBigInt64LE(8)),
    length: Number(bytes.readBigInt64LE(16)),
    pid: bytes.readInt32LE(24),
  };
}

/** include/uapi/linux/posix_acl.h */
export const aclTags = { user: 0x02, group: 0x08, owner: 0x01, owningGroup: 0x04, mask: 0x10, other: 0x20 } as const;

export interface AclEntry {
  readonly tag: keyof typeof aclTags;
  /** read 4, write 2, execute 1 */
  readonly permissions: number;
  /** Of `user` and `group`. */
  readonly id?: number;
}

/** The value of system.posix_acl_access and _default: version 2, then tag, permissions and id of each entry. */
export function encodeAcl(entries: readonly AclEntry[]): Buffer {
  const bytes = Buffer.alloc(4 + entries.length * 8);
  bytes.writeUInt32LE(2, 0);
  for (const [index, { tag, permissions, id = 0xffffffff }] of entries.entries()) {
    bytes.writeUInt16LE(aclTags[tag], 4 + index * 8);
    bytes.writeUInt16LE(permissions, 6 + index * 8);
    bytes.writeUInt32LE(id, 8 + index * 8);
  }
  return bytes;
}

/** The value of security.capability, revision 2, with one capability that is permitted and effective. */
export function encodeCapability(capability: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt32LE(0x02000001, 0);
  bytes.writeUInt32LE(2 ** capability, 4);
  return bytes;
}

export interface Notice {
  readonly mask: number;
  readonly name: string;
}

/** struct inotify_event one after the other, include/uapi/linux/inotify.h */
export function decodeNotices(bytes: Buffer): Notice[] {
  const notices: Notice[] = [];
  for (let at = 0; at + 16 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 12);
    const name = bytes.toString('utf8', at + 16, at + 16 + length);
    notices.push({ mask: bytes.readUInt32LE(at + 4), name: name.replaceAll('\0', '') });
    at += 16 + length;
  }
  return notices;
}
