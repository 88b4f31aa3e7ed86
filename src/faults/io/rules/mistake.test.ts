import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MistakeSpec, OffsetRange } from '../rule.ts';
import { operation } from '../test-support/operations.ts';
import { emptyDraft } from './disturbance.ts';
import { chanceOf } from './draw.ts';
import { mistake } from './mistake.ts';

interface Case {
  readonly spec: MistakeSpec;
  readonly length: number;
  readonly offset: number;
  readonly range: OffsetRange | null;
  readonly number: number;
}

/** Positions of the bytes that became others, and what they became. */
function changed({ spec, length, offset, range, number }: Case): ReadonlyMap<number, number> {
  const draft = emptyDraft();
  mistake(spec, range, chanceOf('mistake', 0)).disturb(draft, operation({ size: length }), number);
  const bytes = new Uint8Array(length).fill(0xaa);
  draft.alterData?.(bytes, offset);
  return new Map([...bytes.entries()].filter(([, byte]) => byte !== 0xaa));
}

const someCase: fc.Arbitrary<Case> = fc.record({
  spec: fc.record({
    kind: fc.constant('mistake' as const),
    filling: fc.constantFrom('zero', 'random'),
    maxOccurrences: fc.integer({ min: 1, max: 5 }),
    maxLength: fc.integer({ min: 1, max: 50 }),
  }),
  length: fc.nat(200),
  offset: fc.nat(100),
  range: fc.option(
    fc.tuple(fc.nat(100), fc.integer({ min: 1, max: 100 })).map(([from, n]) => ({ from, to: from + n })),
  ),
  number: fc.integer({ min: 1, max: 2 ** 40 }),
});

describe('mistakes', () => {
  it('change at least one byte where there is one, no more than is allowed, and only within the range', () => {
    fc.assert(
      fc.property(someCase, (given) => {
        const { spec, length, offset, range } = given;
        const positions = [...changed(given).keys()];
        const [first, end] = [Math.max(0, (range?.from ?? 0) - offset), Math.min(length, (range?.to ?? 1e9) - offset)];
        expect(positions.length).toBeLessThanOrEqual(spec.maxOccurrences * spec.maxLength);
        expect(positions.length > 0).toBe(first < end);
        for (const position of positions) {
          expect(position).toBeGreaterThanOrEqual(first);
          expect(position).toBeLessThan(end);
        }
        expect(changed(given)).toEqual(changed(given));
      }),
      { numRuns: 500 },
    );
  });

  it('are noughts, or anything but what was there', () => {
    const spec = { kind: 'mistake', maxOccurrences: 20, maxLength: 100 } as const;
    const at = { length: 4096, offset: 0, range: null, number: 1 };
    expect(new Set(changed({ ...at, spec: { ...spec, filling: 'zero' } }).values())).toEqual(new Set([0]));
    expect(new Set(changed({ ...at, spec: { ...spec, filling: 'random' } }).values()).size).toBeGreaterThan(50);
  });

  it('are elsewhere in another operation', () => {
    const spec = { kind: 'mistake', filling: 'zero', maxOccurrences: 1, maxLength: 1 } as const;
    const places = [1, 2, 3, 4, 5].flatMap((number) => [
      ...changed({ spec, length: 4096, offset: 0, range: null, number }).keys(),
    ]);
    expect(new Set(places).size).toBe(5);
  });
});
