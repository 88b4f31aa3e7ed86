import { expect, test } from 'vitest';
import { parseMeminfo, readMeminfo } from './meminfo.ts';

test('kB are bytes', () => {
  const text =
    'MemTotal:       24681484 kB\nMemFree: 1 kB\nMemAvailable:   22000000 kB\nSwapTotal:  0 kB\nSwapFree:  0 kB\n';
  expect(parseMeminfo(text)).toEqual({
    totalBytes: 24_681_484 * 1024,
    availableBytes: 22_000_000 * 1024,
    swapTotalBytes: 0,
    swapFreeBytes: 0,
  });
});

test('this host has memory, not all of it in use', () => {
  const { totalBytes, availableBytes } = readMeminfo();
  expect(availableBytes).toBeGreaterThan(0);
  expect(availableBytes).toBeLessThanOrEqual(totalBytes);
});
