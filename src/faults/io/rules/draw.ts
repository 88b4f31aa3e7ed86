import { seededRandom } from '../../../base/random.ts';

/*
 * Chance that can be repeated, by counting instead of by state: what is drawn depends on the seed, the rule, the
 * operation's number and what it is drawn for, and on nothing that was drawn before. So several threads that share the
 * counter draw the same for the same sequence of operations, whichever of them serves which.
 */

/** What a number is drawn for; different purposes of one operation must not draw the same. */
export const purposes = {
  percent: 0,
  errno: 1,
  delay: 2,
  delaySecond: 3,
  short: 4,
  mistakes: 5,
  /** And all numbers above: three for each segment, then its bytes. */
  segments: 16,
} as const;

/** 32 random bits for the operation's number (1, 2, …, up to 2^53) and a purpose. */
export type Bits = (operation: number, purpose: number) => number;

/** From 0 up to, and without, 1. */
export type Draw = (operation: number, purpose: number) => number;

export interface Chance {
  readonly bits: Bits;
  /** With all 53 bits that a number has. */
  readonly draw: Draw;
}

/** One round of MurmurHash3_x86_32 (Austin Appleby, public domain; smhasher, MurmurHash3.cpp). */
function mixed(hash: number, word: number): number {
  const scrambled = Math.imul(rotated(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
  return (Math.imul(rotated(hash ^ scrambled, 13), 5) + 0xe6546b64) | 0;
}

function rotated(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

/** Its finalizer: every bit of the input changes about half of the output's. */
function finished(hash: number): number {
  const first = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return (second ^ (second >>> 16)) >>> 0;
}

/**
 * The draws of one rule. Part of the contract: changing them changes what a recorded seed does.
 *
 * @param rule its place among the rules of the injection, from 0
 */
export function chanceOf(seed: string, rule: number): Chance {
  const random = seededRandom(seed);
  const word = (): number => random.integer(-(2 ** 31), 2 ** 31 - 1);
  const [high, low] = [mixed(word(), rule), mixed(word(), rule)];

  function hashed(start: number, operation: number, purpose: number): number {
    const counted = mixed(mixed(start, operation | 0), Math.floor(operation / 2 ** 32));
    return finished(mixed(counted, purpose));
  }

  return Object.freeze({
    bits: (operation: number, purpose: number) => hashed(high, operation, purpose),
    draw: (operation: number, purpose: number) =>
      ((hashed(high, operation, purpose) >>> 5) * 2 ** 26 + (hashed(low, operation, purpose) >>> 6)) / 2 ** 53,
  });
}

/** A whole number from `min` to `max`, both included, from a draw. */
export function wholeNumber(draw: number, min: number, max: number): number {
  return min + Math.floor(draw * (max - min + 1));
}
