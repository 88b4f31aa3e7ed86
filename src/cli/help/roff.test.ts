import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { definition, filled, inline, literal } from './roff.ts';
import { installed } from '../test-support/installed.ts';

test('what roff would act upon is escaped', () => {
  expect(inline('-p \\fB')).toBe('\\-p \\efB');
  expect(inline(`'a' "b" \`c\` ^ ~`)).toBe('\\(aqa\\(aq \\(dqb\\(dq \\(gac\\(ga \\(ha \\(ti');
  expect(inline('naïve → 𝄞…')).toBe('na\\[u00EF]ve \\[u2192] \\[u1D11E]...');
  expect(inline('one\n.two\tthree')).toBe('one .two three');
});

test('no line of a paragraph is a request, wherever it is broken', () => {
  expect(filled('.so /etc/passwd')).toBe('\\&.so /etc/passwd');
  expect(filled(`${'x'.repeat(78)} .ex`)).toBe(`${'x'.repeat(78)}\n\\&.ex`);
  expect(filled(`${'x'.repeat(78)} 'ex`)).toBe(`${'x'.repeat(78)}\n\\(aqex`);
});

test('macros', () => {
  expect(definition('\\fB\\-a\\fR', '.b')).toBe('.TP\n\\fB\\-a\\fR\n\\&.b');
  expect(literal('a -b')).toBe('.PP\n.RS 4\n.nf\n\\fBa \\-b\\fR\n.fi\n.RE');
});

test.skipIf(!installed('mandoc'))('any text comes out as it went in (needs mandoc)', () => {
  const word = fc
    .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 })
    .map((text) => text.replaceAll(' ', '.'));
  const text = fc.array(word, { minLength: 1, maxLength: 30 }).map((words) => words.join(' '));
  fc.assert(
    fc.property(fc.array(text, { minLength: 20, maxLength: 20 }), (texts) => {
      const page = ['.TH X 1 "" "" ""', '.SH X', ...texts.map((one) => `.PP\n${filled(`« ${one} »`)}`), ''].join('\n');
      const shown = execFileSync('mandoc', ['-T', 'utf8', '-O', 'width=500'], { input: page, encoding: 'utf8' });
      const found = [...shown.matchAll(/«\s+(.*?)\s+»/gs)].map(([, one = '']) => one.replaceAll(/\s+/g, ' '));
      expect(found).toEqual(texts);
    }),
    { numRuns: 20 },
  );
});
