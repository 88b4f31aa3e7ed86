import type { Architecture } from '../arch.ts';

/**
 * System calls that end with EINTR when their thread is stopped, and that may be made anew as if nothing had been.
 *
 * Most calls need no help: the kernel marks them to be restarted (ERESTARTSYS and its like) and does so once the
 * thread runs again. These return EINTR itself; a program would see an error that no signal of its own explains.
 * signal(7), "Interruption of system calls and library functions by stop signals".
 *
 * In the list is what has done nothing when it says EINTR, or what may be done twice: waits, transfers (a part that
 * was transferred is told as a number, not as EINTR), and calls that only look. A read from a FUSE file system is a
 * wait as well. Not in the list is what has an effect that a second time would not have: close(2) has closed, dup2(2)
 * has closed its target, rename(2) might find nothing any more.
 *
 * A relative time-out of such a call begins anew, so that it ends late, never early. Calls whose time-outs the kernel
 * keeps (nanosleep, poll, select, futex) are not among them.
 */
const numbers = {
  // Waits
  rt_sigtimedwait: { x86_64: 128, arm64: 137 },
  epoll_wait: { x86_64: 232, arm64: undefined },
  epoll_pwait: { x86_64: 281, arm64: 22 },
  epoll_pwait2: { x86_64: 441, arm64: 441 },
  semop: { x86_64: 65, arm64: 193 },
  semtimedop: { x86_64: 220, arm64: 192 },
  msgsnd: { x86_64: 69, arm64: 189 },
  msgrcv: { x86_64: 70, arm64: 188 },
  io_getevents: { x86_64: 208, arm64: 4 },
  io_pgetevents: { x86_64: 333, arm64: 292 },
  io_uring_enter: { x86_64: 426, arm64: 426 },
  // Sockets with SO_RCVTIMEO or SO_SNDTIMEO
  accept: { x86_64: 43, arm64: 202 },
  accept4: { x86_64: 288, arm64: 242 },
  connect: { x86_64: 42, arm64: 203 },
  recvfrom: { x86_64: 45, arm64: 207 },
  recvmsg: { x86_64: 47, arm64: 212 },
  recvmmsg: { x86_64: 299, arm64: 243 },
  sendto: { x86_64: 44, arm64: 206 },
  sendmsg: { x86_64: 46, arm64: 211 },
  sendmmsg: { x86_64: 307, arm64: 269 },
  // Transfers, of sockets and of network and FUSE file systems
  read: { x86_64: 0, arm64: 63 },
  write: { x86_64: 1, arm64: 64 },
  readv: { x86_64: 19, arm64: 65 },
  writev: { x86_64: 20, arm64: 66 },
  pread64: { x86_64: 17, arm64: 67 },
  pwrite64: { x86_64: 18, arm64: 68 },
  preadv: { x86_64: 295, arm64: 69 },
  pwritev: { x86_64: 296, arm64: 70 },
  preadv2: { x86_64: 327, arm64: 286 },
  pwritev2: { x86_64: 328, arm64: 287 },
  fsync: { x86_64: 74, arm64: 82 },
  fdatasync: { x86_64: 75, arm64: 83 },
  // Looks at FUSE file systems
  stat: { x86_64: 4, arm64: undefined },
  fstat: { x86_64: 5, arm64: 80 },
  lstat: { x86_64: 6, arm64: undefined },
  newfstatat: { x86_64: 262, arm64: 79 },
  statx: { x86_64: 332, arm64: 291 },
  statfs: { x86_64: 137, arm64: 43 },
  fstatfs: { x86_64: 138, arm64: 44 },
  access: { x86_64: 21, arm64: undefined },
  faccessat: { x86_64: 269, arm64: 48 },
  faccessat2: { x86_64: 439, arm64: 439 },
  readlink: { x86_64: 89, arm64: undefined },
  readlinkat: { x86_64: 267, arm64: 78 },
  getdents64: { x86_64: 217, arm64: 61 },
  lseek: { x86_64: 8, arm64: 62 },
} as const satisfies Record<string, Readonly<Record<Architecture, number | undefined>>>;

/** Calls in which threads are met that do not stop, for messages: besides those above. */
const others = {
  open: { x86_64: 2, arm64: undefined },
  close: { x86_64: 3, arm64: 57 },
  poll: { x86_64: 7, arm64: undefined },
  munmap: { x86_64: 11, arm64: 215 },
  ioctl: { x86_64: 16, arm64: 29 },
  clone: { x86_64: 56, arm64: 220 },
  vfork: { x86_64: 58, arm64: undefined },
  execve: { x86_64: 59, arm64: 221 },
  clone3: { x86_64: 435, arm64: 435 },
  rename: { x86_64: 82, arm64: undefined },
  renameat2: { x86_64: 316, arm64: 276 },
  mkdir: { x86_64: 83, arm64: undefined },
  unlink: { x86_64: 87, arm64: undefined },
  unlinkat: { x86_64: 263, arm64: 35 },
  openat: { x86_64: 257, arm64: 56 },
  openat2: { x86_64: 437, arm64: 437 },
  sync: { x86_64: 162, arm64: 81 },
  syncfs: { x86_64: 306, arm64: 267 },
  mount: { x86_64: 165, arm64: 40 },
  umount2: { x86_64: 166, arm64: 39 },
} as const satisfies Record<string, Readonly<Record<Architecture, number | undefined>>>;

const tables = { x86_64: numbersOf('x86_64'), arm64: numbersOf('arm64') };

function numbersOf(architecture: Architecture): ReadonlySet<number> {
  return new Set(Object.values(numbers).flatMap((row) => row[architecture] ?? []));
}

/** May this call be made anew when a stop has broken it off with EINTR? */
export function mayRepeat(syscall: number, architecture: Architecture): boolean {
  return tables[architecture].has(syscall);
}

/** `vfork`, or `system call 413` where the table has no name for it. */
export function syscallLabel(syscall: number, architecture: Architecture): string {
  const known = Object.entries({ ...numbers, ...others }).find(([, row]) => row[architecture] === syscall);
  return known?.[0] ?? `system call ${syscall}`;
}
