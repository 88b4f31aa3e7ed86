import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Labelled, labelWidth, laneLayout, type Placed, roomBeside, shortened } from './lanes.ts';

const width = 600;

const mark = fc
  .record({
    from: fc.integer({ min: 0, max: width }),
    long: fc.integer({ min: 0, max: 300 }),
    text: fc.string({ minLength: 1, maxLength: 60 }),
  })
  .map(({ from, long, text }): Labelled => {
    const where = { from, to: Math.min(width, from + long) };
    return { ...where, label: labelWidth(shortened(text, roomBeside(where, width))) };
  });

/** Where an item with its label begins and ends. */
function extent({ from, to, label }: Labelled, { side }: Placed): readonly [number, number] {
  if (side === 'inside') return [from, to];
  return side === 'right' ? [from, to + label] : [from - label, to];
}

describe('labels in lanes', () => {
  test('never overlap, and never reach beyond the plot', () => {
    fc.assert(
      fc.property(fc.array(mark, { maxLength: 40 }), (marks) => {
        const places = laneLayout(marks, width, 8);
        const placed = marks.flatMap((one, index) => {
          const place = places[index];
          return place?.lane === undefined ? [] : [{ lane: place.lane, extent: extent(one, place) }];
        });
        for (const [
          index,
          {
            lane,
            extent: [from, to],
          },
        ] of placed.entries()) {
          expect(lane).toBeLessThan(8);
          expect(from).toBeGreaterThanOrEqual(-1);
          expect(to).toBeLessThanOrEqual(width + 1);
          for (const other of placed.slice(index + 1)) {
            if (other.lane !== lane) continue;
            expect(other.extent[0] > to || other.extent[1] < from).toBe(true);
          }
        }
      }),
    );
  });

  test('what comes when every lane is full has none', () => {
    const same: Labelled = { from: 100, to: 110, label: 50 };
    expect(laneLayout([same, same, same], width, 2).map(({ lane }) => lane)).toEqual([0, 1, undefined]);
  });

  test('a label stands inside where it fits, else to the right, else to the left', () => {
    const sides = laneLayout(
      [
        { from: 0, to: 200, label: 100 },
        { from: 0, to: 20, label: 100 },
        { from: 560, to: 580, label: 100 },
      ],
      width,
      8,
    ).map(({ side }) => side);
    expect(sides).toEqual(['inside', 'right', 'left']);
  });
});

test('a text is cut with an ellipsis, between characters', () => {
  expect(shortened('short', 100)).toBe('short');
  const cut = shortened('😀'.repeat(50), 100);
  expect(cut).toMatch(/^(?:😀)+…$/u);
  expect(labelWidth(cut)).toBeLessThanOrEqual(100);
});
