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
  prctl: { x86_64: 157, arm64: 167 },
  waitid: { x86_64: 247, arm64: 95 },
  ppoll: { x86_64: 271, arm64: 73 },
  kcmp: { x86_64: 312, arm64: 272 },
  pidfd_send_signal: { x86_64: 424, arm64: 424 },
  pidfd_open: { x86_64: 434, arm64: 434 },
  pidfd_getfd: { x86_64: 438, arm64: 438 },
} as const satisfies Record<string, Readonly<Record<Architecture, number>>>;

export type SyscallName = keyof typeof numbers;

/** The number of a system call on an architecture. */
export function syscallNumber(name: SyscallName, architecture: Architecture): number {
  return numbers[name][architecture];
}
