/** One measured number. Benchmarks give figures; they assert nothing. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** `ms`, `MiB`, `×` */
  readonly unit: string;
  /** What it should not exceed, for people: `≤ 60 ms`. */
  readonly bound?: string;
}

/** The middle one of some measurements, which a few disturbed ones do not move. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** How long each of `runs` calls took, in ms. */
export function timeEach(runs: number, work: () => void): number[] {
  return Array.from({ length: runs }, () => {
    const begin = performance.now();
    work();
    return performance.now() - begin;
  });
}
