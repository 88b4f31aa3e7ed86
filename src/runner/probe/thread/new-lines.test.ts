import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newLines } from './new-lines.ts';

test('lines are the same however they are cut into pieces', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(40)), (texts, cuts) => {
      const lines = texts.map((text) => text.replaceAll(/[\r\n]/g, ''));
      let bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      const read = newLines();
      const seen: string[] = [];
      for (const cut of cuts) {
        seen.push(...read(bytes.subarray(0, cut)));
        bytes = bytes.subarray(cut);
      }
      seen.push(...read(bytes));
      expect(seen).toEqual(lines);
    }),
  );
});

test('the end of a line that is too long is left out, and the next line is whole', () => {
  const read = newLines();
  const long = 'x'.repeat(100_000);
  expect(read(Buffer.from(long))).toEqual([]);
  const [first, second] = read(Buffer.from(`${long}\nnext\n`));
  expect(first?.length).toBe(64 * 1024);
  expect(second).toBe('next');
});

test('what has no end of line yet is no line', () => {
  const read = newLines();
  expect(read(Buffer.from('half'))).toEqual([]);
  expect(read(Buffer.from(' and half\r\n'))).toEqual(['half and half']);
});
