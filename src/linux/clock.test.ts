import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bootTimeMs, startTimeMs, ticksPerSecond } from './clock.ts';

test('agrees with the kernel’s uptime', () => {
  const before = bootTimeMs();
  const uptimeMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
  const after = bootTimeMs();
  // The file is exact to 10 ms.
  expect(uptimeMs).toBeGreaterThan(before - 10);
  expect(uptimeMs).toBeLessThanOrEqual(after);
});

test('never goes back, and is finer than a millisecond', () => {
  const readings = Array.from({ length: 1000 }, bootTimeMs);
  expect(readings).toEqual([...readings].sort((a, b) => a - b));
  expect(readings.some((ms) => !Number.isInteger(ms))).toBe(true);
});

test('ticks are what getconf says', () => {
  expect(ticksPerSecond()).toBe(Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })));
});

test('start times convert from ticks', () => {
  expect(startTimeMs({ startTimeTicks: 0 })).toBe(0);
  expect(startTimeMs({ startTimeTicks: 12_345 })).toBe((12_345 * 1000) / ticksPerSecond());
});
