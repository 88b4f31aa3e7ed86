import { measureOf } from './examination.ts';
import type { ProbeNumber } from './events.ts';
import type { RunClock, RunningProbe } from './probe/probe.ts';
import type { PhaseName } from './result.ts';
import { measureText } from './measure-text.ts';
import { judge } from './tolerance.ts';

/** Over how long the numbers are taken that are shown while a run goes on, in milliseconds. */
const shownMs = 1_000;

/** A probe that looks more rarely is shown as it was at its last look. */
function spanMs({ probe: { source } }: RunningProbe): number {
  return 'everyMs' in source ? Math.max(shownMs, 2 * source.everyMs) : shownMs;
}

/** What each probe tells just now of what is expected of it. */
export function numbersOf(probes: readonly RunningProbe[], phase: PhaseName, clock: RunClock): readonly ProbeNumber[] {
  return probes.flatMap((running) => {
    const { probe } = running;
    const toMs = Math.min(clock(), running.settledMs());
    return (phase === 'method' ? probe.during : probe.expect).map(({ measure, tolerance }) => {
      const value = running.measure(measure, toMs - spanMs(running), toMs).at(-1)?.value;
      const text = value === undefined ? undefined : measureText(value, measureOf(running, measure).unit);
      return { probe: probe.name, measure, text, held: value === undefined || judge(tolerance, value) };
    });
  });
}
