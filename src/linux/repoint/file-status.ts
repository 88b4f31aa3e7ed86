import { bindSyscall } from '../libc.ts';
import { isErrno } from '../syscall-error.ts';

/*
 * What a file is, and on which mount it lies: statx(2), include/uapi/linux/stat.h. As a rule its file system is not
 * asked (AT_STATX_DONT_SYNC): the kernel answers with what it knows, so that a FUSE server that is dead or slow holds
 * nobody up.
 */

const statx = bindSyscall('statx', ['int', 'string', 'int', 'uint', 'pointer']);

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const AT_STATX_DONT_SYNC = 0x4000;
const STATX_BASIC_STATS = 0x07ff;
/** Linux 5.8. */
const STATX_MNT_ID = 0x1000;

/** struct statx, and where it keeps what is asked for. */
const STATX_SIZE = 256;
const STX_MASK = 0;
const STX_NLINK = 16;
const STX_MODE = 28;
const STX_INO = 32;
const STX_SIZE = 40;
const STX_DEV_MAJOR = 136;
const STX_DEV_MINOR = 140;
const STX_MNT_ID = 144;

export type FileKind =
  | 'regular'
  | 'directory'
  | 'symlink'
  | 'fifo'
  | 'socket'
  | 'character-device'
  | 'block-device'
  | 'other';

/** S_IFMT of st_mode: include/uapi/linux/stat.h. */
const kindByFormat: ReadonlyMap<number, FileKind> = new Map([
  [0o010000, 'fifo'],
  [0o020000, 'character-device'],
  [0o040000, 'directory'],
  [0o060000, 'block-device'],
  [0o100000, 'regular'],
  [0o120000, 'symlink'],
  [0o140000, 'socket'],
]);
const S_IFMT = 0o170000;

export interface FileStatus {
  readonly kind: FileKind;
  readonly inode: bigint;
  /** `major:minor` as stat(2) has it: for FUSE and btrfs another number than that of the disk. */
  readonly device: string;
  /** Hard links. On FUSE this and the size may be out of date. */
  readonly links: number;
  /** In bytes. */
  readonly size: number;
  readonly mountId: number;
}

export interface StatusOptions {
  /** Ask the file system, and wait for its answer. */
  readonly ask?: boolean;
  /** A symbolic link in the last place is looked at itself; not for the links of /proc, which mean a file. */
  readonly keepLink?: boolean;
}

/** What an open file is. @throws SyscallError EBADF; ENOTCONN: asked, and the FUSE server is dead */
export function statusOf(fd: number, options: StatusOptions = {}): FileStatus {
  return look(fd, '', AT_EMPTY_PATH, options);
}

/**
 * What stands at a path, mostly a link of /proc; undefined when nothing does, or when the kernel has given up the file
 * (EIO and its like though nobody was asked), so that nothing can be told of it.
 *
 * @throws SyscallError as stat(2)
 */
export function statusAt(path: string, options: StatusOptions = {}): FileStatus | undefined {
  try {
    return look(AT_FDCWD, path, options.keepLink === true ? AT_SYMLINK_NOFOLLOW : 0, options);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    if (isErrno(error, 'EIO', 'ESTALE', 'ENOTCONN') && options.ask !== true) return undefined;
    throw error;
  }
}

const result = Buffer.alloc(STATX_SIZE);

function look(fd: number, path: string, flags: number, { ask = false }: StatusOptions): FileStatus {
  statx(fd, path, flags | (ask ? 0 : AT_STATX_DONT_SYNC), STATX_BASIC_STATS | STATX_MNT_ID, result);
  const knowsMount = (result.readUInt32LE(STX_MASK) & STATX_MNT_ID) !== 0;
  return {
    kind: kindByFormat.get(result.readUInt16LE(STX_MODE) & S_IFMT) ?? 'other',
    inode: result.readBigUInt64LE(STX_INO),
    device: `${result.readUInt32LE(STX_DEV_MAJOR)}:${result.readUInt32LE(STX_DEV_MINOR)}`,
    links: result.readUInt32LE(STX_NLINK),
    size: Number(result.readBigUInt64LE(STX_SIZE)),
    mountId: knowsMount ? Number(result.readBigUInt64LE(STX_MNT_ID)) : -1,
  };
}
