import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bootId } from './boot-id.ts';

test('a UUID, the kernel’s own, the same each time', () => {
  expect(bootId()).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(`${bootId()}\n`).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  expect(bootId()).toBe(bootId());
});
