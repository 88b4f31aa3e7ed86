/*
 * A mutex in shared memory, for what takes a microsecond: it spins, and sleeps only when it has waited longer than that
 * because its holder lost the processor. futex(2) by way of Atomics.wait, as in "Futexes Are Tricky" by Ulrich Drepper.
 */

const FREE = 0;
const HELD = 1;
const HELD_AND_AWAITED = 2;

/** About two microseconds. */
const spins = 100;

export function lock(words: Int32Array, index: number): void {
  for (let spin = 0; spin < spins; spin += 1) {
    if (Atomics.compareExchange(words, index, FREE, HELD) === FREE) return;
  }
  while (Atomics.exchange(words, index, HELD_AND_AWAITED) !== FREE) {
    Atomics.wait(words, index, HELD_AND_AWAITED);
  }
}

export function unlock(words: Int32Array, index: number): void {
  if (Atomics.exchange(words, index, FREE) === HELD_AND_AWAITED) Atomics.notify(words, index, 1);
}
