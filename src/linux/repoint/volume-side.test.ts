import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventually } from '../test-support/processes.ts';
import { displayPath, mountIdsSeenBy, pathInVolume, volumeSide } from './volume-side.ts';

const side = volumeSide({ kind: 'overlay', mountIds: [7], path: '/data/größe' });

test('paths are compared byte by byte, and as whole names', () => {
  const path = (text: string): string | undefined => pathInVolume(side, Buffer.from(text).toString('latin1'));
  expect(path('/data/größe')).toBe('');
  expect(path('/data/größe/a b')).toBe('a b');
  expect(path('/data/größer')).toBeUndefined();
  expect(path('/data')).toBeUndefined();
  expect(displayPath(side.path)).toBe('/data/größe');
});

test('a mount that stands nowhere any more shows its files from its own root', () => {
  const detached = volumeSide({ kind: 'overlay', mountIds: [7] });
  expect(pathInVolume(detached, '/a/b')).toBe('a/b');
  expect(pathInVolume(detached, '/')).toBe('');
  expect(pathInVolume(detached, 'pipe:[1]')).toBeUndefined();
});

test('the mounts that we see, but for some', async () => {
  const text = (): string => readFileSync('/proc/self/mountinfo', 'utf8');
  const look = () => {
    const lines = text();
    const [one = 0, ...others] = mountIdsSeenBy('self');
    return { lines, others, rest: mountIdsSeenBy('self', [one]) };
  };
  let { lines, others, rest } = look();
  // Others on this host may mount something just now.
  await eventually(() => {
    ({ lines, others, rest } = look());
    return text() === lines;
  });
  expect(rest).toEqual(new Set(others));
});
