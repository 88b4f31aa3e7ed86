import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { withPriority } from './scheduling.ts';

/** Field 41 of /proc/PID/stat: 0 for SCHED_OTHER, 1 for SCHED_FIFO. proc_pid_stat(5). */
function policy(): string | undefined {
  return readFileSync('/proc/thread-self/stat', 'latin1').split(') ')[1]?.split(' ')[38];
}

test('the priority lasts as long as the work, and any result or error comes through', () => {
  const before = policy();
  const during = withPriority(policy);
  // Without the capability it stays what it was.
  expect([before, '1']).toContain(during);
  expect(policy()).toBe(before);
  expect(() =>
    withPriority(() => {
      throw new Error('mine');
    }),
  ).toThrow('mine');
  expect(policy()).toBe(before);
});
