import { closeSync, readlinkSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { readStat } from '../procfs/stat.ts';
import { createNote, emptyNote, isLeftNote, readNote, writeNote } from './note.ts';

test('a note is read as it was written last', () => {
  const fd = createNote('0:41.1');
  onTestFinished(() => closeSync(fd));
  expect(readNote(fd)).toEqual(emptyNote);
  const map = { start: 4096, end: 8192, inode: '12' };
  writeNote(fd, { ...emptyNote, maps: [map, map] });
  writeNote(fd, { ...emptyNote, others: [{ given: 9, inode: '18446744073709551615' }] });
  expect(readNote(fd)).toEqual({ ...emptyNote, others: [{ given: 9, inode: '18446744073709551615' }] });
});

test('it is left behind for who made it, and for others when that is gone', () => {
  const fd = createNote('0:41.1');
  onTestFinished(() => closeSync(fd));
  const link = readlinkSync(`/proc/self/fd/${fd}`);
  expect(isLeftNote(link, '0:41.1')).toBe(true);
  expect(isLeftNote(link, '0:41.2')).toBe(false);
  const parent = readStat(process.ppid);
  const of = (pid: number, startTimeTicks = 0): string => link.replace(/-\d+-\d+ /u, `-${pid}-${startTimeTicks} `);
  expect(isLeftNote(of(process.ppid, parent?.startTimeTicks), '0:41.1')).toBe(false);
  // Another process that has got its number.
  expect(isLeftNote(of(process.ppid, 1), '0:41.1')).toBe(true);
  expect(isLeftNote('/memfd:other (deleted)', '0:41.1')).toBe(false);
});
