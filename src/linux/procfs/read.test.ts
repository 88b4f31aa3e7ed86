import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { openDescriptors } from '../test-support/descriptors.ts';
import { start, startSleep } from '../test-support/processes.ts';
import { readProcessFile, readProcessRecord } from './read.ts';

const NOBODY = 2 ** 31 - 1;
const isRoot = process.geteuid?.() === 0;

test('a record is what the file holds', () => {
  expect(readProcessRecord('self', 'comm')?.toString()).toBe(readFileSync('/proc/self/comm', 'utf8'));
  expect(readProcessRecord(process.pid, 'comm')?.toString()).toBe(readFileSync('/proc/self/comm', 'utf8'));
});

test('a file longer than any buffer is read to its end', async () => {
  const long = 'x'.repeat(100_000);
  const { pid } = await start('sh', ['-c', 'read line', 'sh', long, 'end']);
  expect(readProcessFile(pid, 'cmdline')?.toString()).toBe(`sh\0-c\0read line\0sh\0${long}\0end\0`);
  expect(readProcessRecord('self', 'comm')?.toString()).toBe(readFileSync('/proc/self/comm', 'utf8'));
});

test('a file that the kernel hands out piece by piece is read to its end', () => {
  const whole = readFileSync('/proc/self/smaps', 'latin1');
  const headers = (text: string | undefined): number => text?.match(/^VmFlags/gm)?.length ?? 0;
  expect(headers(readProcessFile('self', 'smaps')?.toString('latin1'))).toBeGreaterThan(headers(whole) - 20);
});

test('undefined for a process that never was, and for one that is gone', async () => {
  expect(readProcessRecord(NOBODY, 'comm')).toBeUndefined();
  expect(readProcessFile(NOBODY, 'cmdline')).toBeUndefined();
  const { pid, child } = await startSleep();
  expect(readProcessRecord(pid, 'comm')).toBeDefined();
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  expect(readProcessRecord(pid, 'comm')).toBeUndefined();
  expect(readProcessFile(pid, 'cmdline')).toBeUndefined();
});

test('undefined when it goes between open and read', async () => {
  const { pid, child } = await startSleep();
  // The link under /proc/self/fd opens the file of the dead process once more, and the kernel has nothing to read then.
  const fd = openSync(`/proc/${pid}/comm`, 'r');
  onTestFinished(() => closeSync(fd));
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  expect(() => readSync(fd, Buffer.alloc(16))).toThrow(/ESRCH/);
  expect(readProcessRecord('self', `fd/${fd}`)).toBeUndefined();
  expect(readProcessFile('self', `fd/${fd}`)).toBeUndefined();
});

test('no descriptor is left open', () => {
  const before = openDescriptors('/proc/');
  for (let round = 0; round < 50; round += 1) {
    readProcessRecord(NOBODY, 'comm');
    readProcessFile('self', 'cmdline');
    readProcessRecord('self', 'stat');
  }
  expect(openDescriptors('/proc/')).toEqual(before);
});

test.skipIf(isRoot)('what is not ours to read is refused, and nothing leaks', () => {
  expect(() => readProcessFile(1, 'environ')).toThrow(
    expect.objectContaining({ code: 'PERMISSION_DENIED', errno: 'EACCES', syscall: 'open' }),
  );
});

test('a failed read closes its file and names it', () => {
  const before = openDescriptors('/proc/');
  expect(() => readProcessFile('self', 'task')).toThrow(
    expect.objectContaining({ errno: 'EISDIR', syscall: 'read', message: expect.stringContaining('/proc/self/task') }),
  );
  expect(() => readProcessRecord('self', 'task')).toThrow(expect.objectContaining({ errno: 'EISDIR' }));
  expect(openDescriptors('/proc/')).toEqual(before);
});
