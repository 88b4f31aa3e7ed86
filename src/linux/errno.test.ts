import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { errnoName, errnoNumber } from './errno.ts';

test('agrees with every errno that Node knows', () => {
  const known = Object.keys(constants.errno);
  expect(Object.fromEntries(known.map((name) => [name, errnoNumber(name)]))).toEqual(constants.errno);
});

test('names and numbers are each other’s inverse, without a hole but 41 and 58', () => {
  const missing: number[] = [];
  for (let number = 1; number <= 133; number += 1) {
    const name = errnoName(number);
    if (name === undefined) missing.push(number);
    expect(errnoNumber(name ?? '')).toBe(name === undefined ? undefined : number);
  }
  // The kernel's header leaves these two out: they are the places of EWOULDBLOCK and EDEADLOCK.
  expect(missing).toEqual([41, 58]);
});

test('synonyms have numbers, and the number has its one name', () => {
  expect(errnoNumber('EWOULDBLOCK')).toBe(11);
  expect(errnoNumber('EDEADLOCK')).toBe(35);
  expect(errnoNumber('ENOTSUP')).toBe(95);
  expect(errnoName(11)).toBe('EAGAIN');
  expect(errnoName(95)).toBe('EOPNOTSUPP');
});

test.each(['', 'enoent', 'ENOPE', 'toString', '__proto__', '2'])('%j is no errno', (name) => {
  expect(errnoNumber(name)).toBeUndefined();
});

test.each([0, -2, 134, 512, Number.NaN])('%d has no name', (number) => {
  expect(errnoName(number)).toBeUndefined();
});
