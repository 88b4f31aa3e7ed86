import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { userId, userName } from './users.ts';

test('root', () => {
  expect(userId('root')).toBe(0);
  expect(userName(0)).toBe('root');
});

test('everyone in /etc/passwd', () => {
  const names = new Set<string>();
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid] = line.split(':');
    if (name === undefined || uid === undefined || names.has(name)) continue;
    names.add(name);
    expect([name, userId(name)]).toEqual([name, Number(uid)]);
  }
  expect(names.size).toBeGreaterThan(1);
});

test('numbers need no entry', () => {
  expect(userId('0')).toBe(0);
  expect(userId('12345678')).toBe(12_345_678);
  expect(userId('4294967294')).toBe(4_294_967_294);
  expect(userName(12_345_678)).toBeUndefined();
});

test.each([
  '',
  ' root',
  'Root ',
  'no-such-user',
  '-1',
  '4294967295',
  '1e3',
  '0x0',
  'root\0',
  '\u{1f600}',
  'x'.repeat(5000),
])('%j is refused', (name) => {
  expect(() => userId(name)).toThrow(expect.objectContaining({ code: 'USER_UNKNOWN' }));
});
