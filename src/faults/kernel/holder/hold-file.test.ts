import { closeSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createHold, isHeld } from './hold-file.ts';

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'faultline-hold-'));
  onTestFinished(() => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

test('an injection is held as long as the file is open, and then never again', () => {
  const stateDir = folder();
  expect(isHeld(stateDir, 'one')).toBe(false);
  const hold = createHold(stateDir, 'one');
  expect(isHeld(stateDir, 'one')).toBe(true);
  expect(isHeld(stateDir, 'other')).toBe(false);
  expect(() => createHold(stateDir, 'one')).toThrow('EEXIST');
  closeSync(hold);
  expect(isHeld(stateDir, 'one')).toBe(false);
  expect(existsSync(path.join(stateDir, 'kernel', 'one'))).toBe(false);
  expect(readdirSync(path.join(stateDir, 'kernel'))).toStrictEqual([]);
});
