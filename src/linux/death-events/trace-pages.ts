/*
 * Pages of the kernel's trace buffer as `trace_pipe_raw` gives them: kernel/trace/ring_buffer.c, and what
 * events/header_page and events/header_event say. A page begins with a time and with how many bytes of it are used.
 */

/** enum ring_buffer_type; smaller ones are the length of the record, in words of four bytes. */
const Type = { padding: 29, timeExtend: 30, timeStamp: 31 } as const;

const headerBytes = 16;

/** Flags in the number of used bytes: RB_MISSED_EVENTS, RB_MISSED_STORED. What was missed is counted elsewhere. */
const usedMask = 0x0fff_ffff;

export interface TraceRecord {
  /** ns on the clock of the trace. */
  readonly time: bigint;
  /** Begins with the number of its format; valid as long as the page is. */
  readonly bytes: Buffer;
}

/** The records of a page, the oldest first; what is damaged ends it. */
export function recordsOf(page: Buffer): readonly TraceRecord[] {
  if (page.length < headerBytes) return [];
  const records: TraceRecord[] = [];
  const end = Math.min(page.length, headerBytes + (page.readUInt32LE(8) & usedMask));
  let time = page.readBigUInt64LE(0);
  let at = headerBytes;
  while (at + 4 <= end) {
    const head = page.readUInt32LE(at);
    const [type, delta] = [head & 0x1f, head >>> 5];
    const word = at + 8 <= end ? page.readUInt32LE(at + 4) : 0;
    if (type === Type.padding) {
      if (delta === 0) break; // nothing more on this page
      at += 4 + word;
    } else if (type === Type.timeExtend || type === Type.timeStamp) {
      const value = (BigInt(word) << 27n) | BigInt(delta);
      time = type === Type.timeExtend ? time + value : value;
      at += 8;
    } else {
      time += BigInt(delta);
      // A length of its own stands before the record, and counts itself.
      const [start, length] = type === 0 ? [at + 8, word - 4] : [at + 4, type * 4];
      if (length <= 0 || start + length > end) break;
      records.push({ time, bytes: page.subarray(start, start + length) });
      at = start + length;
    }
  }
  return records;
}
