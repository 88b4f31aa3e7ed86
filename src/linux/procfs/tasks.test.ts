import { expect, test } from 'vitest';
import { startSleep } from '../test-support/processes.ts';
import { readStat } from './stat.ts';
import { listTasks, readTaskStat } from './tasks.ts';

test('a process of one thread', async () => {
  const { pid } = await startSleep();
  expect(listTasks(pid)).toEqual([pid]);
  expect(readTaskStat(pid, pid)).toEqual(readStat(pid));
});

test('this process has many, each with a state of its own', () => {
  const tids = listTasks(process.pid);
  if (tids === undefined) throw new Error('gone');
  expect(tids.length).toBeGreaterThan(1);
  expect(tids).toContain(process.pid);
  expect(readStat('self')?.numThreads).toBe(tids.length);
  for (const tid of tids) expect(readTaskStat(process.pid, tid)).toMatchObject({ pid: tid, ppid: process.ppid });
});

test('undefined when there is no such process or thread', () => {
  expect(listTasks(2 ** 31 - 1)).toBeUndefined();
  expect(readTaskStat(process.pid, 1)).toBeUndefined();
});
