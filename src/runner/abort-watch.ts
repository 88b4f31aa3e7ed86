import { formatDuration } from '../base/duration.ts';
import { printable } from '../base/text.ts';
import type { AbortCondition } from './experiment.ts';
import { measureOf, valueText } from './examination.ts';
import type { HoldUps } from './held-up.ts';
import type { RunningProbe } from './probe/probe.ts';
import { probeNamed, type Scene } from './scene.ts';
import { judge, toleranceText } from './tolerance.ts';

/*
 * What ends a method before its time: conditions of the experiment, the time of its blast radius, a halt of the host.
 * Looked at several times a second, on what is known at that moment.
 */

/** Kinds whose attempts come whatever happens: that none has ended for so long is as bad as it gets. */
const attempting: readonly string[] = ['http', 'tcp', 'command', 'prometheus'];

/** What a condition is looked at with. */
interface Now {
  readonly nowMs: number;
  /**
   * For so long of the time that it is about this program stood still, in milliseconds. What should have been measured
   * then comes late, once the probes go on, which may be after the look.
   */
  readonly lostMs: number;
}

/** Why the run is to be aborted, if what the condition is about was outside of its tolerance for so long. */
function reasonOf(running: RunningProbe, condition: AbortCondition, { nowMs, lostMs }: Now): string | undefined {
  const { unless, forMs } = condition;
  if (nowMs < forMs) return undefined;
  const measure = measureOf(running, unless.measure);
  const values = running.measure(unless.measure, nowMs - forMs, nowMs);
  const isEmpty = values.length === 0 && running.measure(unless.measure, nowMs - forMs - lostMs, nowMs).length === 0;
  const isSilent = isEmpty && attempting.includes(running.probe.source.kind);
  // Of single looks all must be outside: one that is within says that it did not last.
  const isWithin = values.length === 0 || values.some(({ value }) => judge(unless.tolerance, value));
  if (isWithin && !isSilent) return undefined;
  const was = isSilent ? 'nothing was measured' : `was ${valueText(values.at(-1)?.value, measure)}`;
  const wanted = toleranceText(unless.tolerance, measure.unit);
  return `${running.probe.name}: ${unless.measure} ${was} for ${formatDuration(forMs)}, ${wanted} expected`;
}

/** @param fromMs when the method began @returns looks whether it must end; the scene is told so */
export function watchForAbort(scene: Scene, fromMs: number, holdUps: HoldUps): () => void {
  const { experiment, engine, ledger, stopped } = scene;
  const { durationMs } = experiment.blastRadius;
  const watched = experiment.abort.map((condition) => ({
    condition,
    running: probeNamed(scene, condition.probe),
    /** Since when it has been met by what may be the machine's doing. */
    doubtfulSinceMs: undefined as number | undefined,
  }));
  return () => {
    if (stopped.aborted) return;
    const nowMs = ledger.clock();
    for (const one of watched) {
      const { condition, running } = one;
      const lostMs = holdUps.lostSince(nowMs - condition.forMs);
      const reason = reasonOf(running, condition, { nowMs, lostMs });
      // Whoever is measured may have stood still as we did: it must last for as long again.
      if (reason === undefined) one.doubtfulSinceMs = undefined;
      else if (lostMs > 0) one.doubtfulSinceMs ??= nowMs;
      const isSure = nowMs - (one.doubtfulSinceMs ?? -Infinity) > condition.forMs;
      if (reason !== undefined && isSure) scene.stop('aborted', `abort condition: ${reason}`);
    }
    if (nowMs - fromMs >= durationMs) {
      scene.stop('aborted', `the method took longer than the ${formatDuration(durationMs)} of the blast radius`);
    }
    const halt = engine.halted();
    if (halt !== undefined) scene.stop('aborted', `attacks are halted: ${printable(halt.reason)}`);
  };
}
