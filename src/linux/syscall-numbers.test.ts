import { expect, test } from 'vitest';
import { type SyscallName, syscallNumber } from './syscall-numbers.ts';

/** As they stand in include/uapi/asm-generic/unistd.h (arm64) and syscall_64.tbl (x86_64). */
const kernel: readonly (readonly [name: SyscallName, x86_64: number, arm64: number])[] = [
  ['ioctl', 16, 29],
  ['flock', 73, 32],
  ['ppoll', 271, 73],
  ['waitid', 247, 95],
  ['prctl', 157, 167],
  ['kcmp', 312, 272],
  ['pidfd_send_signal', 424, 424],
  ['pidfd_open', 434, 434],
  ['pidfd_getfd', 438, 438],
];

test.each(kernel)('%s', (name, x86_64, arm64) => {
  expect(syscallNumber(name, 'x86_64')).toBe(x86_64);
  expect(syscallNumber(name, 'arm64')).toBe(arm64);
});
