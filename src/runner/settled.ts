import { delayUnless } from '../base/delay.ts';
import { measures } from './measures.ts';
import type { RunClock, RunningProbe } from './probe/probe.ts';

/** How often it is looked whether attempts are over, in milliseconds. */
const pollMs = 20;

/**
 * Of one pause no more than this is counted, in milliseconds: while a machine holds up all of the program, probes get
 * nothing done either, and must have their time once it goes on.
 */
const mostCountedMs = 5 * pollMs;

/** How long it may take until a probe has begun, in milliseconds: a busy machine starts threads late. */
const beginningMs = 30_000;

/** What a probe that has a timeout may take beyond it, in milliseconds. */
const graceMs = 2_000;

function patienceMs({ probe: { source } }: RunningProbe): number {
  return graceMs + ('timeoutMs' in source ? source.timeoutMs : 0);
}

/**
 * The time that has passed, as far as this program could use it.
 *
 * @param sinceMs from when on it is counted, on that clock
 */
function usableTime(clock: RunClock, sinceMs: number): () => number {
  let [lastMs, usedMs] = [clock(), Math.min(clock() - sinceMs, 0)];
  return () => {
    const nowMs = clock();
    usedMs += Math.min(nowMs - lastMs, mostCountedMs);
    lastMs = nowMs;
    return usedMs;
  };
}

/**
 * Wait until each probe has begun to measure.
 *
 * @returns when all of them had
 */
export async function measuring(
  probes: readonly RunningProbe[],
  { clock, over }: { readonly clock: RunClock; readonly over: AbortSignal },
): Promise<number> {
  const first = probes.map((probe) => probe.settledMs());
  const usedMs = usableTime(clock, clock());
  const isWaiting = (): boolean => probes.some((probe, index) => probe.settledMs() <= (first[index] ?? 0));
  while (!over.aborted && isWaiting() && usedMs() < beginningMs) await delayUnless(over, pollMs);
  return clock();
}

/**
 * Wait until all that began before a moment is over: what is measured up to it changes no more. A probe that hangs is
 * not waited for longer than its own timeout.
 */
export async function settled(
  probes: readonly RunningProbe[],
  moment: { readonly clock: RunClock; readonly untilMs: number; readonly over: AbortSignal },
): Promise<void> {
  const { clock, untilMs, over } = moment;
  const usedMs = usableTime(clock, untilMs);
  const isUnderWay = (waitedMs: number): boolean =>
    probes.some((probe) => probe.settledMs() < untilMs && waitedMs < patienceMs(probe));
  while (!over.aborted && isUnderWay(usedMs())) await delayUnless(over, pollMs);
}

/** Has a probe looked in a span, whatever it saw? */
function hasLooked(running: RunningProbe, fromMs: number, toMs: number): boolean {
  const looks = Object.entries(measures[running.probe.source.kind]).filter(([, { over }]) => over === 'look');
  return looks.some(([name]) => running.measure(name, fromMs, toMs).length > 0);
}

function failedLooks(probe: RunningProbe): number {
  return Object.values(probe.failures()).reduce((sum, count) => sum + count, 0);
}

/**
 * Wait until a probe has looked, or has failed to: one that gets no time, or that takes longer than it is to its next
 * turn, leaves turns out. It is not waited for longer than what is under way and one more attempt may take.
 *
 * @param fromMs from when on it is to look, and until when it should have
 * @returns up to when looks count: `untilMs`, or later
 */
export async function looked(
  probe: RunningProbe,
  moment: { readonly clock: RunClock; readonly fromMs: number; readonly untilMs: number; readonly over: AbortSignal },
): Promise<number> {
  const { clock, fromMs, untilMs, over } = moment;
  const usedMs = usableTime(clock, untilMs);
  const failed = failedLooks(probe);
  const isWaiting = (toMs: number): boolean => !hasLooked(probe, fromMs, toMs) && failedLooks(probe) === failed;
  let toMs = untilMs;
  while (!over.aborted && isWaiting(toMs) && usedMs() < 2 * patienceMs(probe)) {
    await delayUnless(over, pollMs);
    toMs = Math.max(untilMs, clock());
  }
  return toMs;
}
