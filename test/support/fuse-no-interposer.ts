import { type Interposer, noInterposer } from '../../src/linux/fuse/interposer.ts';

/** Nobody disturbs anything. */
export function createInterposer(): Interposer {
  return noInterposer;
}
