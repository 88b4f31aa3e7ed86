import { expect, test } from 'vitest';
import { capabilityNames } from './capabilities.ts';

test('bits by their numbers in capability.h', () => {
  expect([...capabilityNames(0n)]).toEqual([]);
  expect([...capabilityNames(1n)]).toEqual(['CAP_CHOWN']);
  expect([...capabilityNames((1n << 5n) | (1n << 19n) | (1n << 21n))]).toEqual([
    'CAP_KILL',
    'CAP_SYS_PTRACE',
    'CAP_SYS_ADMIN',
  ]);
  expect([...capabilityNames(1n << 40n)]).toEqual(['CAP_CHECKPOINT_RESTORE']);
  expect([...capabilityNames(1n << 41n)]).toEqual([]);
  expect(capabilityNames((1n << 41n) - 1n).size).toBe(41);
});
