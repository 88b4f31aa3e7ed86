import { expect, test } from 'vitest';
import { cgroupNames } from './cgroup-names.ts';

test('paths from the root, which has no name; none while a part is not told', () => {
  const names = cgroupNames();
  names.tell(7n, { parent: 3n, name: 'web.service' });
  expect(names.pathOf(7n)).toBeNull();
  names.tell(3n, { parent: 1n, name: 'system.slice' });
  names.tell(1n, { parent: 0n, name: '' });
  expect(names.pathOf(7n)).toBe('/system.slice/web.service');
  expect(names.pathOf(1n)).toBe('/');
  expect(names.pathOf(0n)).toBeNull();
  names.clear();
  expect(names.size).toBe(0);
});
