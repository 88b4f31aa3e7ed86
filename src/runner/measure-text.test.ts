import { describe, expect, it } from 'vitest';
import type { Json } from '../base/json.ts';
import { measureText } from './measure-text.ts';
import type { Measure } from './measures.ts';

describe('a measured value', () => {
  it.each<readonly [Json, Measure['unit'], string]>([
    [0, 'ms', '0 ms'],
    [0.25, 'ms', '250 µs'],
    [3.456, 'ms', '3.46 ms'],
    [250, 'ms', '250 ms'],
    [250.4, 'ms', '250.4 ms'],
    [2100, 'ms', '2.1 s'],
    [90_000, 'ms', '1m30s'],
    [-5, 'ms', '-5 ms'],
    [99.9, '%', '99.9%'],
    [100, '%', '100%'],
    [99.9999, '%', '99.99%'],
    [0.0001, '%', '0.01%'],
    [0, '%', '0%'],
    [(2 / 3) * 100, '%', '66.66%'],
    [1000, 'bytes', '1000 B'],
    [10_485_760, 'bytes', '10 MiB'],
    [10_485_761, 'bytes', '10 MiB'],
    [99.999, '/s', '100/s'],
    [0.1, '/s', '0.1/s'],
    [2, '', '2'],
    [0.123456, '', '0.123'],
    ['up', '', '"up"'],
    ['a\u001b[2Jb\u202e', '', '"a\\u001b[2Jb\\u{202e}"'],
    [true, '', 'true'],
    [null, '', 'nothing'],
    [{ a: [1] }, '', '{"a":[1]}'],
  ])('%j in %j is %s', (value, unit, text) => {
    expect(measureText(value, unit)).toBe(text);
  });

  it('is cut where it is long', () => {
    const text = measureText('x'.repeat(1000), '');
    expect(text).toMatch(/^"x+…"$/u);
    expect(text.length).toBeLessThan(90);
  });
});
