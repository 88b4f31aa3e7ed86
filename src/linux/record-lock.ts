/*
 * Record locks, fcntl(2): numbers of include/uapi/asm-generic/fcntl.h, the same on x64 and arm64.
 */

/** Of a process. */
export const F_GETLK = 5;
export const F_SETLK = 6;
/** Of an open file description, Linux 3.15. */
export const F_OFD_GETLK = 36;
export const F_OFD_SETLK = 37;

export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;

/** Bytes of struct flock on 64 bits: short l_type, short l_whence, off_t l_start, off_t l_len, pid_t l_pid. */
export const FLOCK_SIZE = 32;
