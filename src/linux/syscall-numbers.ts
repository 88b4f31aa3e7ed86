import type { Architecture } from './arch.ts';

/**
 * Numbers of the system calls that are made by number, because a libc may lack a wrapper or may wrap too much.
 *
 * x86_64: arch/x86/entry/syscalls/syscall_64.tbl; arm64: include/uapi/asm-generic/unistd.h, which arm64 uses unchanged.
 * From 424 on the numbers are the same on every architecture.
 */
const numbers = {
  ioctl: { x86_64: 16, arm64: 29 },
  flock: { x86_64: 73, arm64: 32 },
  fchdir: { x86_64: 81, arm64: 50 },
  prctl: { x86_64: 157, arm64: 167 },
  umount2: { x86_64: 166, arm64: 39 },
  getdents64: { x86_64: 217, arm64: 61 },
  waitid: { x86_64: 247, arm64: 95 },
  ppoll: { x86_64: 271, arm64: 73 },
  unshare: { x86_64: 272, arm64: 97 },
  perf_event_open: { x86_64: 298, arm64: 241 },
  setns: { x86_64: 308, arm64: 268 },
  kcmp: { x86_64: 312, arm64: 272 },
  bpf: { x86_64: 321, arm64: 280 },
  statx: { x86_64: 332, arm64: 291 },
  pidfd_send_signal: { x86_64: 424, arm64: 424 },
  open_tree: { x86_64: 428, arm64: 428 },
  move_mount: { x86_64: 429, arm64: 429 },
  fsopen: { x86_64: 430, arm64: 430 },
  fsconfig: { x86_64: 431, arm64: 431 },
  fsmount: { x86_64: 432, arm64: 432 },
  pidfd_open: { x86_64: 434, arm64: 434 },
  openat2: { x86_64: 437, arm64: 437 },
  pidfd_getfd: { x86_64: 438, arm64: 438 },
  epoll_pwait2: { x86_64: 441, arm64: 441 },
} as const satisfies Record<string, Readonly<Record<Architecture, number>>>;

export type SyscallName = keyof typeof numbers;

/** The number of a system call on an architecture. */
export function syscallNumber(name: SyscallName, architecture: Architecture): number {
  return numbers[name][architecture];
}
