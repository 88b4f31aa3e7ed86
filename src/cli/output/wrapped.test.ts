import { expect, test } from 'vitest';
import { wrapped } from './wrapped.ts';

test('lines are broken at spaces, and those after the first are indented', () => {
  expect(wrapped('one two three four', '· ', '  ', 10)).toEqual(['· one two', '  three', '  four']);
});

test('a word that is too long stands alone, whole', () => {
  expect(wrapped('a /a/very/long/path b', '', '  ', 8)).toEqual(['a', '  /a/very/long/path', '  b']);
});
