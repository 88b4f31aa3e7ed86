import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FaultlineError } from '../base/error.ts';
import { isErrno, SyscallError, toSyscallError } from './syscall-error.ts';

function failureOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

function coded(code: string): Error {
  return Object.assign(new Error('an error of Node’s'), { code });
}

test('says which call failed, about what, and why', () => {
  const error = new SyscallError('open', 2, '/proc/12/stat');
  expect(error).toBeInstanceOf(FaultlineError);
  expect(error.message).toBe('open /proc/12/stat: no such file or directory (ENOENT)');
  expect(error).toMatchObject({ code: 'SYSCALL_FAILED', errno: 'ENOENT', syscall: 'open' });
  expect(error.details).toEqual({ syscall: 'open', errno: 'ENOENT', errnoNumber: 2 });
});

test.each([
  [1, 'EPERM'],
  [13, 'EACCES'],
])('errno %d (%s) is a denied permission, with a hint', (number, errno) => {
  expect(new SyscallError('kill', number)).toMatchObject({ code: 'PERMISSION_DENIED', errno, hint: /root/ });
});

test('a number without a name keeps the number', () => {
  expect(new SyscallError('ioctl', 524)).toMatchObject({ errno: 'EUNKNOWN', message: 'ioctl: failed (524)' });
});

test('isErrno knows our errors and Node’s', () => {
  const ours = new SyscallError('kill', 3);
  const nodes = failureOf(() => readFileSync('/proc/no/such'));
  expect(isErrno(ours, 'ESRCH')).toBe(true);
  expect(isErrno(ours, 'ENOENT', 'ESRCH')).toBe(true);
  expect(isErrno(ours, 'EPERM')).toBe(false);
  expect(isErrno(nodes, 'ENOENT')).toBe(true);
  expect(isErrno(coded('ENOTSUP'), 'EOPNOTSUPP')).toBe(true);
  expect(isErrno(coded('ERR_INVALID_ARG_VALUE'), 'EINVAL')).toBe(false);
  expect(isErrno(new Error('ENOENT'), 'ENOENT')).toBe(false);
  expect(isErrno('ENOENT', 'ENOENT')).toBe(false);
  expect(isErrno(undefined, 'ENOENT')).toBe(false);
});

test('Node’s errors become ours, anything else stays itself', () => {
  const cause = failureOf(() => readFileSync('/proc/no/such'));
  const converted = toSyscallError(cause);
  expect(converted).toBeInstanceOf(SyscallError);
  expect(converted).toMatchObject({ errno: 'ENOENT', syscall: 'open', cause });
  expect((converted as SyscallError).message).toBe('open /proc/no/such: no such file or directory (ENOENT)');
  const bug = new TypeError('bug');
  expect(toSyscallError(bug)).toBe(bug);
  const argument = failureOf(() => readFileSync('a\0b'));
  expect(toSyscallError(argument)).toBe(argument);
});
