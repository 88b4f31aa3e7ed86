import type { RuleCounter } from '../counters.ts';
import type { BandwidthSpec } from '../rule.ts';
import type { Disturbance } from './disturbance.ts';

/**
 * All operations of the rule share one line, over which the bytes that are asked for go one after the other. An
 * operation is done when its last byte is through, so that the first one waits as well.
 *
 * @param line when the line will be free, in ns, shared by all threads
 * @param clockNs the monotonic clock, the same for all threads
 */
export function bandwidth(spec: BandwidthSpec, line: RuleCounter['clock'], clockNs: () => bigint): Disturbance {
  const nsPerByte = 1e9 / spec.bytesPerSecond;

  /** When the bytes will be through. */
  function reserve(now: bigint, bytes: number): bigint {
    for (;;) {
      const freeAt = line.load();
      const through = (freeAt > now ? freeAt : now) + BigInt(Math.ceil(bytes * nsPerByte));
      if (line.compareExchange(freeAt, through) === freeAt) return through;
    }
  }

  return {
    evenIfItFails: false,
    applies: ({ size }) => size > 0,
    disturb(draft, { size }) {
      const now = clockNs();
      draft.delayMs += Number(reserve(now, size) - now) / 1e6;
    },
  };
}
