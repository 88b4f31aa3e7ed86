import type { Series } from '../../result.ts';

type Point = Series['points'][number];

/** Numbers from 0 to 1 that look random and are the same every time (a linear congruential generator). */
function noise(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A point at every so many ms; `value` gets the moment and a number from 0 to 1. */
export function sampled(
  endMs: number,
  everyMs: number,
  seed: number,
  value: (atMs: number, random: number) => number | null,
): readonly Point[] {
  const next = noise(seed);
  return Array.from({ length: Math.floor(endMs / everyMs) + 1 }, (_, index): Point => {
    const atMs = index * everyMs;
    return [atMs, value(atMs, next())];
  });
}

/** How long answers take where nothing is wrong: mostly about `usual`, now and then more. */
export function latency(usual: number, random: number): number {
  return usual * (0.85 + random * 0.4 + (random > 0.96 ? 0.9 : 0));
}
