import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isDeeper } from './nesting.ts';

test.each([
  ['[]', 1, false],
  ['[[]]', 1, true],
  ['{"a":[{}]}', 3, false],
  ['{"a":[{}]}', 2, true],
  ['[],[],[]', 1, false],
  [String.raw`["[[[[\"[[[["]`, 1, false],
  [String.raw`["\\",[]]`, 1, true],
  ['"[[[[', 1, false],
  ['["\\', 1, false],
  [']]]]]', 1, false],
  ['', 0, false],
])('%s has more than %d levels: %s', (text, levels, deeper) => {
  expect(isDeeper(text, levels)).toBe(deeper);
});

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('any document is as deep as it is', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = JSON.stringify(value);
      const depth = depthOf(JSON.parse(text));
      expect(isDeeper(text, depth)).toBe(false);
      expect(depth > 0 && !isDeeper(text, depth - 1)).toBe(false);
    }),
  );
});
