import { decodeFileName, encodeFileName } from '../../base/file-name.ts';
import { type FuseMethod, fuseMethods } from '../../linux/fuse/methods.ts';
import { maxRules } from './rule.ts';

/*
 * What became of each rule: counters and the last events, in memory that the threads of the data plane write and the
 * control thread reads, without locks. Every word is written and read by Atomics, so that the order in which one thread
 * writes them is the order in which any other sees them (ECMA-262, Memory Model), on every processor.
 */

/** One operation that was disturbed. */
export interface IoEvent {
  /** Wall-clock time, in ms since 1970. */
  readonly time: number;
  /** The thread that asked; 0 for none that can be seen. */
  readonly pid: number;
  readonly method: FuseMethod;
  /** From the volume's root; of a path of more than 255 bytes the end, after `…`. */
  readonly path: string;
  readonly offset: number;
  readonly size: number;
  /** What it failed with; 0: it did not fail. */
  readonly errno: number;
  readonly delayMs: number;
  /** No more than so many bytes were read or written; null: as many as were asked for. */
  readonly maxBytes: number | null;
}

/** What is known of a rule. */
export interface RuleCounts {
  /** Operations that its path and methods fit. */
  readonly seen: number;
  /** Of these, those that its other filters fit, and that it could have changed. */
  readonly matched: number;
  /** Of these, those that it did disturb. */
  readonly injected: number;
  /** The last ten of these, the oldest first. */
  readonly recent: readonly IoEvent[];
}

/** How a worker counts for one rule. */
export interface RuleCounter {
  see(): void;
  /** @returns the operation's number among those that matched, from 1 */
  match(): number;
  /** @returns false when as many as `limit` were injected already; exact, however many threads ask at once */
  inject(limit: number | null): boolean;
  record(event: IoEvent): void;
  /** A time in ns that the threads share, for the rule itself to use; 0 at first. */
  readonly clock: { load(): bigint; compareExchange(expected: bigint, replacement: bigint): bigint };
}

/** Twice as many as rules, and two: a rule that is new never gets the slot of one that was just taken away. */
export const counterSlots = 2 * maxRules + 2;

/** 64-bit words at the beginning of a slot. */
const word64 = { seen: 0, matched: 1, injected: 2, events: 3, clock: 4 } as const;
const headerBytes = 64;

/** 32-bit words of an event. Those of two words are float64. */
const word32 = {
  /** Odd while it is being written. */
  sequence: 0,
  ticket: 1,
  pid: 2,
  method: 3,
  errno: 4,
  pathLength: 5,
  time: 6,
  offset: 8,
  size: 10,
  delayMs: 12,
  maxBytes: 14,
  path: 16,
} as const;

const pathBytes = 255;
const eventWords = word32.path + 64;
const ringSize = 10;
const slotBytes = headerBytes + ringSize * eventWords * 4;

/** A path that is longer than what is kept is marked by this bit of its length. */
const cutMark = 1 << 16;

export function createCounters(): SharedArrayBuffer {
  return new SharedArrayBuffer(counterSlots * slotBytes);
}

const wide = (memory: SharedArrayBuffer, slot: number): BigInt64Array =>
  new BigInt64Array(memory, slot * slotBytes, headerBytes / 8);

const narrow = (memory: SharedArrayBuffer, slot: number): Int32Array =>
  new Int32Array(memory, slot * slotBytes + headerBytes, ringSize * eventWords);

/** Begin anew with a slot that no rule in force uses. */
export function clearCounter(memory: SharedArrayBuffer, slot: number): void {
  new Uint8Array(memory, slot * slotBytes, slotBytes).fill(0);
}

/** One float64 as two 32-bit words, and back. */
const float = new Float64Array(1);
const halves = new Int32Array(float.buffer);

function storeFloat(words: Int32Array, at: number, value: number): void {
  float[0] = value;
  Atomics.store(words, at, halves[0] ?? 0);
  Atomics.store(words, at + 1, halves[1] ?? 0);
}

function loadFloat(words: Int32Array, at: number): number {
  halves[0] = Atomics.load(words, at);
  halves[1] = Atomics.load(words, at + 1);
  return float[0] ?? 0;
}

/** Four bytes of a path at a time, the first in the lowest bits. */
function storePath(words: Int32Array, at: number, path: string): void {
  const bytes = encodeFileName(path);
  const kept = bytes.subarray(Math.max(0, bytes.length - pathBytes));
  Atomics.store(words, at + word32.pathLength, kept.length | (kept.length < bytes.length ? cutMark : 0));
  for (let index = 0; index < kept.length; index += 4) {
    const [a = 0, b = 0, c = 0, d = 0] = kept.subarray(index, index + 4);
    Atomics.store(words, at + word32.path + index / 4, a | (b << 8) | (c << 16) | (d << 24));
  }
}

function loadPath(words: Int32Array, at: number): string {
  const marked = Atomics.load(words, at + word32.pathLength);
  const bytes = new Uint8Array(Math.min(marked & 0xff, pathBytes));
  for (const index of bytes.keys()) {
    bytes[index] = Atomics.load(words, at + word32.path + (index >> 2)) >>> ((index & 3) * 8);
  }
  const cut = (marked & cutMark) !== 0;
  // The cut may go through a character; what is left of it is nothing that anybody wrote.
  const start = cut ? bytes.findIndex((byte) => (byte & 0xc0) !== 0x80) : 0;
  return `${cut ? '…' : ''}${decodeFileName(bytes.subarray(Math.max(0, start)))}`;
}

/**
 * Write an event over the one that is ten older. A thread that finds another one writing at the very place, or
 * something newer there, leaves its event out: the counters have it all the same.
 */
function writeEvent(words: Int32Array, ticket: number, event: IoEvent): void {
  const at = (ticket % ringSize) * eventWords;
  const sequence = Atomics.load(words, at);
  if ((sequence & 1) === 1 || Atomics.compareExchange(words, at, sequence, sequence + 1) !== sequence) return;
  const newer = sequence !== 0 && ((Atomics.load(words, at + word32.ticket) - ticket) | 0) > 0;
  if (!newer) {
    Atomics.store(words, at + word32.ticket, ticket | 0);
    Atomics.store(words, at + word32.pid, event.pid);
    Atomics.store(words, at + word32.method, fuseMethods.indexOf(event.method));
    Atomics.store(words, at + word32.errno, event.errno);
    storeFloat(words, at + word32.time, event.time);
    storeFloat(words, at + word32.offset, event.offset);
    storeFloat(words, at + word32.size, event.size);
    storeFloat(words, at + word32.delayMs, event.delayMs);
    storeFloat(words, at + word32.maxBytes, event.maxBytes ?? Number.NaN);
    storePath(words, at, event.path);
  }
  Atomics.store(words, at, (sequence + 2) | 0);
}

/** The counters of a rule, for a worker. */
export function counterAt(memory: SharedArrayBuffer, slot: number): RuleCounter {
  const header = wide(memory, slot);
  const ring = narrow(memory, slot);

  function inject(limit: number | null): boolean {
    if (limit === null) {
      Atomics.add(header, word64.injected, 1n);
      return true;
    }
    for (;;) {
      const injected = Atomics.load(header, word64.injected);
      if (injected >= BigInt(limit)) return false;
      if (Atomics.compareExchange(header, word64.injected, injected, injected + 1n) === injected) return true;
    }
  }

  return Object.freeze({
    see: () => void Atomics.add(header, word64.seen, 1n),
    match: () => Number(Atomics.add(header, word64.matched, 1n)) + 1,
    inject,
    record: (event: IoEvent) => writeEvent(ring, Number(Atomics.add(header, word64.events, 1n)), event),
    clock: Object.freeze({
      load: () => Atomics.load(header, word64.clock),
      compareExchange: (expected: bigint, replacement: bigint) =>
        Atomics.compareExchange(header, word64.clock, expected, replacement),
    }),
  });
}

interface Stamped {
  readonly ticket: number;
  readonly event: IoEvent;
}

/** How often a reader looks again at an event that is being written over, before it goes without it. */
const maxTries = 100;

function readEvent(words: Int32Array, place: number): Stamped | undefined {
  const at = place * eventWords;
  for (let tries = 0; tries < maxTries; tries += 1) {
    const sequence = Atomics.load(words, at);
    if (sequence === 0) return undefined;
    if ((sequence & 1) === 1) continue;
    const maxBytes = loadFloat(words, at + word32.maxBytes);
    const event: IoEvent = {
      time: loadFloat(words, at + word32.time),
      pid: Atomics.load(words, at + word32.pid),
      method: fuseMethods[Atomics.load(words, at + word32.method)] ?? 'read',
      path: loadPath(words, at),
      offset: loadFloat(words, at + word32.offset),
      size: loadFloat(words, at + word32.size),
      errno: Atomics.load(words, at + word32.errno),
      delayMs: loadFloat(words, at + word32.delayMs),
      maxBytes: Number.isNaN(maxBytes) ? null : maxBytes,
    };
    const ticket = Atomics.load(words, at + word32.ticket);
    if (Atomics.load(words, at) === sequence) return { ticket, event };
  }
  return undefined;
}

/** What became of a rule, as of now. */
export function readCounts(memory: SharedArrayBuffer, slot: number): RuleCounts {
  const header = wide(memory, slot);
  const ring = narrow(memory, slot);
  const events = Array.from({ length: ringSize }, (_, place) => readEvent(ring, place) ?? []).flat();
  const counted = (at: number): number => Number(Atomics.load(header, at));
  return {
    // The last first: what is injected was matched before, and seen before that.
    injected: counted(word64.injected),
    matched: counted(word64.matched),
    seen: counted(word64.seen),
    recent: events.toSorted((a, b) => (a.ticket - b.ticket) | 0).map(({ event }) => event),
  };
}
