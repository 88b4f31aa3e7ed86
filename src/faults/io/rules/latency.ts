import type { Distribution, LatencySpec } from '../rule.ts';
import type { Disturbance } from './disturbance.ts';
import { type Chance, purposes } from './draw.ts';

/** Makes a delay in ms of two draws, each from 0 up to and without 1. */
type Sampler = (delayMs: number, jitterMs: number, first: number, second: number) => number;

/** The shape of the tail: the share of operations whose excess is above x falls with the third power of x. */
const paretoShape = 3;

/** A draw nearer to 1 than this would be one operation in a million, and could wait for hours. */
const paretoLimit = 1 - 1e-6;

const samplers: Readonly<Record<Distribution, Sampler>> = {
  constant: (delayMs) => delayMs,
  /** From delay − jitter to delay + jitter. */
  uniform: (delayMs, jitterMs, first) => delayMs + (2 * first - 1) * jitterMs,
  /** The jitter is the standard deviation. Box and Muller, "…the Generation of Random Normal Deviates", 1958. */
  normal: (delayMs, jitterMs, first, second) =>
    delayMs + jitterMs * Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second),
  /** The delay is the least, and the jitter the mean of what comes on top of it (Pareto's second type, Lomax). */
  pareto: (delayMs, jitterMs, first) =>
    delayMs + jitterMs * (paretoShape - 1) * ((1 - Math.min(first, paretoLimit)) ** (-1 / paretoShape) - 1),
};

/** The operation begins later; one that fails, fails later. */
export function latency(spec: LatencySpec, chance: Chance): Disturbance {
  const { delayMs, jitterMs } = spec;
  const sample = samplers[spec.distribution];
  const varies = spec.distribution !== 'constant';
  return {
    evenIfItFails: true,
    applies: () => true,
    disturb(draft, _operation, number) {
      const first = varies ? chance.draw(number, purposes.delay) : 0;
      const second = varies ? chance.draw(number, purposes.delaySecond) : 0;
      draft.delayMs += Math.max(0, sample(delayMs, jitterMs, first, second));
    },
  };
}
