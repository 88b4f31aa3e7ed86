import { describe, expect, test } from 'vitest';
import { matchesOf } from './bounded-regex.ts';

describe('matchesOf', () => {
  test('tells which texts match', () => {
    expect(matchesOf(/^b/u, ['abc', 'bcd', ''])).toEqual([false, true, false]);
    expect(matchesOf(/x/u, [])).toEqual([]);
  });

  test('a pattern that backtracks without end is cut off and refused, and the next one works', () => {
    const texts = ['fine', `${'a'.repeat(60)}!`, 'never reached'];
    expect(() => matchesOf(/^(?:a+)+$/u, texts, 50)).toThrow(
      expect.objectContaining({ code: 'REGEX_INVALID', message: expect.stringContaining('takes too long') }),
    );
    expect(matchesOf(/^fine$/u, texts)).toEqual([true, false, false]);
  });
});
