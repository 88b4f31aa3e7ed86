import { describe, expect, it } from 'vitest';
import { counterAt, createCounters } from '../counters.ts';
import { operation } from '../test-support/operations.ts';
import { bandwidth } from './bandwidth.ts';
import { emptyDraft } from './disturbance.ts';

/** Delays in ms of operations, each at a time in ms, with so many bytes; every second one by another thread. */
function delays(bytesPerSecond: number, ...operations: readonly (readonly [atMs: number, size: number])[]) {
  const memory = createCounters();
  let nowNs = 0n;
  const threads = [0, 1].map(() =>
    bandwidth({ kind: 'bandwidth', bytesPerSecond }, counterAt(memory, 3).clock, () => nowNs),
  );
  return operations.map(([atMs, size], index) => {
    nowNs = BigInt(atMs) * 1_000_000n;
    const draft = emptyDraft();
    threads[index % 2]?.disturb(draft, operation({ size }), index + 1);
    return draft.delayMs;
  });
}

describe('a bandwidth', () => {
  it('lets one operation after the other through, whichever thread serves it', () => {
    expect(delays(1000, [0, 100], [0, 100], [50, 200], [10_000, 100])).toEqual([100, 200, 350, 100]);
  });

  it('keeps no credit from times when nothing was read', () => {
    expect(delays(1000, [5000, 1000], [5000, 1000])).toEqual([1000, 2000]);
  });

  it('means nothing for operations without bytes', () => {
    const disturbance = bandwidth(
      { kind: 'bandwidth', bytesPerSecond: 1 },
      counterAt(createCounters(), 0).clock,
      () => 0n,
    );
    expect(disturbance.applies(operation({ method: 'fsync' }))).toBe(false);
    expect(disturbance.applies(operation({ size: 1 }))).toBe(true);
  });
});
