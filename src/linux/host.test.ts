import { readlinkSync } from 'node:fs';
import { release } from 'node:os';
import { expect, test } from 'vitest';
import { architecture } from './arch.ts';
import { bootId } from './boot-id.ts';
import { readHost } from './host.ts';

test('this host', () => {
  const host = readHost();
  expect(host).toMatchObject({
    architecture: architecture(),
    kernelRelease: release(),
    bootId: bootId(),
    effectiveUid: process.geteuid?.(),
  });
  expect(`pid:[${host.pidNamespace}]`).toBe(readlinkSync('/proc/self/ns/pid'));
  expect(Object.isFrozen(host)).toBe(true);
});

test.skipIf(process.geteuid?.() === 0)('a normal user has no capabilities', () => {
  expect(readHost().capabilities.size).toBe(0);
});

test.runIf(process.geteuid?.() === 0)('root has those that matter here', () => {
  expect(readHost().capabilities).toContain('CAP_KILL');
});
