import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseCgroups, readCgroups } from './cgroup.ts';

test('v1, named and v2 hierarchies; paths with colons and what was removed', () => {
  const text = [
    '12:cpu,cpuacct:/user.slice',
    '1:name=systemd:/user.slice/a:b',
    '0::/system.slice/x.service (deleted)',
    'not a line',
    '',
  ].join('\n');
  expect(parseCgroups(text)).toEqual([
    { hierarchyId: 12, controllers: ['cpu', 'cpuacct'], path: '/user.slice' },
    { hierarchyId: 1, controllers: ['name=systemd'], path: '/user.slice/a:b' },
    { hierarchyId: 0, controllers: [], path: '/system.slice/x.service (deleted)' },
  ]);
});

test('this very process, line for line', () => {
  const lines = readCgroups('self')?.map(
    ({ hierarchyId, controllers, path }) => `${hierarchyId}:${controllers.join(',')}:${path}`,
  );
  expect(lines?.map((line) => `${line}\n`).join('')).toBe(readFileSync('/proc/self/cgroup', 'utf8'));
});

test('undefined when there is no such process', () => {
  expect(readCgroups(2 ** 31 - 1)).toBeUndefined();
});
