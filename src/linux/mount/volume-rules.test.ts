import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseMounts } from '../mount-table.ts';
import { mountAttributes } from './fs-context.ts';
import { isWithin, mountByName, normalizeVolumePath } from './volume-rules.ts';

describe('normalizeVolumePath', () => {
  test('slashes and dots that say nothing go', () => {
    expect(normalizeVolumePath('/data')).toBe('/data');
    expect(normalizeVolumePath('//data/./a///b/.')).toBe('/data/a/b');
    expect(normalizeVolumePath('/data/...')).toBe('/data/...');
    expect(normalizeVolumePath('/data/..b')).toBe('/data/..b');
  });

  test('once is enough, and nothing that is accepted leads upward or ends in a slash', () => {
    const names = fc.array(fc.constantFrom('a', 'b c', '.', '..', '', '...'), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(names, (parts) => {
        const given = `/${parts.join('/')}`;
        const empty = parts.every((part) => part === '' || part === '.');
        if (parts.includes('..') || empty) {
          expect(() => normalizeVolumePath(given)).toThrow(/must not/u);
          return;
        }
        const path = normalizeVolumePath(given);
        expect(path).toMatch(/^(?:\/[^/]+)+$/u);
        expect(normalizeVolumePath(path)).toBe(path);
      }),
    );
  });
});

test('isWithin goes by whole names', () => {
  expect(isWithin('/a/b', '/a/b')).toBe(true);
  expect(isWithin('/a/b/c', '/a/b')).toBe(true);
  expect(isWithin('/a/bc', '/a/b')).toBe(false);
  expect(isWithin('/a', '/a/b')).toBe(false);
  expect(isWithin('/a', '/')).toBe(true);
  expect(isWithin('/', '/')).toBe(true);
});

test('mountByName: the deepest one, and of several at one place the last', () => {
  const mounts = parseMounts(
    [
      '1 0 8:1 / / rw - ext4 /dev/a rw',
      '2 1 0:1 / /data rw - tmpfs one rw',
      '3 2 0:2 / /data rw - tmpfs two rw',
      '4 1 0:3 / /database rw - tmpfs three rw',
      '5 3 0:4 / /data/sub rw - tmpfs four rw',
    ].join('\n'),
  );
  const named = (path: string): number | undefined => mountByName(path, mounts)?.mountId;
  expect(named('/data')).toBe(3);
  expect(named('/data/x')).toBe(3);
  expect(named('/data/sub/x')).toBe(5);
  expect(named('/database')).toBe(4);
  expect(named('/dat')).toBe(1);
});

test('mountAttributes: what a mount can be given, and nothing of what it is anyway', () => {
  const options = ['rw', 'nosuid', 'nodev', 'noexec', 'relatime', 'nosymfollow', 'idmapped', 'toString'];
  expect(mountAttributes(options)).toEqual(['nosuid', 'nodev', 'noexec', 'nosymfollow']);
  expect(mountAttributes(['ro', 'noatime', 'nodiratime'])).toEqual(['ro', 'noatime', 'nodiratime']);
});
