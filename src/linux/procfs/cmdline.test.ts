import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sendSignal } from '../pidfd.ts';
import { eventually, start, startFamily } from '../test-support/processes.ts';
import { parseCmdline, readCmdline } from './cmdline.ts';
import { listPids } from './process-list.ts';
import { isKernelThread, readStat } from './stat.ts';

test.each([
  ['', []],
  ['a\0', ['a']],
  ['a\0b c\0', ['a', 'b c']],
  ['a\0\0', ['a', '']],
  ['\0', ['']],
  ['nginx: worker', ['nginx: worker']],
  ['a\0b', ['a', 'b']],
])('%j', (content, argv) => {
  expect(parseCmdline(Buffer.from(content))).toEqual(argv);
});

test('what exec was given comes back', () => {
  const argument = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(argument, { minLength: 1 }), (argv) => {
      expect(parseCmdline(Buffer.from(argv.map((text) => `${text}\0`).join('')))).toEqual(argv);
    }),
  );
});

test('a view into a larger buffer', () => {
  expect(parseCmdline(Buffer.from('....a\0b\0....').subarray(4, 8))).toEqual(['a', 'b']);
});

test('a real process, with spaces, nothing, control characters and another argv[0]', async () => {
  const argv = ['-c', 'read line', 'sh', 'a b', '', 'tab\t\x1b[31m', 'ünïcödé'];
  const { pid } = await start('/bin/sh', argv, { argv0: 'my own name' });
  expect(readCmdline(pid)).toEqual(['my own name', ...argv]);
});

test('empty for a zombie and for a kernel thread, undefined for nobody', async () => {
  const { grandchild } = await startFamily('sleep 1000 & echo $!; exec sleep 1000');
  sendSignal(grandchild, 9);
  await eventually(() => readStat(grandchild.pid)?.state === 'Z');
  expect(readCmdline(grandchild.pid)).toEqual([]);
  // In a container's PID namespace there are no kernel threads to see.
  const kernelThreads = listPids().filter((pid) => {
    const stat = readStat(pid);
    return stat !== undefined && isKernelThread(stat);
  });
  for (const pid of kernelThreads) expect([pid, readCmdline(pid) ?? []]).toEqual([pid, []]);
  expect(readCmdline(2 ** 31 - 1)).toBeUndefined();
});
