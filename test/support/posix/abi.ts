import { constants } from 'node:fs';

/*
 * Numbers of the system's headers that tests of a file system need. Node tells those that differ between architectures.
 */

/** fcntl.h; include/uapi/asm-generic/fcntl.h */
export const {
  O_RDONLY,
  O_WRONLY,
  O_RDWR,
  O_CREAT,
  O_EXCL,
  O_TRUNC,
  O_APPEND,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NOATIME,
  O_DIRECT,
  O_SYNC,
  O_NONBLOCK,
} = constants;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;
export const O_TMPFILE = 0o20000000 | O_DIRECTORY;

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_EACCESS = 0x200;
export const AT_SYMLINK_FOLLOW = 0x400;
export const AT_EMPTY_PATH = 0x1000;

/** stat(2) */
export const { S_IFMT, S_IFREG, S_IFDIR, S_IFCHR, S_IFBLK, S_IFIFO, S_IFLNK, S_IFSOCK } = constants;

/** include/uapi/linux/fs.h */
export const SEEK_SET = 0;
export const SEEK_CUR = 1;
export const SEEK_END = 2;
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;
export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;
export const RENAME_WHITEOUT = 4;
export const RWF_APPEND = 0x10;
export const RWF_DSYNC = 0x02;
/** _IOR('f', 1, long) and _IOW('f', 2, long) */
export const FS_IOC_GETFLAGS = 0x80086601;
export const FS_IOC_SETFLAGS = 0x40086602;
export const FS_NODUMP_FL = 0x40;
/** _IOW(0x94, 9, int) */
export const FICLONE = 0x40049409;

/** include/uapi/linux/falloc.h */
export const FALLOC_FL_KEEP_SIZE = 0x01;
export const FALLOC_FL_PUNCH_HOLE = 0x02;
export const FALLOC_FL_COLLAPSE_RANGE = 0x08;
export const FALLOC_FL_ZERO_RANGE = 0x10;
export const FALLOC_FL_INSERT_RANGE = 0x20;

/** include/uapi/linux/xattr.h */
export const XATTR_CREATE = 1;
export const XATTR_REPLACE = 2;

/** include/uapi/asm-generic/fcntl.h */
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_GETLK = 5;
export const F_SETLK = 6;
export const F_SETLKW = 7;
export const F_OFD_GETLK = 36;
export const F_OFD_SETLK = 37;
export const F_OFD_SETLKW = 38;
export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;
/** include/uapi/linux/fcntl.h */
export const F_SETLEASE = 1024;
export const LOCK_SH = 1;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const LOCK_UN = 8;

/** include/uapi/asm-generic/mman-common.h */
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MS_SYNC = 4;

/** include/uapi/linux/stat.h */
export const UTIME_NOW = 0x3fffffff;
export const UTIME_OMIT = 0x3ffffffe;

/** access(2) */
export const R_OK = 4;
export const W_OK = 2;
export const X_OK = 1;

/** include/uapi/asm-generic/fadvise.h, sync_file_range(2), include/uapi/asm-generic/resource.h */
export const POSIX_FADV_DONTNEED = 4;
export const POSIX_FADV_WILLNEED = 3;
export const SYNC_FILE_RANGE_WRITE_AND_WAIT = 7;
export const RLIMIT_FSIZE = 1;
export const SIGXFSZ = 25;

/** include/uapi/linux/eventpoll.h, include/uapi/asm-generic/poll.h */
export const EPOLL_CTL_ADD = 1;
export const POLLIN = 1;
export const POLLOUT = 4;
