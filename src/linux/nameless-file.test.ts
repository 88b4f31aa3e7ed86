import { closeSync, ftruncateSync, fstatSync, writeSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { endOfFile, openNamelessFile } from './nameless-file.ts';

const opened: number[] = [];
afterEach(() => {
  for (const fd of opened.splice(0)) closeSync(fd);
});

function open(): number {
  const fd = openNamelessFile();
  opened.push(fd);
  return fd;
}

describe('a file without a name', () => {
  test('has none, and what was written last is read from it', () => {
    const fd = open();
    expect(fstatSync(fd).nlink).toBe(0);
    expect(endOfFile(fd, 10)).toBe('');
    writeSync(fd, 'much was said before this');
    expect(endOfFile(fd, 4)).toBe('this');
    expect(endOfFile(fd, 1_000)).toBe('much was said before this');
  });

  test('takes no room for what is thrown away while it is written to', () => {
    const fd = open();
    writeSync(fd, 'long gone');
    ftruncateSync(fd);
    writeSync(fd, 'new');
    expect(fstatSync(fd).size).toBe(3);
    expect(endOfFile(fd, 1_000)).toBe('new');
  });
});
