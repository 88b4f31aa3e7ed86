import { describe, expect, test } from 'vitest';
import { remoteSyscallNumber } from './remote-syscalls.ts';

describe('numbers of system calls on both architectures', () => {
  test.each([
    ['close', 3, 57],
    ['mmap', 9, 222],
    ['munmap', 11, 215],
    ['recvmsg', 47, 212],
    ['socketpair', 53, 199],
    ['dup3', 292, 24],
  ] as const)('%s', (name, x86, arm) => {
    expect(remoteSyscallNumber(name, 'x86_64')).toBe(x86);
    expect(remoteSyscallNumber(name, 'arm64')).toBe(arm);
  });
});
