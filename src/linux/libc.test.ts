import { expect, test } from 'vitest';
import { addressOf, bindFunction, bindSyscall, bindUnchecked, lastErrno, stringAt } from './libc.ts';
import { SyscallError } from './syscall-error.ts';

const EBADF = 9;
const ENOENT = 2;

test('a bound function returns what C returns', () => {
  const getpid = bindFunction('getpid', 'int', []);
  expect(getpid()).toBe(process.pid);
});

test('a bound function that fails throws its errno under its name', () => {
  const close = bindFunction('close', 'int', ['int']);
  expect(() => close(-1)).toThrow(expect.objectContaining({ errno: 'EBADF', syscall: 'close' }));
  expect(() => close(-1)).toThrow(SyscallError);
});

test('a system call by number fails the same way', () => {
  const sendSignal = bindSyscall('pidfd_send_signal', ['int', 'int', 'pointer', 'uint']);
  expect(() => sendSignal(-1, 0, null, 0)).toThrow(
    expect.objectContaining({ errno: 'EBADF', syscall: 'pidfd_send_signal' }),
  );
});

test('an unchecked function leaves the errno to be asked for', () => {
  const open = bindUnchecked('open', 'int', ['string', 'int']);
  expect(open('/no/such/file', 0)).toBe(-1);
  expect(lastErrno()).toBe(ENOENT);
});

test('errno survives until it is asked for, garbage collection or not', () => {
  const close = bindUnchecked('close', 'int', ['int']);
  const open = bindUnchecked('open', 'int', ['string', 'int']);
  let garbage: unknown[] = [];
  let wrong = 0;
  for (let round = 0; round < 50_000; round += 1) {
    garbage.push({ round, text: `${round}`.repeat(20) });
    if (garbage.length > 5_000) garbage = [];
    close(-1);
    if (lastErrno() !== EBADF) wrong += 1;
    open('/no/such/file', 0);
    if (lastErrno() !== ENOENT) wrong += 1;
  }
  expect(wrong).toBe(0);
});

test('binding is free: a symbol that libc lacks fails when it is called, not before', () => {
  const absent = bindFunction('faultline_no_such_symbol', 'int', []);
  expect(() => absent()).toThrow(/faultline_no_such_symbol/);
});

test.each([
  ['a Buffer', Buffer.alloc(64)],
  ['a small typed array', new Uint8Array(8)],
  ['a view into the middle of a buffer', new Uint8Array(new ArrayBuffer(64), 16, 8)],
  ['a BigUint64Array', new BigUint64Array(1)],
])('the kernel reads and writes %s in place', (_, memory) => {
  const memset = bindUnchecked('memset', 'long', ['pointer', 'int', 'size_t']);
  memset(memory, 0x61, memory.byteLength);
  const bytes = Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength);
  expect(bytes.equals(Buffer.alloc(memory.byteLength, 0x61))).toBe(true);
});

test('addresses: what lies at one, and handing one over', () => {
  const text = Buffer.from('Grüße\0rest\0');
  const strlen = bindUnchecked('strlen', 'long', ['pointer']);
  expect(stringAt(addressOf(text))).toBe('Grüße');
  expect(strlen(addressOf(text))).toBe(7);
  expect(strlen(addressOf(text.subarray(8)))).toBe(4);
});
