import type { Interposer, Ruling } from '../../src/linux/fuse/interposer.ts';

const lie: Ruling = Object.freeze({
  delayMs: 0,
  errno: 0,
  maxBytes: Number.POSITIVE_INFINITY,
  alterData: (bytes: Uint8Array) => {
    bytes[0] = (bytes[0] ?? 0) ^ 1;
  },
});

/** Changes one bit in each twentieth write: what a check of files must find out. */
export function createInterposer(): Interposer {
  let writes = 0;
  return {
    generation: () => 0,
    interest: () => 1,
    rule: (_interest, { method }) => {
      if (method !== 'write') return undefined;
      writes += 1;
      return writes % 20 === 0 ? lie : undefined;
    },
  };
}
