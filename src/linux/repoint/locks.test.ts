import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { tryFlock, tryRangeLock } from './descriptor-calls.ts';
import type { LockLine } from './descriptor-info.ts';
import { letGo, takeBack, transferLocks } from './locks.ts';

/** Descriptors of as many open file descriptions, of one file or of two. */
function files(...names: readonly string[]): number[] {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-locks-'));
  const fds = names.map((name) => {
    writeFileSync(join(folder, name), 'x');
    return openSync(join(folder, name), 'r+');
  });
  onTestFinished(() => {
    for (const fd of fds) closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  return fds;
}

const whole = { type: 'FLOCK', start: 0n, end: undefined } as const;
const exclusive: LockLine = { ...whole, mode: 'WRITE' };
const shared: LockLine = { ...whole, mode: 'READ' };
const range: LockLine = { type: 'OFD', mode: 'WRITE', start: 10n, end: 19n };

test('between files that know nothing of each other there is no gap', () => {
  const [from = 0, to = 0, other = 0] = files('a', 'b', 'b');
  tryFlock(from, 'WRITE');
  tryRangeLock(from, range);
  const result = transferLocks(from, to, [exclusive, range]);
  expect(result).toMatchObject({ kind: 'moved', locks: [{ gap: false }, { gap: false }] });
  expect([tryFlock(other, 'READ'), tryRangeLock(other, range)]).toEqual([false, false]);
});

test('of one file a lock for reading overlaps, one for writing does not', () => {
  const [from = 0, to = 0, other = 0] = files('a', 'a', 'a');
  tryFlock(from, 'READ');
  const result = transferLocks(from, to, [shared]);
  expect(result).toMatchObject({ kind: 'moved', locks: [{ gap: false }] });
  if (result.kind === 'moved') letGo(from, result.locks);
  expect(tryFlock(to, 'WRITE')).toBe(true);
  expect(transferLocks(to, from, [exclusive])).toMatchObject({ locks: [{ gap: true }] });
  expect(tryFlock(other, 'READ')).toBe(false);
});

test('what somebody has on the other side is a conflict, and all stay where they were', () => {
  const [from = 0, to = 0, other = 0, here = 0] = files('a', 'b', 'b', 'a');
  tryFlock(from, 'WRITE');
  tryRangeLock(from, range);
  tryRangeLock(other, { ...range, start: 19n, end: 30n });
  expect(transferLocks(from, to, [exclusive, range])).toEqual({ kind: 'conflict' });
  expect([tryFlock(here, 'READ'), tryRangeLock(here, range)]).toEqual([false, false]);
  expect(tryFlock(other, 'WRITE')).toBe(true);
});

test('a transfer can be undone', () => {
  const [from = 0, to = 0, other = 0] = files('a', 'a', 'a');
  tryFlock(from, 'WRITE');
  const result = transferLocks(from, to, [exclusive]);
  expect(result.kind === 'moved' ? takeBack(from, to, result.locks) : result).toEqual([]);
  expect(tryFlock(other, 'READ')).toBe(false);
  letGo(from, [{ lock: exclusive, gap: true }]);
  expect(tryFlock(other, 'READ')).toBe(true);
});
