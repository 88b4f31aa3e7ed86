import { describe, expect, test } from 'vitest';
import { mayRepeat, syscallLabel } from './interrupted-calls.ts';

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
