import { expect, test } from 'vitest';
import { hasExited, sendSignal } from './pidfd.ts';
import { eventually, startFamily, startSleep } from './test-support/processes.ts';
import { zombieWaitStatus } from './zombie-status.ts';

const SIGKILL = 9;

test('the status of a zombie, unless it was reaped meanwhile and its PID may be another’s', async () => {
  const { grandchild } = await startFamily('sleep 1000 & echo $!; exec sleep 1000');
  sendSignal(grandchild, SIGKILL);
  await eventually(() => hasExited(grandchild));
  expect(zombieWaitStatus(grandchild.pid, () => false)).toBe(SIGKILL);
  expect(zombieWaitStatus(grandchild.pid, () => true)).toBeUndefined();
});

test('none for the living and for nobody', async () => {
  const { pid } = await startSleep();
  expect(zombieWaitStatus(pid, () => false)).toBeUndefined();
  expect(zombieWaitStatus(2 ** 31 - 1, () => false)).toBeUndefined();
});
