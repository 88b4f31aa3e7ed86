import type { Architecture } from '../arch.ts';

/**
 * The system calls that a target may be asked to make.
 *
 * x86_64: arch/x86/entry/syscalls/syscall_64.tbl; arm64: include/uapi/asm-generic/unistd.h.
 */
const numbers = {
  read: { x86_64: 0, arm64: 63 },
  close: { x86_64: 3, arm64: 57 },
  lseek: { x86_64: 8, arm64: 62 },
  mmap: { x86_64: 9, arm64: 222 },
  mprotect: { x86_64: 10, arm64: 226 },
  munmap: { x86_64: 11, arm64: 215 },
  mremap: { x86_64: 25, arm64: 216 },
  msync: { x86_64: 26, arm64: 227 },
  madvise: { x86_64: 28, arm64: 233 },
  getpid: { x86_64: 39, arm64: 172 },
  recvmsg: { x86_64: 47, arm64: 212 },
  socketpair: { x86_64: 53, arm64: 199 },
  fcntl: { x86_64: 72, arm64: 25 },
  flock: { x86_64: 73, arm64: 32 },
  fchdir: { x86_64: 81, arm64: 50 },
  prctl: { x86_64: 157, arm64: 167 },
  chroot: { x86_64: 161, arm64: 51 },
  gettid: { x86_64: 186, arm64: 178 },
  dup3: { x86_64: 292, arm64: 24 },
  prlimit64: { x86_64: 302, arm64: 261 },
  mlock2: { x86_64: 325, arm64: 284 },
  pkey_mprotect: { x86_64: 329, arm64: 288 },
} as const satisfies Record<string, Readonly<Record<Architecture, number>>>;

export type RemoteSyscall = keyof typeof numbers;

export function remoteSyscallNumber(name: RemoteSyscall, architecture: Architecture): number {
  return numbers[name][architecture];
}
