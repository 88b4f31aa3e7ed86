import { once } from 'node:events';
import { expect, test } from 'vitest';
import { startSleep } from '../test-support/processes.ts';
import { listPids } from './process-list.ts';

test('processes are in the list while they live, and only then', async () => {
  const { pid, child } = await startSleep();
  expect(listPids()).toContain(pid);
  expect(listPids()).toContain(process.pid);
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  expect(listPids()).not.toContain(pid);
});

test('only numbers, in ascending order', () => {
  const pids = listPids();
  expect(pids.every((pid) => Number.isInteger(pid) && pid > 0)).toBe(true);
  expect(pids).toEqual([...new Set(pids)].sort((a, b) => a - b));
});
