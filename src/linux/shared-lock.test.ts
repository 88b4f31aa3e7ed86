import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isLocked, lockShared } from './shared-lock.ts';

test('a file is locked as long as one of those that share it has it open; asking changes nothing', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-lock-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const open = (): number => openSync(path.join(folder, 'lock'), 'a+');
  const [first, second, asking] = [open(), open(), open()];
  expect(isLocked(asking)).toBe(false);
  lockShared(first);
  lockShared(second);
  expect([isLocked(asking), isLocked(asking)]).toEqual([true, true]);
  closeSync(first);
  expect(isLocked(asking)).toBe(true);
  closeSync(second);
  expect(isLocked(asking)).toBe(false);
  closeSync(asking);
});
