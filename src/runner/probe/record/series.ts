import type { Json } from '../../../base/json.ts';
import type { Expectation, Probe, ProbeSource } from '../../experiment.ts';
import { measures } from '../../measures.ts';
import type { Limits, Series } from '../../result.ts';
import type { Look } from './looks.ts';

export type Point = readonly [number, number | null];

/** A report draws no more; see `Series`. */
const mostPoints = 600;
const mostSeries = 2;

/** What is drawn where nothing else is expected, and what comes first where more is. */
const usual: Readonly<Record<ProbeSource['kind'], readonly string[]>> = {
  http: ['p99', 'success'],
  tcp: ['p99', 'success'],
  command: ['p99', 'success'],
  process: ['count'],
  log: ['rate'],
  prometheus: ['value'],
  file: ['size'],
};

/** What can be asked of a record of a probe. */
interface Measured {
  measure(measure: string, fromMs: number, toMs: number): readonly Look[];
}

/** The measures to draw: numbers that something is expected of, filled up with the usual ones. */
function drawn({ source: { kind }, expect, during }: Probe): readonly string[] {
  const wanted = [...expect, ...during].map(({ measure }) => measure);
  const named = [...usual[kind].filter((measure) => wanted.includes(measure)), ...wanted, ...usual[kind]];
  const numbers = named.filter((measure) => measures[kind][measure]?.type === 'number');
  return [...new Set(numbers)].slice(0, mostSeries);
}

/** How much time a point stands for, in ms: enough for some attempts. */
function stepMs(source: ProbeSource): number {
  if (source.kind === 'http') return Math.min(Math.max(250, Math.ceil(10_000 / source.rate / 50) * 50), 1000);
  return Math.max(250, Math.ceil(source.everyMs / 50) * 50);
}

function ofWindows(measured: Measured, measure: string, step: number, endMs: number): readonly Point[] {
  const count = Math.max(Math.floor(endMs / step), 1);
  return Array.from({ length: count }, (_, index): Point => {
    const [look] = measured.measure(measure, index * step, (index + 1) * step);
    return [(index + 1) * step, numberOf(look?.value)];
  });
}

function numberOf(value: Json | undefined): number | null {
  return typeof value === 'number' ? value : null;
}

/** The least and the greatest of each group, where they are; so no spike is lost. */
export function thinned(points: readonly Point[], most = mostPoints): readonly Point[] {
  if (points.length <= most) return points;
  const size = Math.ceil(points.length / Math.floor(most / 2));
  return Array.from({ length: Math.ceil(points.length / size) }, (_, group) => {
    const all = points.slice(group * size, (group + 1) * size);
    const known = all.filter(([, value]) => value !== null).sort(([, a], [, b]) => (a ?? 0) - (b ?? 0));
    const [least, greatest] = [known.at(0), known.at(-1)];
    if (least === undefined || greatest === undefined) return all.slice(0, 1);
    return least === greatest ? [least] : [least, greatest].sort(([a], [b]) => a - b);
  }).flat();
}

function limitsOf(expectations: readonly Expectation[], measure: string): Limits | undefined {
  const tolerance = expectations.find((one) => one.measure === measure)?.tolerance;
  if (tolerance === undefined) return undefined;
  if (tolerance.kind === 'range') return { atLeast: tolerance.atLeast ?? null, atMost: tolerance.atMost ?? null };
  const exactly = tolerance.kind === 'equals' ? numberOf(tolerance.value) : null;
  return { atLeast: exactly, atMost: exactly };
}

const unlimited: Limits = { atLeast: null, atMost: null };

/** What is good, for the band behind a curve; for the time of the method by itself where that is something else. */
function bandsOf({ expect, during }: Probe, measure: string): Limits & Pick<Series, 'during'> {
  const limits = limitsOf(expect, measure) ?? unlimited;
  const meanwhile = limitsOf(during, measure) ?? limits;
  const isSame = meanwhile.atLeast === limits.atLeast && meanwhile.atMost === limits.atMost;
  return isSame ? limits : { ...limits, during: meanwhile };
}

/** The curves of a probe for a report. */
export function seriesOf(probe: Probe, measured: Measured, endMs: number): readonly Series[] {
  const known = measures[probe.source.kind];
  return drawn(probe).map((measure) => {
    const points =
      known[measure]?.over === 'look'
        ? measured.measure(measure, 0, Infinity).map(({ atMs, value }): Point => [atMs, numberOf(value)])
        : ofWindows(measured, measure, stepMs(probe.source), endMs);
    return {
      measure,
      unit: known[measure]?.unit ?? '',
      ...bandsOf(probe, measure),
      points: thinned(points).map(([atMs, value]) => [Math.round(atMs), value === null ? null : rounded(value)]),
    };
  });
}

/** To four digits: more says nothing, and a report is sent by mail. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
