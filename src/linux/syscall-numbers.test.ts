import { expect, test } from 'vitest';
import { type SyscallName, syscallNumber } from './syscall-numbers.ts';

/** As they stand in include/uapi/asm-generic/unistd.h (arm64) and syscall_64.tbl (x86_64). */
const kernel: readonly (readonly [name: SyscallName, x86_64: number, arm64: number])[] = [
  ['ioctl', 16, 29],
  ['flock', 73, 32],
  ['fchdir', 81, 50],
  ['getdents64', 217, 61],
  ['ppoll', 271, 73],
  ['waitid', 247, 95],
  ['prctl', 157, 167],
  ['umount2', 166, 39],
  ['unshare', 272, 97],
  ['setns', 308, 268],
  ['kcmp', 312, 272],
  ['statx', 332, 291],
  ['pidfd_send_signal', 424, 424],
  ['open_tree', 428, 428],
  ['move_mount', 429, 429],
  ['fsopen', 430, 430],
  ['fsconfig', 431, 431],
  ['fsmount', 432, 432],
  ['pidfd_open', 434, 434],
  ['openat2', 437, 437],
  ['pidfd_getfd', 438, 438],
  ['epoll_pwait2', 441, 441],
  ['perf_event_open', 298, 241],
  ['bpf', 321, 280],
];

test.each(kernel)('%s', (name, x86_64, arm64) => {
  expect(syscallNumber(name, 'x86_64')).toBe(x86_64);
  expect(syscallNumber(name, 'arm64')).toBe(arm64);
});
