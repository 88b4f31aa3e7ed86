import { expect, test } from 'vitest';
import { fizzBuzz } from './fizzbuzz.ts';

test('as it is played', () => {
  expect([1, 2, 3, 5, 6, 10, 15, 16, 30].map(fizzBuzz)).toEqual([
    '1',
    '2',
    'Fizz',
    'Buzz',
    'Fizz',
    'Buzz',
    'FizzBuzz',
    '16',
    'FizzBuzz',
  ]);
});
