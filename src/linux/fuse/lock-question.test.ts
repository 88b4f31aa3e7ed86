import { expect, test } from 'vitest';
import {
  answerOf,
  type LockAnswer,
  type LockQuestion,
  questionOf,
  rangeOfAnswer,
  rangeOfQuestion,
} from './lock-question.ts';

test.each<LockQuestion>([
  { about: 'any' },
  { about: 'description' },
  { about: 'process', pid: 1, index: 0 },
  { about: 'process', pid: 4_194_304, index: 65_000 },
])('a question is understood: %j', (question) => {
  expect(questionOf(rangeOfQuestion(question))).toEqual(question);
});

test.each<LockAnswer>([
  { holder: undefined, handle: 17 },
  { holder: 0, handle: 0 },
  { holder: 1_048_576, handle: 1_048_575 },
])('an answer is understood: %j', (answer) => {
  const range = rangeOfAnswer(answer);
  expect(answerOf(range)).toEqual(answer);
  // The kernel refuses a lock that ends before it begins, or behind the last byte that a file can have.
  expect(range.length).toBeGreaterThan(0n);
  expect(range.start + range.length).toBeLessThan(2n ** 63n);
});

test.each([0n, 1_073_741_824n, 2n ** 62n, 2n ** 63n - 1n])(
  'a lock that a program asks for is none: from %d on',
  (start) => {
    expect(questionOf({ start, length: 1n })).toBeUndefined();
  },
);
