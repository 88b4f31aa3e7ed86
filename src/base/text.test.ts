import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { count, hasUnprintable, listed, printable, printableLines } from './text.ts';

describe('printable', () => {
  test.each([
    ['nginx: worker', 'nginx: worker'],
    ['a\nb', String.raw`a\x0ab`],
    ['\u001b[31mred', String.raw`\x1b[31mred`],
    ['\u009b31m', String.raw`\x9b31m`],
    ['\u202egnp.exe', String.raw`\u{202e}gnp.exe`],
    ['zero\u200bwidth', String.raw`zero\u{200b}width`],
    ['größe 大', 'größe 大'],
    ['\ud800', String.raw`\u{d800}`],
  ])('%j becomes %j', (text, safe) => {
    expect(printable(text)).toBe(safe);
  });

  test('a text of several lines keeps them, and nothing else', () => {
    expect(printableLines('one\n  two\r\u001b[2J\n')).toBe('one\n  two\\x0d\\x1b[2J\n');
  });

  test('nothing that acts on a terminal is left of any text, and doing it twice changes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const safe = printable(text);
        expect(hasUnprintable(safe)).toBe(false);
        expect(
          [...safe].every((character) => character >= ' ' && !(character >= '\u007f' && character <= '\u009f')),
        ).toBe(true);
        expect(printable(safe)).toBe(safe);
      }),
    );
  });
});

test('counts and lists', () => {
  expect([count(1, 'process', 'processes'), count(0, 'target')]).toEqual(['1 process', '0 targets']);
  expect(listed(['a', 'b'], 3)).toBe('a, b');
  expect(listed(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
});
