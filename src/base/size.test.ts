import { describe, expect, it } from 'vitest';
import { formatSize, parseSize } from './size.ts';

describe('parseSize', () => {
  it.each([
    ['0', 0],
    ['4096', 4096],
    ['512B', 512],
    ['4k', 4096],
    ['4K', 4096],
    ['4KiB', 4096],
    ['4kB', 4000],
    ['4 kB', 4000],
    ['1.5MiB', 1_572_864],
    ['10MB', 10_000_000],
    ['2G', 2_147_483_648],
    ['1Ti', 1_099_511_627_776],
    ['.5K', 512],
    ['1.9', 1],
  ])('takes %s for %d bytes', (text, bytes) => {
    expect(parseSize(text, '--size')).toBe(bytes);
  });

  it.each(['', ' ', '-1', '+1', '4X', '4 K K', '1e3', 'K', '0x10', '99999999T', '4K/s', 'NaN', '1.2.3'])(
    'refuses %j',
    (text) => {
      expect(() => parseSize(text, '--size')).toThrow(/^--size .*is not a number of bytes/u);
    },
  );
});

describe('formatSize', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [4096, '4 KiB'],
    [1_572_864, '1.5 MiB'],
    [2 ** 52, '4096 TiB'],
  ])('says %d as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});
