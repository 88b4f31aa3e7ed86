import { delayUnless } from '../base/delay.ts';
import { formatDuration } from '../base/duration.ts';
import type { Expectation, Probe } from './experiment.ts';
import { type Examined, examineSpan, type Span } from './examination.ts';
import type { HoldUps } from './held-up.ts';
import type { RunningProbe } from './probe/probe.ts';
import type { Deviation, PhaseName } from './result.ts';
import type { Scene } from './scene.ts';
import { measuring, settled } from './settled.ts';

/*
 * The steady state: measured before anything is injected, and again when all is undone.
 */

/** How often it is looked whether the system is steady again, in milliseconds. */
const lookMs = 250;

/** One expectation of a probe with what became of it in a phase. */
export interface Judgement {
  readonly probe: Probe;
  readonly expectation: Expectation;
  readonly phase: PhaseName;
  readonly examined: Examined;
}

export function deviationOf({ probe, expectation, phase, examined }: Judgement, otherwiseMs: number): Deviation {
  const { expected, actual, firstBad } = examined;
  const { measure } = expectation;
  return { probe: probe.name, measure, expected, actual, phase, atMs: firstBad?.atMs ?? otherwiseMs };
}

/** `answers: p99 was 2.1 s, at most 250 ms expected` */
export function deviationText({ probe, measure, actual, expected }: Deviation): string {
  const was = actual === 'nothing was measured' ? `: of ${measure} ${actual}` : `: ${measure} was ${actual}`;
  return `${probe}${was}, ${expected} expected`;
}

function judgeSteadyState(probes: readonly RunningProbe[], phase: PhaseName, span: Span): readonly Judgement[] {
  return probes.flatMap((running) =>
    running.probe.expect.map((expectation) => {
      const examined = examineSpan(running, expectation, span, running.probe.windowMs);
      return { probe: running.probe, expectation, phase, examined };
    }),
  );
}

function tellBad({ ledger }: Scene, judgements: readonly Judgement[], toMs: number): Deviation | undefined {
  const bad = judgements.filter(({ examined }) => !examined.held).map((one) => deviationOf(one, toMs));
  for (const deviation of bad) ledger.deviate(deviation);
  return bad[0];
}

/** What was judged before the method. */
export interface Before {
  readonly judgements: readonly Judgement[];
  /** Up to when. What begins later may still be under way when the method begins, and belongs to it. */
  readonly toMs: number;
}

/** Measure before anything is injected. Where something is not as expected the run is decided: it is aborted. */
export async function measureBefore(scene: Scene): Promise<Before> {
  const { ledger, experiment, probes, stopped } = scene;
  const { clock } = ledger;
  ledger.beginPhase('before');
  const fromMs = await measuring(probes, { clock, over: stopped });
  await delayUnless(stopped, fromMs + experiment.steadyState.beforeMs - clock());
  const toMs = ledger.clock();
  await settled(probes, { clock: ledger.clock, untilMs: toMs, over: stopped });
  if (stopped.aborted) return { judgements: [], toMs };
  const judgements = judgeSteadyState(probes, 'before', { fromMs, toMs });
  const bad = tellBad(scene, judgements, toMs);
  if (bad === undefined) {
    ledger.note('the state was steady before the start', 'good');
    return { judgements, toMs };
  }
  const reason = `not steady before the start, so nothing was injected: ${deviationText(bad)}`;
  scene.stop('aborted', reason);
  return { judgements, toMs };
}

/** What is judged of the newest span that is as long as is asked for, and over. */
async function lookBack(scene: Scene, sinceMs: number): Promise<readonly [Span, readonly Judgement[]]> {
  const { ledger, experiment, probes, insisted } = scene;
  const { afterMs } = experiment.steadyState;
  const toMs = Math.max(ledger.clock(), sinceMs + afterMs);
  await delayUnless(insisted, toMs - ledger.clock());
  await settled(probes, { clock: ledger.clock, untilMs: toMs, over: insisted });
  const span = { fromMs: toMs - afterMs, toMs };
  return [span, judgeSteadyState(probes, 'after', span)];
}

/**
 * Measure again when all is undone: within the time that it may take to recover a span must begin in which the state
 * is steady.
 *
 * @returns what was judged of the last such span
 */
export async function measureAfter(scene: Scene, holdUps: HoldUps): Promise<readonly Judgement[]> {
  const { ledger, experiment, insisted } = scene;
  const { recoveryMs } = experiment.steadyState;
  const sinceMs = ledger.beginPhase('after');
  for (;;) {
    const [span, judgements] = await lookBack(scene, sinceMs);
    if (insisted.aborted) return [];
    const tookMs = span.fromMs - sinceMs;
    if (judgements.every(({ examined }) => examined.held)) {
      const when = tookMs < lookMs ? 'at once' : `after ${formatDuration(tookMs)}`;
      ledger.note(`steady again ${when}`, 'good');
      return judgements;
    }
    // Nothing recovers while the machine stands still.
    if (tookMs - holdUps.lostSince(sinceMs) >= recoveryMs) {
      const bad = tellBad(scene, judgements, span.toMs);
      const why = bad === undefined ? '' : `: ${deviationText(bad)}`;
      const reason = `not steady again within ${formatDuration(recoveryMs)}${why}`;
      ledger.decide('deviated', reason);
      ledger.note(reason, 'bad');
      return judgements;
    }
    await delayUnless(insisted, lookMs);
  }
}
