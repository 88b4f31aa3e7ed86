import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/** Draws that can be repeated: two generators of one seed give the same answers to the same questions, in order. */
export interface Random {
  /** A whole number from `min` to `max`, both included, each with the same probability. */
  integer(min: number, max: number): number;
  /** `n` different items, each subset with the same probability; all of them, shuffled, when there are fewer. */
  sample<T>(items: readonly T[], n: number): T[];
}

/**
 * The 128 bits of xoroshiro128+'s state: the first 16 bytes of the SHA-256 of the seed's UTF-8 text, as four big-endian
 * 32-bit integers.
 *
 * A cryptographic hash because seeds that people type differ by one character (`run-1`, `run-2`), and the generator
 * turns similar states into similar first draws. This is part of the contract: changing it changes what a recorded seed
 * chooses.
 */
function stateOf(seed: string): number[] {
  // Loaded when something is drawn: most selections take all, and node:crypto takes milliseconds to load.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const digest = createHash('sha256').update(seed, 'utf8').digest();
  return [0, 4, 8, 12].map((offset) => digest.readInt32BE(offset));
}

/**
 * A generator that depends on nothing but the seed's text: the same on every host, architecture and Node version.
 *
 * The generator is xoroshiro128+ (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018). It is
 * good for fair choices and useless for secrets.
 */
export function seededRandom(seed: string): Random {
  let generator: ReturnType<typeof xoroshiro128plusFromState> | undefined;

  function integer(min: number, max: number): number {
    if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || min > max) {
      throw new RangeError(`no whole number between ${min} and ${max} can be drawn`);
    }
    generator ??= xoroshiro128plusFromState(stateOf(seed));
    return uniformInt(generator, min, max);
  }

  /** The first `n` steps of a Fisher–Yates shuffle, on a copy. Both indices are always in range, hence the `as T`. */
  function sample<T>(items: readonly T[], n: number): T[] {
    const shuffled = [...items];
    const size = Math.min(Math.max(0, n), shuffled.length);
    for (let place = 0; place < size; place += 1) {
      const drawn = integer(place, shuffled.length - 1);
      [shuffled[place], shuffled[drawn]] = [shuffled[drawn] as T, shuffled[place] as T];
    }
    return shuffled.slice(0, size);
  }

  return Object.freeze({ integer, sample });
}

/** A seed that nobody used before: 12 characters that are easy to copy from a report into `--seed`. No secret. */
export function freshSeed(): string {
  return Math.floor(Math.random() * 2 ** 48)
    .toString(16)
    .padStart(12, '0');
}
