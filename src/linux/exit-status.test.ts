import { expect, test } from 'vitest';
import { decodeWaitStatus } from './exit-status.ts';

/** Wait statuses as waitpid(2) gives them. */
test.each([
  [0x0000, { kind: 'exited', code: 0 }],
  [0x0700, { kind: 'exited', code: 7 }],
  [0xff00, { kind: 'exited', code: 255 }],
  [0x0009, { kind: 'signaled', signal: 9, coreDumped: false }],
  [0x008b, { kind: 'signaled', signal: 11, coreDumped: true }],
  [0x0040, { kind: 'signaled', signal: 64, coreDumped: false }],
])('%i', (status, expected) => {
  expect(decodeWaitStatus(status)).toEqual(expected);
  expect(Object.isFrozen(decodeWaitStatus(status))).toBe(true);
});
