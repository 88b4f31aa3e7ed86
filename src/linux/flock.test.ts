import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { lockFile } from './flock.ts';

test('one at a time has the lock, until its descriptor is closed', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-flock-'));
  const file = path.join(folder, 'lock');
  const [first, second] = [openSync(file, 'a'), openSync(file, 'a')];
  try {
    expect(lockFile(first)).toBe(true);
    expect(lockFile(first)).toBe(true);
    expect(lockFile(second)).toBe(false);
    closeSync(first);
    expect(lockFile(second)).toBe(true);
  } finally {
    closeSync(second);
    rmSync(folder, { recursive: true, force: true });
  }
});

test('what is no descriptor is an error', () => {
  expect(() => lockFile(-1)).toThrow(expect.objectContaining({ errno: 'EBADF', syscall: 'flock' }));
});
