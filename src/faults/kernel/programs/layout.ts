/*
 * What the programs of an injection share, as they lie in its maps. All numbers have 64 bits.
 */

/** The one value of the counters' map: where each number is, in bytes. */
export const counterOffsets = {
  /** Not nought: do nothing any more. */
  stop: 0,
  /** How many were about to fail, whether it still was their turn or not. */
  tickets: 8,
  /** Calls of the fail point with all frames above, by who is in scope. */
  seen: 16,
  /** Those of which the fail point's own predicate holds. */
  matched: 24,
  injected: 32,
} as const;

const framesOffset = 40;
const frameBytes = 16;

export interface FrameOffsets {
  /** Calls by who is in scope, with the frames before it above. */
  readonly seen: number;
  /** Those of which its predicate holds. */
  readonly matched: number;
}

export function frameCounters(index: number): FrameOffsets {
  const seen = framesOffset + index * frameBytes;
  return { seen, matched: seen + 8 };
}

export function counterBytes(frames: number): number {
  return framesOffset + frames * frameBytes;
}

/** How far a thread is, in the map of threads; its key is the thread's and the process's number. */
export const threadOffsets = {
  /** How many frames it is in. */
  depth: 0,
  /** What tells one entry into the kernel from another. */
  entry: 8,
  /** Where the stack was when each frame began. */
  stackPointers: 16,
} as const;

export function threadBytes(frames: number): number {
  return threadOffsets.stackPointers + frames * 8;
}

/** What is written of each of the first failures. */
export const hitOffsets = { thread: 0, timeNs: 8, comm: 16 } as const;
export const hitBytes = 32;

/** So many failures are written down one by one; all are counted. */
export const hitsKept = 64;

/** No more threads are followed at the same time: those that were seen last. */
export const maxThreads = 8192;
export const maxProcesses = 16_384;

/** Clock ticks of /proc (USER_HZ) last so many nanoseconds. */
export const tickNs = 10_000_000;
