import { expect, test } from 'vitest';
import { Attempts } from './attempts.ts';

test('windows that follow each other count each attempt once, whether or not it is settled', () => {
  const attempts = new Attempts();
  for (let ms = 0; ms < 10_000; ms += 2) attempts.add(ms, ms % 100, ms % 10 === 0);
  for (const settledMs of [0, 3_333, Infinity]) {
    attempts.settle(settledMs);
    const bounds = [0, 1_234, 1_290, 5_017, 10_000];
    const windows = bounds.slice(1).map((to, index) => attempts.summary(bounds[index] ?? 0, to));
    expect(windows.reduce((sum, { total }) => sum + total, 0)).toBe(5_000);
    expect(windows.reduce((sum, { failed }) => sum + failed, 0)).toBe(1_000);
    expect(attempts.summary(0, 10_000).maxMs).toBe(98);
    expect(attempts.summary(0, 10_000).quantileMs(0.5)).toBeCloseTo(49, -1);
  }
});

test('an attempt that ends long after others were settled still counts when it was due', () => {
  const attempts = new Attempts();
  attempts.add(5_000, 1, false);
  attempts.settle(1_000);
  attempts.add(1_010, 3_990, true);
  expect(attempts.summary(1_000, 1_050)).toMatchObject({ total: 1, failed: 1, maxMs: 3_990 });
  expect(attempts.summary(4_000, 5_050)).toMatchObject({ total: 1, failed: 0 });
});

test('a window without attempts has none', () => {
  expect(new Attempts().summary(0, 1_000)).toMatchObject({ total: 0, failed: 0, maxMs: 0 });
});
