import { expect, test } from 'vitest';
import { usedBytes } from './vdso.ts';

test.each([
  [[], 0],
  [[0, 0, 0], 0],
  [[0, 7, 0, 0], 2],
  [[1], 1],
])('%j is used up to byte %i', (bytes, used) => {
  expect(usedBytes(Uint8Array.from(bytes))).toBe(used);
});
