import { type Examination, examine, measureOf, type Span } from './examination.ts';
import type { Scene } from './scene.ts';
import { settled } from './settled.ts';
import { deviationOf, deviationText, type Judgement } from './steady.ts';
import { formatDuration } from '../base/duration.ts';

/** Judges what the probes measure while the method goes on. */
export interface MethodJudge {
  /** Judge what can be by now. */
  look(): void;
  /** The phase is over: judge the rest of it, once what began in it is over. */
  finish(toMs: number): Promise<readonly Judgement[]>;
}

interface Post {
  readonly examination: Examination;
  told: boolean;
}

/** What was injected in a span, or was in force in it: where there is nothing, the last before it, as a kill is. */
function injectionsOf({ ledger }: Scene, span: Span): readonly string[] {
  const begun = ledger.parts().injections.filter(({ fromMs }) => fromMs <= span.toMs);
  const within = begun.filter(({ fromMs, toMs }) => (toMs ?? fromMs) >= span.fromMs);
  return (within.length === 0 ? begun.slice(-1) : within).map(({ name }) => name);
}

/**
 * Write down what was outside of its tolerance in a span of the method; the first one decides.
 *
 * @param isWhole it was measured over all of the method, and not at a moment of it
 */
export function tellDeviation(scene: Scene, judgement: Judgement, span: Span, isWhole = false): void {
  const { ledger } = scene;
  const deviation = deviationOf(judgement, span.toMs);
  const injections = injectionsOf(scene, judgement.examined.firstBad?.between ?? span);
  const when = isWhole ? 'over the whole method' : `${formatDuration(deviation.atMs)} after the start`;
  const reason = `${deviationText(deviation)}, ${when}${injections.length === 0 ? '' : ` (${injections.join(', ')})`}`;
  ledger.deviate(deviation);
  ledger.decide('deviated', reason);
  ledger.note(reason, 'bad');
}

function isOfWhole({ examination: { probe, expectation } }: Post): boolean {
  return probe.probe.windowMs === undefined && measureOf(probe, expectation.measure).over === 'sum';
}

function firstBadMs({ examined }: Judgement): number {
  return examined.firstBad?.atMs ?? 0;
}

/** @param fromMs up to when the steady state before it was judged: nothing in between is left out */
export function judgeMethod(scene: Scene, fromMs: number): MethodJudge {
  const posts: readonly Post[] = scene.probes.flatMap((running) =>
    running.probe.during.map((expectation) => ({
      examination: examine(running, expectation, fromMs, running.probe.windowMs),
      told: false,
    })),
  );
  const judgementOf = ({ examination }: Post): Judgement => ({
    probe: examination.probe.probe,
    expectation: examination.expectation,
    phase: 'method',
    examined: examination.examined(),
  });
  function tellNew(): void {
    const found = posts
      .filter((post) => !post.told && post.examination.examined().firstBad !== undefined)
      .map((post) => ({ post, judgement: judgementOf(post) }))
      .sort((a, b) => firstBadMs(a.judgement) - firstBadMs(b.judgement));
    for (const { post, judgement } of found) {
      post.told = true;
      tellDeviation(scene, judgement, { fromMs, toMs: scene.ledger.clock() }, isOfWhole(post));
    }
  }
  return Object.freeze<MethodJudge>({
    look: () => {
      for (const { examination } of posts) examination.advance(scene.ledger.clock());
      tellNew();
    },
    finish: async (toMs) => {
      await settled(scene.probes, { clock: scene.ledger.clock, untilMs: toMs, over: scene.insisted });
      for (const { examination } of posts) examination.finish(toMs);
      tellNew();
      return posts.map(judgementOf);
    },
  });
}
