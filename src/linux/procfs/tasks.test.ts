import { expect, test } from 'vitest';
import { eventually, startSleep } from '../test-support/processes.ts';
import { readStat } from './stat.ts';
import { listTasks, readTaskStat } from './tasks.ts';

test('a process of one thread', async () => {
  const { pid } = await startSleep();
  // From then on its state stays the same.
  await eventually(() => readStat(pid)?.state === 'S');
  expect(listTasks(pid)).toEqual([pid]);
  expect(readTaskStat(pid, pid)).toEqual(readStat(pid));
});

test('this process has many, each with a state of its own', async () => {
  const look = () => {
    const tids = listTasks(process.pid) ?? [];
    return { tids, number: readStat('self')?.numThreads, stats: tids.map((tid) => readTaskStat(process.pid, tid)) };
  };
  let { tids, number, stats } = look();
  // One that an earlier test has had may be ending just now.
  await eventually(() => {
    ({ tids, number, stats } = look());
    return number === tids.length && !stats.includes(undefined);
  });
  expect(tids.length).toBeGreaterThan(1);
  expect(tids).toContain(process.pid);
  expect(stats.map((stat) => ({ pid: stat?.pid, ppid: stat?.ppid }))).toEqual(
    tids.map((tid) => ({ pid: tid, ppid: process.ppid })),
  );
});

test('undefined when there is no such process or thread', () => {
  expect(listTasks(2 ** 31 - 1)).toBeUndefined();
  expect(readTaskStat(process.pid, 1)).toBeUndefined();
});
