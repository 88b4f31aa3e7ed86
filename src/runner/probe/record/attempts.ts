import { type Growing, growing } from './growing.ts';
import { binCount, binOf, quantile } from './histogram.ts';

/** How finely a window can be cut, in ms. */
export const slotMs = 50;

/** What attempts came to in a window. */
export interface Summary {
  readonly total: number;
  readonly failed: number;
  /** The longest one, in ms. */
  readonly maxMs: number;
  /** The time in ms that `share` of the attempts were not above: 0.99 for the 99th percentile. */
  quantileMs(share: number): number;
}

/** Attempts of 50 ms, of which more may come. */
interface OpenSlot {
  readonly counts: Map<number, number>;
  failed: number;
  maxMs: number;
}

/** A bin and its count in one number, since most counts are small: 11 bits and 21 bits. */
const countBits = 21;
const countMask = 2 ** countBits - 1;

/**
 * The slots of a window: windows that follow each other share none, and leave none out. One that is within a slot is
 * taken for all of it.
 */
function slotsOf(fromMs: number, toMs: number): readonly [number, number] {
  const first = Math.floor(fromMs / slotMs);
  return [first, Math.max(Math.floor(toMs / slotMs), first + 1)];
}

/**
 * When attempts were due, how long they took, and which failed: in a histogram for each 50 ms. An hour of 500 a second
 * takes some 5 MB.
 */
export class Attempts {
  private readonly open = new Map<number, OpenSlot>();
  // Of the closed slots, in order; those without attempts are left out.
  private readonly numbers: Growing = growing((length) => new Uint32Array(length));
  private readonly starts: Growing = growing((length) => new Uint32Array(length));
  private readonly failures: Growing = growing((length) => new Uint32Array(length));
  private readonly maxima: Growing = growing((length) => new Float32Array(length));
  private readonly bins: Growing = growing((length) => new Uint32Array(length));
  /** Slots before this one are closed. */
  private openFrom = 0;

  add(dueMs: number, tookMs: number, failed: boolean): void {
    const number = Math.max(Math.floor(dueMs / slotMs), this.openFrom);
    let slot = this.open.get(number);
    if (slot === undefined) {
      slot = { counts: new Map(), failed: 0, maxMs: 0 };
      this.open.set(number, slot);
    }
    const bin = binOf(tookMs);
    slot.counts.set(bin, (slot.counts.get(bin) ?? 0) + 1);
    slot.maxMs = Math.max(slot.maxMs, tookMs);
    if (failed) slot.failed++;
  }

  /** No attempt that was due before this moment comes any more: what there is of it is packed. */
  settle(settledMs: number): void {
    const until = Math.floor(Math.min(settledMs, 2 ** 52) / slotMs);
    if (until <= this.openFrom) return;
    const done = [...this.open.keys()].filter((number) => number < until).sort((a, b) => a - b);
    for (const number of done) this.pack(number);
    this.openFrom = until;
  }

  summary(fromMs: number, toMs: number): Summary {
    const [first, end] = slotsOf(fromMs, toMs);
    const counts = new Uint32Array(binCount);
    const sum = { total: 0, failed: 0, maxMs: 0 };
    const add = (bin: number, count: number): void => {
      counts[bin] = (counts[bin] ?? 0) + count;
      sum.total += count;
    };
    for (let index = this.indexOf(first); this.numberAt(index) < end; index++) {
      for (let at = this.starts.at(index); at < this.endOf(index); at++) {
        const packed = this.bins.at(at);
        add(packed >>> countBits, packed & countMask);
      }
      sum.failed += this.failures.at(index);
      sum.maxMs = Math.max(sum.maxMs, this.maxima.at(index));
    }
    for (const [number, slot] of this.open) {
      if (number < first || number >= end) continue;
      for (const [bin, count] of slot.counts) add(bin, count);
      sum.failed += slot.failed;
      sum.maxMs = Math.max(sum.maxMs, slot.maxMs);
    }
    const { total, maxMs } = sum;
    return { ...sum, quantileMs: (share) => Math.min(quantile(counts, total, share), maxMs) };
  }

  private pack(number: number): void {
    const slot = this.open.get(number);
    if (slot === undefined) return;
    this.open.delete(number);
    this.numbers.push(number);
    this.starts.push(this.bins.length);
    this.failures.push(slot.failed);
    this.maxima.push(slot.maxMs);
    for (const [bin, count] of slot.counts) {
      for (let rest = count; rest > 0; rest -= countMask) {
        this.bins.push(bin * 2 ** countBits + Math.min(rest, countMask));
      }
    }
  }

  private numberAt(index: number): number {
    return index < this.numbers.length ? this.numbers.at(index) : Infinity;
  }

  private endOf(index: number): number {
    return index + 1 < this.starts.length ? this.starts.at(index + 1) : this.bins.length;
  }

  /** The first closed slot from this number on. */
  private indexOf(number: number): number {
    let [low, high] = [0, this.numbers.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.numbers.at(middle) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
