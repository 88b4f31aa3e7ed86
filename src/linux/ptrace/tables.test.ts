import { describe, expect, test } from 'vitest';
import { decodeResults, encodeTable } from './call-table.ts';
import { executableEnds } from './code-cave.ts';
import { mayRepeat, syscallLabel } from './interrupted-calls.ts';
import { messageAt, PASSING_BYTES, receivedFds } from './pass-fds.ts';
import { remoteSyscallNumber } from './remote-syscalls.ts';
import { decodeStop } from './requests.ts';
import { caughtSignalsIn, signalsToHandle } from './thread-status.ts';
import { usedBytes } from './vdso.ts';

describe('the table of calls', () => {
  test('numbers by architecture, arguments of up to 53 bits, negative ones too', () => {
    const calls = [
      ['mremap', 0x7fff_1234_5000, 4096, 4096, 3, 0x1f_ffff_ffff_ffff],
      ['fcntl', -100, -1],
    ] as const;
    const table = encodeTable(calls, 'x86_64');
    const words = Array.from({ length: 16 }, (_, index) => table.readBigInt64LE(index * 8));
    const mremap = [25n, 0x7fff_1234_5000n, 4096n, 4096n, 3n, 0x1f_ffff_ffff_ffffn, 0n, 0n];
    const fcntl = [72n, -100n, -1n, 0n, 0n, 0n, 0n, 0n];
    expect(words).toEqual([...mremap, ...fcntl]);
    expect(encodeTable(calls, 'arm64').readBigInt64LE(0)).toBe(216n);
  });

  test('results: descriptors, addresses, errors', () => {
    const table = Buffer.alloc(3 * 64);
    table.writeBigInt64LE(7n, 56);
    table.writeBigInt64LE(0x7fff_1234_5000n, 64 + 56);
    table.writeBigInt64LE(-9n, 128 + 56);
    expect(decodeResults(table)).toEqual([7, 0x7fff_1234_5000, -9]);
  });

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

describe('calls that are made anew', () => {
  test.each([
    ['epoll_wait', 232, undefined],
    ['epoll_pwait', 281, 22],
    ['recvfrom', 45, 207],
    ['rt_sigtimedwait', 128, 137],
    ['semtimedop', 220, 192],
    ['read', 0, 63],
  ] as const)('%s is', (_, x86, arm) => {
    expect(mayRepeat(x86, 'x86_64')).toBe(true);
    if (arm !== undefined) expect(mayRepeat(arm, 'arm64')).toBe(true);
  });

  test.each([
    ['close', 3, 57],
    ['dup', 32, 23],
    ['dup2 or dup3', 33, 24],
    ['dup3', 292, 24],
    ['rename or renameat2', 82, 276],
    ['unlink or unlinkat', 87, 35],
    ['ioctl', 16, 29],
  ] as const)('%s never is', (_, x86, arm) => {
    expect(mayRepeat(x86, 'x86_64')).toBe(false);
    expect(mayRepeat(arm, 'arm64')).toBe(false);
  });

  test('names for messages', () => {
    expect(syscallLabel(58, 'x86_64')).toBe('vfork');
    expect(syscallLabel(435, 'arm64')).toBe('clone3');
    expect(syscallLabel(9999, 'x86_64')).toBe('system call 9999');
  });
});

describe('what waitpid tells', () => {
  const SIGTRAP = 5;
  const SIGSTOP = 19;
  const status = (signal: number, event: number): number => (event << 16) | (signal << 8) | 0x7f;
  test.each([
    ['a stop that we asked for', status(SIGTRAP, 128), { kind: 'stopped', byJobControl: false }],
    ['a stop of the whole process', status(SIGSTOP, 128), { kind: 'stopped', byJobControl: true }],
    ['a signal', status(10, 0), { kind: 'signal', signal: 10 }],
    ['SIGSTOP on its way', status(SIGSTOP, 0), { kind: 'signal', signal: SIGSTOP }],
    ['an exit', 3 << 8, { kind: 'ended' }],
    ['a death', 9, { kind: 'ended' }],
    ['a death with a core', 11 | 0x80, { kind: 'ended' }],
  ])('%s', (_, value, expected) => {
    expect(decodeStop(value)).toEqual(expected);
  });
});

describe('signals that wait', () => {
  const none = { pending: 0n, sharedPending: 0n, blocked: 0n, ignored: 0n, caught: 0n };
  const bit = (signal: number): bigint => 1n << BigInt(signal - 1);
  const SIGUSR1 = 10;
  const SIGCHLD = 17;
  test.each([
    ['one for the thread', { pending: bit(SIGUSR1) }, true],
    ['one for the process', { sharedPending: bit(SIGUSR1) }, true],
    ['a blocked one', { pending: bit(SIGUSR1), blocked: bit(SIGUSR1) }, false],
    ['an ignored one', { pending: bit(SIGUSR1), ignored: bit(SIGUSR1) }, false],
    ['one that is ignored unless it is handled', { pending: bit(SIGCHLD) }, false],
    ['the same, handled', { pending: bit(SIGCHLD), caught: bit(SIGCHLD) }, true],
  ])('%s', (_, some, expected) => {
    expect(signalsToHandle({ ...none, ...some }) !== 0n).toBe(expected);
  });
});

test('signals that are handled, in /proc/PID/status', () => {
  const status = Buffer.from('Name:\tSigCgt:\t1\nSigIgn:\t0000000000000002\nSigCgt:\t0000000180004a02\nCapInh:\t0\n');
  expect(caughtSignalsIn(status)).toBe(0x1_8000_4a02n);
  expect(caughtSignalsIn(Buffer.from('Name:\tx\n'))).toBe(0n);
});

describe('room for code', () => {
  const maps = `
5600a000-5600c000 r--p 00000000 08:01 42                                 /usr/bin/a program
5600c000-5600f000 r-xp 00002000 08:01 42                                 /usr/bin/a program
5700c000-5700f000 rwxp 00000000 00:00 0
7f00a000-7f00c000 r-xp 00000000 08:01 43                                 /lib/libc.so.6
7f00d000-7f00e000 r-xs 00000000 08:01 44                                 /shared
7f00f000-7f010000 r-xp 00000000 00:00 0
7ffe1000-7ffe3000 r-xp 00000000 00:00 0                                  [vdso]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`;
  test('the vDSO, then programs and libraries; nothing shared, writable or of the process’s own making', () => {
    expect(executableEnds(maps)).toEqual([0x7ffe3000, 0x5600f000, 0x7f00c000]);
  });

  test.each([
    [[], 0],
    [[0, 0, 0], 0],
    [[0, 7, 0, 0], 2],
    [[1], 1],
  ])('%j is used up to byte %i', (bytes, used) => {
    expect(usedBytes(Uint8Array.from(bytes))).toBe(used);
  });
});

test('a message: where its parts are, and what the kernel puts there', () => {
  const message = messageAt(0x10000, 2);
  const word = (offset: number): number => Number(message.readBigUInt64LE(offset));
  // struct msghdr: name, namelen, iov, iovlen, control, controllen, flags
  expect([0, 8, 16, 24, 32, 40, 48].map(word)).toEqual([0, 0, 0x10000 + 56, 1, 0x10000 + 80, 16 + 8, 0]);
  expect([word(56), word(64)], 'one byte').toEqual([0x10000 + 72, 1]);
  expect(receivedFds(messageAt(0, 0).fill(0)), 'nothing received').toEqual([]);
  message.writeBigUInt64LE(24n, 80);
  message.writeInt32LE(5, 96);
  message.writeInt32LE(9, 100);
  expect(receivedFds(message)).toEqual([5, 9]);
  expect(messageAt(0, 253)).toHaveLength(PASSING_BYTES / 8);
});
