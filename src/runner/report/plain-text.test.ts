import { expect, test } from 'vitest';
import { dateText, duration, moment, plain, plainLines, sentence, shellWord, valueText } from './plain-text.ts';

test('what acts or hides is spelled out', () => {
  expect(plain('a\u0000\u202e\ud800\ufffe\n')).toBe('a\\x00\\u{202e}\\u{d800}\\u{fffe}\\x0a');
  expect(plainLines('a\r\n\tb\u0007')).toBe('a\n\tb\\x07');
});

test('a sentence begins with a capital, unless with the name of a probe, and ends', () => {
  expect(sentence('every probe held')).toBe('Every probe held.');
  expect(sentence('answers: p99 was 2 s')).toBe('answers: p99 was 2 s.');
  expect(sentence('Done!')).toBe('Done!');
  expect(sentence('')).toBe('');
});

test('moments, durations, values and dates are as people write them', () => {
  expect([moment(0), moment(4210), duration(90_000)]).toEqual(['+0 s', '+4.2 s', '1m30s']);
  expect(valueText(241.234, 'ms')).toBe('241.2 ms');
  expect(valueText(99.987, '%')).toBe('99.98%');
  expect(valueText(100, '/s')).toBe('100/s');
  expect(valueText(3, 'parsecs')).toBe('3 parsecs');
  expect(dateText('2026-11-22T05:02:47.120Z')).toBe('2026-11-22 05:02:47 UTC');
  expect(dateText('yesterday')).toBe('yesterday');
});

test('a word for a shell is quoted where it must be', () => {
  expect(shellWord('examples/kill.yaml')).toBe('examples/kill.yaml');
  expect(shellWord("it's $HOME")).toBe(`'it'\\''s $HOME'`);
  expect(shellWord('')).toBe("''");
});
