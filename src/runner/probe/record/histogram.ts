/*
 * Times in a log-linear histogram: each power of two is cut into 32 equal bins, so that the middle of a bin is within
 * 1.6 % of every time in it, be it microseconds or minutes.
 *
 * The scheme is that of HdrHistogram. Its libraries keep one array for all bins of each histogram; here there are tens
 * of thousands of histograms with a handful of times in each, which are merged again and again. That is all of the
 * code below.
 */

/** Bins for each power of two. */
const binsPerOctave = 32;
/** The shortest time that is told apart: 2^-10 ms, a microsecond. */
const lowestExponent = -10;
/** The longest: 2^23 ms, more than two hours. */
const octaves = 33;

/** How many bins there are. */
export const binCount = octaves * binsPerOctave;

/** The bin of a time in ms. What is shorter or longer than any bin goes into the first or the last. */
export function binOf(ms: number): number {
  if (!(ms >= 2 ** lowestExponent)) return 0;
  // Math.log2 may be off by a hair at a power of two, where the lower one is right.
  const rough = Math.floor(Math.log2(ms));
  const exponent = ms < 2 ** rough ? rough - 1 : rough;
  const within = Math.floor((ms / 2 ** exponent - 1) * binsPerOctave);
  const bin = (exponent - lowestExponent) * binsPerOctave + Math.min(within, binsPerOctave - 1);
  return Math.min(bin, binCount - 1);
}

/** The middle of a bin, in ms. */
export function middleOf(bin: number): number {
  const octave = Math.floor(bin / binsPerOctave);
  return 2 ** (octave + lowestExponent) * (1 + ((bin % binsPerOctave) + 0.5) / binsPerOctave);
}

/**
 * The smallest time that at least `share` of all are not above (nearest rank).
 *
 * @param counts how many times each bin has, of `total` in all
 * @param share 0.99 for the 99th percentile
 */
export function quantile(counts: Uint32Array, total: number, share: number): number {
  // 0.95 × 20 is 19.000000000000004 to a computer; the rank is the 19th.
  const rank = Math.max(1, Math.ceil(share * total - 1e-9));
  let seen = 0;
  for (const [bin, count] of counts.entries()) {
    seen += count;
    if (seen >= rank) return middleOf(bin);
  }
  return 0;
}
