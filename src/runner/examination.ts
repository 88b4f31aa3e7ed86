import type { Json } from '../base/json.ts';
import type { Expectation } from './experiment.ts';
import { measureText } from './measure-text.ts';
import { type Measure, measures } from './measures.ts';
import type { RunningProbe } from './probe/probe.ts';
import { judge, type Tolerance, toleranceText } from './tolerance.ts';

/*
 * Is what a probe measures within its tolerance? A measure of single looks is judged look by look; a sum over the whole
 * span, or over windows that slide over it.
 */

/** How far a window slides on, in milliseconds; long windows slide in larger steps. */
const slideMs = 250;

/** Into how many steps a long window is divided. */
const stepsOfWindow = 40;

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Something that was judged. */
export interface Judged {
  readonly atMs: number;
  /** What happened in between may be the reason: a request that was due in a span may end long after it. */
  readonly between: Span;
  /** undefined: nothing was measured. */
  readonly value: Json | undefined;
  readonly held: boolean;
}

/** What was judged of a span, summed up. */
export interface Examined {
  readonly held: boolean;
  /** The worst of what was measured, or how far it ranged, for people. */
  readonly actual: string;
  readonly expected: string;
  /** The first that was outside of the tolerance. */
  readonly firstBad: Judged | undefined;
}

/** The judging of one expectation over one span, in pieces as they come. */
export interface Examination {
  readonly probe: RunningProbe;
  readonly expectation: Expectation;
  /** @returns what can be judged by now, and was not before */
  advance(nowMs: number): readonly Judged[];
  /** Judge the rest, up to the end of the span; what is under way then is taken as it is. */
  finish(toMs: number): readonly Judged[];
  examined(): Examined;
}

export function measureOf({ probe }: RunningProbe, name: string): Measure {
  const measure = measures[probe.source.kind][name];
  if (measure === undefined) throw new Error(`a probe of kind ${probe.source.kind} has no measure ${name}`);
  return measure;
}

/** How far within its tolerance a number is: the smaller, the worse. */
function slackOf(tolerance: Tolerance, { value, held }: Judged): number {
  if (value === undefined) return Number.NEGATIVE_INFINITY;
  if (typeof value === 'number' && tolerance.kind === 'range') {
    const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = tolerance;
    return Math.min(value - atLeast, atMost - value);
  }
  if (typeof value === 'number' && tolerance.kind === 'equals' && typeof tolerance.value === 'number') {
    return -Math.abs(value - tolerance.value);
  }
  return held ? 0 : -1;
}

export function valueText(value: Json | undefined, measure: Measure): string {
  return value === undefined ? 'nothing was measured' : measureText(value, measure.unit);
}

/** What was judged so far. */
function tallyOf(tolerance: Tolerance, measure: Measure) {
  let worst: Judged | undefined;
  let firstBad: Judged | undefined;
  let low: number | undefined;
  let high: number | undefined;

  function add(judged: Judged): void {
    if (worst === undefined || slackOf(tolerance, judged) < slackOf(tolerance, worst)) worst = judged;
    if (!judged.held) firstBad ??= judged;
    if (typeof judged.value !== 'number') return;
    low = Math.min(low ?? judged.value, judged.value);
    high = Math.max(high ?? judged.value, judged.value);
  }
  function actual(): string {
    const ranged = firstBad === undefined && measure.over === 'look' && low !== undefined && high !== undefined;
    if (!ranged || low === high) return valueText(worst?.value, measure);
    return `${measureText(low ?? 0, measure.unit)} to ${measureText(high ?? 0, measure.unit)}`;
  }
  return {
    add,
    isEmpty: () => worst === undefined,
    examined: (): Examined => ({
      held: worst !== undefined && firstBad === undefined,
      actual: actual(),
      expected: toleranceText(tolerance, measure.unit),
      firstBad,
    }),
  };
}

type Look = (fromMs: number, toMs: number) => readonly Judged[];

/** What can be judged between two calls: pieces of a span. */
interface Pieces {
  until(ms: number): readonly Judged[];
  rest(toMs: number): readonly Judged[];
}

function lookByLook(look: Look, fromMs: number): Pieces {
  let doneMs = fromMs;
  const until = (ms: number): readonly Judged[] => {
    if (ms <= doneMs) return [];
    const judged = look(doneMs, ms);
    doneMs = ms;
    return judged;
  };
  return { until, rest: until };
}

function asAWhole(look: Look, fromMs: number): Pieces {
  return { until: () => [], rest: (toMs) => look(fromMs, toMs) };
}

function byWindows(look: Look, fromMs: number, windowMs: number): Pieces {
  const stepMs = Math.max(slideMs, windowMs / stepsOfWindow);
  let nextMs = fromMs + windowMs;
  const until = (ms: number): readonly Judged[] => {
    const judged: Judged[] = [];
    for (; nextMs <= ms; nextMs += stepMs) judged.push(...look(nextMs - windowMs, nextMs));
    return judged;
  };
  return {
    until,
    rest: (toMs) => {
      const judged = until(toMs);
      // The end of a span counts like the rest of it; one that is shorter than a window is judged as a whole.
      return nextMs - stepMs === toMs ? judged : [...judged, ...look(Math.max(fromMs, toMs - windowMs), toMs)];
    },
  };
}

/**
 * Judge an expectation from a moment on.
 *
 * @param windowMs over how long a sum is taken, again and again; undefined: over the whole span at its end
 */
export function examine(
  probe: RunningProbe,
  expectation: Expectation,
  fromMs: number,
  windowMs: number | undefined,
): Examination {
  const { tolerance } = expectation;
  const measure = measureOf(probe, expectation.measure);
  const tally = tallyOf(tolerance, measure);
  const look: Look = (from, to) =>
    probe.measure(expectation.measure, from, to).map(({ atMs, value }) => {
      const tookMs = measure.unit === 'ms' && typeof value === 'number' ? value : 0;
      const between = { fromMs: measure.over === 'look' ? atMs : from, toMs: atMs + tookMs };
      return { atMs, between, value, held: judge(tolerance, value) };
    });
  const counted = (judged: readonly Judged[]): readonly Judged[] => {
    for (const one of judged) tally.add(one);
    return judged;
  };
  const windowed = windowMs === undefined ? asAWhole(look, fromMs) : byWindows(look, fromMs, windowMs);
  const pieces = measure.over === 'look' ? lookByLook(look, fromMs) : windowed;
  return Object.freeze<Examination>({
    probe,
    expectation,
    advance: (nowMs) => counted(pieces.until(Math.min(nowMs, probe.settledMs()))),
    finish: (toMs) => {
      const judged = counted(pieces.rest(toMs));
      // Nothing in a whole span: whatever was believed of it is not borne out.
      return tally.isEmpty()
        ? counted([{ atMs: toMs, between: { fromMs, toMs }, value: undefined, held: false }])
        : judged;
    },
    examined: tally.examined,
  });
}

/** Judge an expectation over a span that is over. */
export function examineSpan(
  probe: RunningProbe,
  expectation: Expectation,
  span: Span,
  windowMs: number | undefined,
): Examined {
  const examination = examine(probe, expectation, span.fromMs, windowMs);
  examination.finish(span.toMs);
  return examination.examined();
}
