import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameOf, frameReader } from './frames.ts';

describe('frames', () => {
  it('arrive whole and in order, however they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.nat(), fc.array(fc.string()), fc.constant(undefined))),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (values, cuts) => {
          const stream = Buffer.concat(values.map(frameOf));
          const seen: unknown[] = [];
          const read = frameReader((value) => seen.push(value));
          let at = 0;
          for (let cut = 0; at < stream.length; cut += 1) {
            const next = at + (cuts[cut % cuts.length] ?? 1);
            read(stream.subarray(at, next));
            at = next;
          }
          expect(seen).toEqual(values);
        },
      ),
    );
  });

  it('several that come at once are several', () => {
    const seen: unknown[] = [];
    frameReader((value) => seen.push(value))(Buffer.concat([frameOf('one'), frameOf({ two: 2 })]));
    expect(seen).toEqual(['one', { two: 2 }]);
  });
});
