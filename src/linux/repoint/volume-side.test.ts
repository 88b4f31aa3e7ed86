import { expect, test } from 'vitest';
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

test('the mounts that we see, but for some', () => {
  const [one = 0, ...others] = mountIdsSeenBy('self');
  expect(mountIdsSeenBy('self', [one])).toEqual(new Set(others));
});
