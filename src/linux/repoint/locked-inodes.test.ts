import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { releaseFlock, tryFlock, tryRangeLock } from './descriptor-calls.ts';
import { ANYBODY, lockedInodes } from './locked-inodes.ts';

test('what is locked is listed as long as it is, and by whom', () => {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-locked-'));
  const [whole, part] = ['whole', 'part'].map((name) => openSync(join(folder, name), 'w+')) as [number, number];
  onTestFinished(() => {
    for (const fd of [whole, part]) closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  const inodeOf = (fd: number): bigint => fstatSync(fd, { bigint: true }).ino;
  expect(lockedInodes().has(inodeOf(whole))).toBe(false);
  tryFlock(whole, 'READ');
  tryRangeLock(part, { type: 'OFD', mode: 'WRITE', start: 10n, end: 19n });
  expect([lockedInodes().has(inodeOf(whole)), lockedInodes().has(inodeOf(part))]).toEqual([true, true]);
  const [ours, descriptions] = [lockedInodes(new Set([process.pid])), lockedInodes(new Set([ANYBODY]))];
  expect([ours.has(inodeOf(whole)), ours.has(inodeOf(part))]).toEqual([true, false]);
  expect([descriptions.has(inodeOf(whole)), descriptions.has(inodeOf(part))]).toEqual([false, true]);
  releaseFlock(whole);
  expect(lockedInodes().has(inodeOf(whole))).toBe(false);
});
