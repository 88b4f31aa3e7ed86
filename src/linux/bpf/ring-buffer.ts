import { bindUnchecked, mapShared } from '../libc.ts';
import type { BpfMap } from './map.ts';

/*
 * Reading a ring buffer (BPF_MAP_TYPE_RINGBUF, Linux 5.8): Documentation/bpf/ringbuf.rst. The first page holds how far
 * the reader is, the second how far the writers are, and the data come after, twice in a row, so that no record is cut.
 */

/** The smallest ring buffer, in bytes: getpagesize(2). */
export const pageSize = bindUnchecked('getpagesize', 'int', []);

/** Bits of a record's length: it is still being written; it is void. kernel/bpf/ringbuf.c */
const BUSY_BIT = 0x8000_0000;
const DISCARD_BIT = 0x4000_0000;
const headerBytes = 8;

export interface RingBuffer {
  /** What has been written and not been taken out, at most so many records, the oldest first; copies. */
  peek(most: number): readonly Buffer[];
  /** The same, and take it out. */
  drain(most: number): readonly Buffer[];
  close(): void;
}

/** @throws {SyscallError} */
export function openRingBuffer({ fd, type, maxEntries }: BpfMap): RingBuffer {
  if (type !== 'ringBuffer') throw new Error('it is no ring buffer');
  const pageBytes = pageSize();
  const reader = mapShared(fd, pageBytes, 0, 'write');
  const writer = mapShared(fd, pageBytes + 2 * maxEntries, pageBytes, 'read');
  const readUpTo = new BigUint64Array(reader.buffer, 0, 1);
  const writtenUpTo = new BigUint64Array(writer.buffer, 0, 1);
  const lengths = new Int32Array(writer.buffer, pageBytes);
  const data = Buffer.from(writer.buffer, pageBytes);

  /** @returns the records, and up to where they go */
  function read(most: number): { readonly records: readonly Buffer[]; readonly upTo: bigint } {
    const records: Buffer[] = [];
    let at = Atomics.load(readUpTo, 0);
    const end = Atomics.load(writtenUpTo, 0);
    while (at < end && records.length < most) {
      const start = Number(at % BigInt(maxEntries));
      const length = Atomics.load(lengths, start / 4) >>> 0;
      if ((length & BUSY_BIT) !== 0) break;
      const bytes = (length & ~(BUSY_BIT | DISCARD_BIT)) >>> 0;
      if ((length & DISCARD_BIT) === 0) {
        records.push(Buffer.from(data.subarray(start + headerBytes, start + headerBytes + bytes)));
      }
      at += BigInt((headerBytes + bytes + 7) & ~7);
    }
    return { records, upTo: at };
  }

  return Object.freeze<RingBuffer>({
    peek: (most) => read(most).records,
    drain: (most) => {
      const { records, upTo } = read(most);
      Atomics.store(readUpTo, 0, upTo);
      return records;
    },
    close: () => {
      reader.unmap();
      writer.unmap();
    },
  });
}
