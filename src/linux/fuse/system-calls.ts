import { bindNow, bindSyscallNow } from '../libc.ts';

/*
 * The system calls of the data plane, as libc functions by their names in section 2 of the manual.
 *
 * All return -1 on failure, and lastErrno() tells why. They take addresses, as everything that they read and write lies
 * in memory that was mapped for it (file://./memory.ts), and nothing is made for a call. Offsets are numbers: exact up
 * to 2^53, which is more than any file system has. Where a kernel hands out 64 arbitrary bits, they are passed as
 * bigint.
 */

export type SystemCalls = ReturnType<typeof bindSystemCalls>;

/** Loads koffi, and so takes some milliseconds: once a thread. */
// oxlint-disable-next-line typescript/explicit-module-boundary-types -- the types of the calls are their declarations
export function bindSystemCalls() {
  return Object.freeze({ ...descriptorCalls(), ...pathCalls(), ...fileCalls(), ...threadCalls() });
}

function descriptorCalls() {
  return {
    read: bindNow('read', 'long', ['int', 'address', 'size_t']),
    write: bindNow('write', 'long', ['int', 'address', 'size_t']),
    pread: bindNow('pread', 'long', ['int', 'address', 'size_t', 'long']),
    pwrite: bindNow('pwrite', 'long', ['int', 'address', 'size_t', 'long']),
    /** The same, for memory that is not ours. */
    preadInto: bindNow('pread', 'long', ['int', 'pointer', 'size_t', 'long']),
    pwriteFrom: bindNow('pwrite', 'long', ['int', 'pointer', 'size_t', 'long']),
    close: bindNow('close', 'int', ['int']),
    dup: bindNow('dup', 'int', ['int']),
    ioctl: bindNow('ioctl', 'int', ['int', 'ulong', 'address']),
    fcntl: bindNow('fcntl', 'int', ['int', 'int', 'address']),
    flock: bindNow('flock', 'int', ['int', 'int']),
  };
}

/** Calls about names: a folder's descriptor and the address of a NUL-terminated path. */
function pathCalls() {
  return {
    openat: bindNow('openat', 'int', ['int', 'address', 'int', 'uint']),
    statx: bindNow('statx', 'int', ['int', 'address', 'int', 'uint', 'address']),
    readlinkat: bindNow('readlinkat', 'long', ['int', 'address', 'address', 'size_t']),
    mkdirat: bindNow('mkdirat', 'int', ['int', 'address', 'uint']),
    mknodat: bindNow('mknodat', 'int', ['int', 'address', 'uint', 'ulong']),
    symlinkat: bindNow('symlinkat', 'int', ['address', 'int', 'address']),
    linkat: bindNow('linkat', 'int', ['int', 'address', 'int', 'address', 'int']),
    unlinkat: bindNow('unlinkat', 'int', ['int', 'address', 'int']),
    renameat2: bindNow('renameat2', 'int', ['int', 'address', 'int', 'address', 'uint']),
    fchmodat: bindNow('fchmodat', 'int', ['int', 'address', 'uint', 'int']),
    fchownat: bindNow('fchownat', 'int', ['int', 'address', 'uint', 'uint', 'int']),
    utimensat: bindNow('utimensat', 'int', ['int', 'address', 'address', 'int']),
    truncate: bindNow('truncate', 'int', ['address', 'long']),
    setxattr: bindNow('setxattr', 'int', ['address', 'address', 'address', 'size_t', 'int']),
    getxattr: bindNow('getxattr', 'long', ['address', 'address', 'address', 'size_t']),
    listxattr: bindNow('listxattr', 'long', ['address', 'address', 'size_t']),
    removexattr: bindNow('removexattr', 'int', ['address', 'address']),
    nameToHandleAt: bindNow('name_to_handle_at', 'int', ['int', 'address', 'address', 'address', 'int']),
    openByHandleAt: bindNow('open_by_handle_at', 'int', ['int', 'address', 'int']),
  };
}

function fileCalls() {
  return {
    ftruncate: bindNow('ftruncate', 'int', ['int', 'long']),
    fsync: bindNow('fsync', 'int', ['int']),
    fdatasync: bindNow('fdatasync', 'int', ['int']),
    lseek: bindNow('lseek', 'long', ['int', 'long', 'int']),
    fallocate: bindNow('fallocate', 'int', ['int', 'int', 'long', 'long']),
    copyFileRange: bindNow('copy_file_range', 'long', ['int', 'address', 'int', 'address', 'size_t', 'uint']),
    getdents64: bindSyscallNow('getdents64', ['uint', 'address', 'size_t']),
    fstatfs: bindNow('fstatfs', 'int', ['int', 'address']),
  };
}

function threadCalls() {
  return {
    /** Of the calling thread alone; returns what it was before. */
    setfsuid: bindNow('setfsuid', 'int', ['uint']),
    setfsgid: bindNow('setfsgid', 'int', ['uint']),
    umask: bindNow('umask', 'int', ['uint']),
    eventfd: bindNow('eventfd', 'int', ['uint', 'int']),
    madvise: bindNow('madvise', 'int', ['address', 'size_t', 'int']),
    epollCreate1: bindNow('epoll_create1', 'int', ['int']),
    epollCtl: bindNow('epoll_ctl', 'int', ['int', 'int', 'int', 'address']),
    epollWait: bindNow('epoll_wait', 'int', ['int', 'address', 'int', 'int']),
    /** With a timespec; Linux 5.11. */
    epollPwait2: bindSyscallNow('epoll_pwait2', ['int', 'address', 'int', 'address', 'address', 'size_t']),
  };
}
