import { describe, expect, test } from 'vitest';
import { decodeStop } from './requests.ts';

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
