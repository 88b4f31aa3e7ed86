import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance } from './near-names.ts';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['nginx', 'nginx', 0],
    ['nginx', '', 5],
    ['nginx', 'ngix', 1],
    ['nginx', 'nginxx', 1],
    ['nginx', 'nginz', 1],
    ['nginx', 'nignx', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
    ['a🐘b', 'ab', 1],
  ])('of %s and %s is %s', (a, b, distance) => expect(editDistance(a, b)).toBe(distance));

  it('is a distance: symmetric, zero only for equals, at most the longer length', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });

  it('is one for any single edit', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.nat(), (text, at) => {
        const place = at % text.length;
        const inserted = `${text.slice(0, place)}§${text.slice(place)}`;
        expect(editDistance(text, inserted)).toBe(1);
      }),
    );
  });
});
