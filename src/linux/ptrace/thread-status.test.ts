import { describe, expect, test } from 'vitest';
import { caughtSignalsIn, signalsToHandle } from './thread-status.ts';

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
