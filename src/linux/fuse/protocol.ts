/**
 * Numbers of the FUSE protocol by their names in include/uapi/linux/fuse.h, as of version 7.45 (Linux 6.18). What a
 * kernel does not know of it, it does not use: INIT tells which.
 */

/** FUSE_KERNEL_VERSION. */
export const MAJOR_VERSION = 7;
/** FUSE_KERNEL_MINOR_VERSION: the newest that the data plane knows. */
export const MINOR_VERSION = 45;
/** The oldest whose structures have the sizes that {@link file://./layouts.ts} gives them: Linux 4.2 and later. */
export const OLDEST_MINOR_VERSION = 23;

/** FUSE_ROOT_ID: the node id of the root. */
export const ROOT_NODE = 1;

/** enum fuse_opcode, without the prefix FUSE_. */
export const Opcode = Object.freeze({
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  GETLK: 31,
  SETLK: 32,
  SETLKW: 33,
  ACCESS: 34,
  CREATE: 35,
  INTERRUPT: 36,
  BMAP: 37,
  DESTROY: 38,
  IOCTL: 39,
  POLL: 40,
  NOTIFY_REPLY: 41,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  LSEEK: 46,
  COPY_FILE_RANGE: 47,
  SETUPMAPPING: 48,
  REMOVEMAPPING: 49,
  SYNCFS: 50,
  TMPFILE: 51,
  STATX: 52,
  COPY_FILE_RANGE_64: 53,
});

/** One more than the highest number of {@link Opcode}. */
export const OPCODES = 54;

/** Flags of INIT, without the prefix FUSE_: bits 0 to 31, which stand in `flags`. */
export const InitFlag = Object.freeze({
  /** Several reads of one file at a time. */
  ASYNC_READ: 1 << 0,
  /** Record locks are asked of us. */
  POSIX_LOCKS: 1 << 1,
  /** O_TRUNC arrives with OPEN. */
  ATOMIC_O_TRUNC: 1 << 3,
  /** Writes of more than a page. */
  BIG_WRITES: 1 << 5,
  /** The umask arrives, and is not applied: a default ACL of the folder takes its place. */
  DONT_MASK: 1 << 6,
  /** flock(2) is asked of us. */
  FLOCK_LOCKS: 1 << 10,
  HAS_IOCTL_DIR: 1 << 11,
  /** What is cached of a file goes when its size or mtime has changed. */
  AUTO_INVAL_DATA: 1 << 12,
  DO_READDIRPLUS: 1 << 13,
  READDIRPLUS_AUTO: 1 << 14,
  /** Lookups and listings of one folder at a time. */
  PARALLEL_DIROPS: 1 << 18,
  /** ACLs are checked by the kernel, which reads them as extended attributes. */
  POSIX_ACL: 1 << 20,
  /** Requests of more than 32 pages. */
  MAX_PAGES: 1 << 22,
  /** Clearing suid, sgid and capabilities is up to us, and we are told when. */
  HANDLE_KILLPRIV_V2: 1 << 28,
  /** SETXATTR has the longer structure. */
  SETXATTR_EXT: 1 << 29,
  /** There is `flags2`. */
  INIT_EXT: 1 << 30,
});

/** Flags of INIT from bit 32 on, which stand in `flags2`, shifted down. */
export const InitFlag2 = Object.freeze({
  /** Shared maps of files that are opened with FOPEN_DIRECT_IO. Bit 36, Linux 6.6. */
  DIRECT_IO_ALLOW_MMAP: 1 << 4,
  /** The kernel reads and writes the file below by itself. Bit 37, Linux 6.9. */
  PASSTHROUGH: 1 << 5,
});

/** Flags of the answer to OPEN, with their prefix. */
export const OpenFlag = Object.freeze({
  /** Each read and write is asked of us. */
  FOPEN_DIRECT_IO: 1 << 0,
  /** close(2) need not be asked of us. */
  FOPEN_NOFLUSH: 1 << 5,
  /** Writes of one file at a time, where they do not make it longer. */
  FOPEN_PARALLEL_DIRECT_WRITES: 1 << 6,
  /** Reads, writes and maps are those of the backing file. */
  FOPEN_PASSTHROUGH: 1 << 7,
});

/** Which attributes SETATTR is about: FATTR_*, with their prefix. */
export const SetattrValid = Object.freeze({
  FATTR_MODE: 1 << 0,
  FATTR_UID: 1 << 1,
  FATTR_GID: 1 << 2,
  FATTR_SIZE: 1 << 3,
  FATTR_ATIME: 1 << 4,
  FATTR_MTIME: 1 << 5,
  FATTR_FH: 1 << 6,
  FATTR_ATIME_NOW: 1 << 7,
  FATTR_MTIME_NOW: 1 << 8,
  FATTR_KILL_SUIDGID: 1 << 11,
});

/** Flags of single requests, with their prefix. */
export const RequestFlag = Object.freeze({
  /** GETATTR: `fh` is valid. */
  FUSE_GETATTR_FH: 1 << 0,
  /** OPEN, CREATE: O_TRUNC by somebody without CAP_FSETID. */
  FUSE_OPEN_KILL_SUIDGID: 1 << 0,
  /** WRITE: by somebody without CAP_FSETID. */
  FUSE_WRITE_KILL_SUIDGID: 1 << 2,
  /** FSYNC: fdatasync(2). */
  FUSE_FSYNC_FDATASYNC: 1 << 0,
  /** GETLK, SETLK, SETLKW: flock(2). */
  FUSE_LK_FLOCK: 1 << 0,
  /** SETXATTR: the new ACL takes sgid from the file. */
  FUSE_SETXATTR_ACL_KILL_SGID: 1 << 0,
  /** IOCTL: by a 32-bit program. */
  FUSE_IOCTL_32BIT: 1 << 3,
});

/** enum fuse_notify_code, without the prefix FUSE_NOTIFY_. */
export const NotifyCode = Object.freeze({
  INVAL_INODE: 2,
  /** Every name that the kernel has cached is looked up again. Version 7.44. */
  INC_EPOCH: 8,
});

/** The version that knows {@link NotifyCode}.INC_EPOCH. */
export const INC_EPOCH_MINOR_VERSION = 44;

/** ioctl(2) on /dev/fuse. _IOR and _IOW are the same on x86_64 and arm64: include/uapi/asm-generic/ioctl.h. */
export const DeviceIoctl = Object.freeze({
  /** FUSE_DEV_IOC_CLONE: _IOR(229, 0, uint32_t). */
  CLONE: 0x8004_e500,
  /** FUSE_DEV_IOC_BACKING_OPEN: _IOW(229, 1, struct fuse_backing_map). */
  BACKING_OPEN: 0x4010_e501,
  /** FUSE_DEV_IOC_BACKING_CLOSE: _IOW(229, 2, uint32_t). */
  BACKING_CLOSE: 0x4004_e502,
});
