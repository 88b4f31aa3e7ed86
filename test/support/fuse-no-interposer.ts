import type { Interposer } from '../../src/linux/fuse/interposer.ts';

/** Nobody disturbs anything. */
export function createInterposer(): Interposer {
  return Object.freeze({ generation: () => 0, interest: () => 0, rule: () => undefined });
}
