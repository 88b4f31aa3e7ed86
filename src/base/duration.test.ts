import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, maxDurationMs, parseDuration } from './duration.ts';
import { FaultlineError } from './error.ts';

describe('parseDuration', () => {
  test.each([
    ['10ms', 10],
    ['1.5s', 1500],
    ['1m30s', 90_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['.5s', 500],
    ['250us', 0.25],
    ['250µs', 0.25],
    ['1ns', 1e-6],
    ['1h1m1s1ms', 3_661_001],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBeCloseTo(ms, 6);
  });

  test.each([
    '',
    ' ',
    '5',
    '5 s',
    '-5s',
    '+5s',
    '0s',
    '0',
    '5x',
    's',
    '1s2',
    'NaN',
    'Infinitys',
    '1e3s',
    '400d',
    '５s',
  ])('%j is refused', (text) => {
    expect(() => parseDuration(text, '--duration')).toThrow(FaultlineError);
  });

  test('any text is a duration in bounds or refused as such', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          const ms = parseDuration(text);
          expect(ms).toBeGreaterThan(0);
          expect(ms).toBeLessThanOrEqual(maxDurationMs);
        } catch (error) {
          expect(error).toMatchObject({ code: 'DURATION_INVALID' });
        }
      }),
    );
  });
});

test.each([
  [0.25, '250 µs'],
  [1.04, '1 ms'],
  [1.55, '1.6 ms'],
  [340, '340 ms'],
  [2_500, '2.5 s'],
  [90_000, '1m30s'],
  [7_500_000, '2h5m'],
  [90_061_000, '1d1h'],
])('%d ms is shown as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
