/**
 * Structures of include/uapi/linux/fuse.h, and of the system calls below it, as offsets.
 *
 * A structure is written down as its fields with their sizes in bytes; what comes of it are the fields' places in words
 * of 32 bits, as all of ours are aligned to that. A field of eight bytes is two words, the low one first: both
 * architectures are little-endian. `bytes` is sizeof(3).
 */

type Size = 4 | 8;

type Layout<Field extends string> = Readonly<Record<Field, number>> & {
  /** The size of the whole, in bytes. */
  readonly bytes: number;
};

function layout<const Fields extends Readonly<Record<string, Size>>>(fields: Fields): Layout<string & keyof Fields> {
  const offsets: Record<string, number> = {};
  let bytes = 0;
  for (const [field, size] of Object.entries(fields)) {
    offsets[field] = bytes / 4;
    bytes += size;
  }
  return Object.freeze({ ...offsets, bytes }) as Layout<string & keyof Fields>;
}

const u32 = 4;
const u64 = 8;

/** struct fuse_in_header: what each request begins with. The low half of `extensions` is total_extlen. */
export const inHeader = layout({
  len: u32,
  opcode: u32,
  unique: u64,
  nodeid: u64,
  uid: u32,
  gid: u32,
  pid: u32,
  ext: u32,
});

/** struct fuse_out_header: what each answer begins with. `error` is 0 or negative; of a notification its code. */
export const outHeader = layout({ len: u32, error: u32, unique: u64 });

/** struct fuse_attr. */
export const attr = layout({
  ino: u64,
  size: u64,
  blocks: u64,
  atime: u64,
  mtime: u64,
  ctime: u64,
  atimensec: u32,
  mtimensec: u32,
  ctimensec: u32,
  mode: u32,
  nlink: u32,
  uid: u32,
  gid: u32,
  rdev: u32,
  blksize: u32,
  flags: u32,
});

/** struct fuse_attr_out, up to its attributes. */
export const attrOut = layout({ attr_valid: u64, attr_valid_nsec: u32, dummy: u32 });

/** struct fuse_entry_out, up to its attributes. */
export const entryOut = layout({
  nodeid: u64,
  generation: u64,
  entry_valid: u64,
  attr_valid: u64,
  entry_valid_nsec: u32,
  attr_valid_nsec: u32,
});

/** sizeof(struct fuse_entry_out). */
export const ENTRY_OUT_BYTES = entryOut.bytes + attr.bytes;

/** struct fuse_init_in. */
export const initIn = layout({ major: u32, minor: u32, max_readahead: u32, flags: u32, flags2: u32 });

/** struct fuse_init_out. `max_background` is the low half of its word, congestion_threshold the high one;
 * `max_pages` the low half of its word, map_alignment the high one. */
export const initOut = layout({
  major: u32,
  minor: u32,
  max_readahead: u32,
  flags: u32,
  max_background: u32,
  max_write: u32,
  time_gran: u32,
  max_pages: u32,
  flags2: u32,
  max_stack_depth: u32,
  request_timeout: u32,
  unused0: u64,
  unused1: u64,
  unused2: u32,
});

export const forgetIn = layout({ nlookup: u64 });
export const batchForgetIn = layout({ count: u32, dummy: u32 });
/** struct fuse_forget_one, as often as `count` says. */
export const forgetOne = layout({ nodeid: u64, nlookup: u64 });
export const getattrIn = layout({ getattr_flags: u32, dummy: u32, fh: u64 });
export const setattrIn = layout({
  valid: u32,
  padding: u32,
  fh: u64,
  size: u64,
  lock_owner: u64,
  atime: u64,
  mtime: u64,
  ctime: u64,
  atimensec: u32,
  mtimensec: u32,
  ctimensec: u32,
  mode: u32,
  unused4: u32,
  uid: u32,
  gid: u32,
  unused5: u32,
});
/** Followed by the name. */
export const mknodIn = layout({ mode: u32, rdev: u32, umask: u32, padding: u32 });
/** Followed by the name. */
export const mkdirIn = layout({ mode: u32, umask: u32 });
/** Followed by the old and the new name. */
export const renameIn = layout({ newdir: u64 });
/** Followed by the old and the new name. */
export const rename2In = layout({ newdir: u64, flags: u32, padding: u32 });
/** Followed by the name. */
export const linkIn = layout({ oldnodeid: u64 });
export const openIn = layout({ flags: u32, open_flags: u32 });
/** CREATE and TMPFILE; followed by the name. */
export const createIn = layout({ flags: u32, mode: u32, umask: u32, open_flags: u32 });
/** `backing_id` is signed. */
export const openOut = layout({ fh: u64, open_flags: u32, backing_id: u32 });
export const releaseIn = layout({ fh: u64, flags: u32, release_flags: u32, lock_owner: u64 });
export const flushIn = layout({ fh: u64, unused: u32, padding: u32, lock_owner: u64 });
/** READ, READDIR, READDIRPLUS. */
export const readIn = layout({
  fh: u64,
  offset: u64,
  size: u32,
  read_flags: u32,
  lock_owner: u64,
  flags: u32,
  padding: u32,
});
/** Followed by the bytes. */
export const writeIn = layout({
  fh: u64,
  offset: u64,
  size: u32,
  write_flags: u32,
  lock_owner: u64,
  flags: u32,
  padding: u32,
});
export const writeOut = layout({ size: u32, padding: u32 });
export const fsyncIn = layout({ fh: u64, fsync_flags: u32, padding: u32 });
/** struct fuse_kstatfs, which is what fuse_statfs_out consists of. */
export const statfsOut = layout({
  blocks: u64,
  bfree: u64,
  bavail: u64,
  files: u64,
  ffree: u64,
  bsize: u32,
  namelen: u32,
  frsize: u32,
  padding: u32,
  spare0: u64,
  spare1: u64,
  spare2: u64,
});
/** With FUSE_SETXATTR_EXT; followed by the name and the value. */
export const setxattrIn = layout({ size: u32, flags: u32, setxattr_flags: u32, padding: u32 });
/** FUSE_COMPAT_SETXATTR_IN_SIZE: without FUSE_SETXATTR_EXT. */
export const SETXATTR_IN_COMPAT_BYTES = 8;
/** GETXATTR, LISTXATTR; followed by the name of the former. */
export const getxattrIn = layout({ size: u32, padding: u32 });
export const getxattrOut = layout({ size: u32, padding: u32 });
/** struct fuse_lk_in with its fuse_file_lock. */
export const lkIn = layout({
  fh: u64,
  owner: u64,
  start: u64,
  end: u64,
  type: u32,
  pid: u32,
  lk_flags: u32,
  padding: u32,
});
export const lkOut = layout({ start: u64, end: u64, type: u32, pid: u32 });
export const interruptIn = layout({ unique: u64 });
/** Followed by what is handed to the kernel. */
export const ioctlIn = layout({ fh: u64, flags: u32, cmd: u32, arg: u64, in_size: u32, out_size: u32 });
/** Followed by what is handed back. */
export const ioctlOut = layout({ result: u32, flags: u32, in_iovs: u32, out_iovs: u32 });
export const fallocateIn = layout({ fh: u64, offset: u64, length: u64, mode: u32, padding: u32 });
export const lseekIn = layout({ fh: u64, offset: u64, whence: u32, padding: u32 });
export const lseekOut = layout({ offset: u64 });
export const copyFileRangeIn = layout({
  fh_in: u64,
  off_in: u64,
  nodeid_out: u64,
  fh_out: u64,
  off_out: u64,
  len: u64,
  flags: u64,
});
/** COPY_FILE_RANGE_64. */
export const copyFileRangeOut = layout({ bytes_copied: u64 });
export const statxIn = layout({ getattr_flags: u32, reserved: u32, fh: u64, sx_flags: u32, sx_mask: u32 });
/** struct fuse_statx_out, up to its fuse_statx. */
export const statxOut = layout({ attr_valid: u64, attr_valid_nsec: u32, flags: u32, spare0: u64, spare1: u64 });

/** struct fuse_dirent; followed by the name, without NUL, and zeros up to the next multiple of 8. */
export const dirent = layout({ ino: u64, off: u64, namelen: u32, type: u32 });

/** struct fuse_backing_map. `fd` is signed. */
export const backingMap = layout({ fd: u32, flags: u32, padding: u64 });

export const notifyInvalInodeOut = layout({ ino: u64, off: u64, len: u64 });

/**
 * struct statx of include/uapi/linux/stat.h, which fuse_statx is a copy of; a timestamp is 16 bytes. `mode` is the low
 * half of its word.
 */
export const statx = layout({
  mask: u32,
  blksize: u32,
  attributes: u64,
  nlink: u32,
  uid: u32,
  gid: u32,
  mode: u32,
  ino: u64,
  size: u64,
  blocks: u64,
  attributes_mask: u64,
  atime: u64,
  atime_nsec: u64,
  btime: u64,
  btime_nsec: u64,
  ctime: u64,
  ctime_nsec: u64,
  mtime: u64,
  mtime_nsec: u64,
  rdev_major: u32,
  rdev_minor: u32,
  dev_major: u32,
  dev_minor: u32,
  mnt_id: u64,
});

/** sizeof(struct statx), with what is left free for later. */
export const STATX_BYTES = 256;

/** struct statfs of a 64-bit Linux: include/uapi/asm-generic/statfs.h. */
export const statfs = layout({
  type: u64,
  bsize: u64,
  blocks: u64,
  bfree: u64,
  bavail: u64,
  files: u64,
  ffree: u64,
  fsid: u64,
  namelen: u64,
  frsize: u64,
  flags: u64,
});

/** struct linux_dirent64 of getdents64(2), in bytes, as its name follows at an odd place. */
export const linuxDirent = Object.freeze({ ino: 0, off: 8, reclen: 16, type: 18, name: 19 });

/** struct file_handle of open_by_handle_at(2), up to the handle itself. */
export const fileHandle = layout({ handle_bytes: u32, handle_type: u32 });

/** struct flock of fcntl(2): `type` and `whence` are the halves of the first word. */
export const flock = layout({ type: u32, padding: u32, start: u64, len: u64, pid: u32, padding2: u32 });
