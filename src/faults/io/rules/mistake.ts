import type { MistakeSpec, OffsetRange } from '../rule.ts';
import type { Disturbance } from './disturbance.ts';
import { type Chance, purposes, wholeNumber } from './draw.ts';

/** Purposes of draws for the bytes begin above those for all segments that there may be. */
const byteDraws = purposes.segments + 2 * 65_536;

interface Segment {
  readonly start: number;
  readonly end: number;
}

/**
 * Some of the bytes that were read, or that are about to be written, become others: 1 to `maxOccurrences` segments of
 * 1 to `maxLength` bytes, anywhere in the operation, or in its part within the rule's range. `zero` makes them 0;
 * `random` makes each another one than it was.
 */
export function mistake(spec: MistakeSpec, range: OffsetRange | null, chance: Chance): Disturbance {
  function segmentOf(number: number, index: number, first: number, end: number): Segment {
    const longest = Math.min(spec.maxLength, end - first);
    const purpose = purposes.segments + 2 * index;
    const length = Math.min(wholeNumber(chance.draw(number, purpose), 1, spec.maxLength), longest);
    const start = wholeNumber(chance.draw(number, purpose + 1), first, end - length);
    return { start, end: start + length };
  }

  /** In order, so that where they overlap no byte is changed twice, and so perhaps back. */
  function segments(number: number, first: number, end: number): readonly Segment[] {
    const occurrences = wholeNumber(chance.draw(number, purposes.mistakes), 1, spec.maxOccurrences);
    return Array.from({ length: occurrences }, (_, index) => segmentOf(number, index, first, end)).toSorted(
      (a, b) => a.start - b.start,
    );
  }

  function wrongByte(byte: number, number: number, position: number): number {
    if (spec.filling === 'zero') return 0;
    return byte ^ (1 + (chance.bits(number, byteDraws + position) % 255));
  }

  function alter(bytes: Uint8Array, offset: number, number: number): void {
    const first = Math.max(0, (range?.from ?? 0) - offset);
    const end = Math.min(bytes.length, (range?.to ?? Infinity) - offset);
    if (first >= end) return;
    let done = first;
    for (const segment of segments(number, first, end)) {
      for (let at = Math.max(done, segment.start); at < segment.end; at += 1) {
        bytes[at] = wrongByte(bytes[at] ?? 0, number, at);
      }
      done = Math.max(done, segment.end);
    }
  }

  return {
    evenIfItFails: false,
    applies: ({ size }) => size > 0,
    disturb(draft, _operation, number) {
      const before = draft.alterData;
      draft.alterData = (bytes, offset) => {
        before?.(bytes, offset);
        alter(bytes, offset, number);
      };
    },
  };
}
