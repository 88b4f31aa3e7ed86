import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wordSearch } from './word-search.ts';

const words = ['oom-kill', 'oom_re', 'segfault', 'Killed', 'abcabcd'];

function everyHit(text: string): readonly number[] {
  const bytes = Buffer.from(text, 'latin1');
  const search = wordSearch(words);
  const hits: number[] = [];
  for (let at = -1; ; ) {
    at = search.next(bytes, at + 1, bytes.length);
    if (at === -1) return hits;
    hits.push(at);
  }
}

test('finds what indexOf finds, whatever the text', () => {
  const piece = fc.constantFrom(...words, 'oom', 'abc', 'k', 'Kill', ' ', '\n', 'segfaul');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('');
      const expected = [...text].flatMap((_letter, at) =>
        words.some((word) => text.startsWith(word, at)) ? [at] : [],
      );
      expect(everyHit(text)).toEqual(expected);
    }),
  );
});

test('a word that the end cuts off is none', () => {
  const bytes = Buffer.from('xx Killed');
  expect(wordSearch(words).next(bytes, 0, bytes.length - 1)).toBe(-1);
  expect(wordSearch(words).next(bytes, 0, bytes.length)).toBe(3);
});
