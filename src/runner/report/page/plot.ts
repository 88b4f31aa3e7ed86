import { type Measure, measures } from '../../measures.ts';
import type { Deviation, ProbeDocument, RunDocument, Series } from '../../result.ts';
import { moment, valueText } from '../plain-text.ts';
import { type Box, pathData, type Point, readOut, thinned } from './curve.ts';
import { type Markup, markup } from './markup.ts';
import { percent, type TimeAxis } from './time-axis.ts';
import { type Band, toleranceBands } from './tolerance-bands.ts';
import { valueScale, type ValueScale } from './value-scale.ts';

/** What every plot has behind and above its curve. */
export interface Scenery {
  readonly axis: TimeAxis;
  readonly phases: RunDocument['phases'];
  readonly shades: readonly Markup[];
  readonly events: readonly Markup[];
}

/** A deviation with its number in the list of them. */
export interface Numbered {
  readonly number: number;
  readonly deviation: Deviation;
}

/** A document may be of a later version, with kinds of probes that are not known here. */
const measuresOf: Readonly<Record<string, Readonly<Record<string, Measure | undefined>> | undefined>> = measures;

const top = 12;
const bottom = 10;
/** Units of a path to a pixel upward; a path is ten thousand units wide, however wide the screen is. */
const fine = 10;
const lineWidth = 1.5;
const pathWidth = 10_000;

/** How high a value stands, in pixels from the top of the plot. */
function heightOf({ from, to }: ValueScale, height: number): (value: number) => number {
  const room = height - top - bottom;
  return (value) => {
    const y = top + room * (1 - (value - from) / (to - from));
    return Math.round(Math.min(height, Math.max(0, y)) * 10) / 10;
  };
}

/** The band of what is good, with a line at each limit that is in sight. */
function tolerance({ atLeast, atMost, ...band }: Band, scale: ValueScale, y: (value: number) => number): Markup[] {
  if (atLeast === null && atMost === null) return [];
  const [from, to] = [percent(band.from), percent(band.to)];
  const upper = y(Math.min(atMost ?? scale.to, scale.to));
  const lower = y(Math.max(atLeast ?? scale.from, scale.from));
  const thick = Math.max(2, Math.round((lower - upper) * 10) / 10);
  const inSight = new Set([atLeast, atMost].filter((it) => it !== null && it >= scale.from && it <= scale.to));
  return [
    markup`<rect class="good" x="${from}" y="${upper}" width="${percent(band.to - band.from)}" height="${thick}"/>`,
    ...[...inSight].map((limit) => {
      const at = y(limit ?? 0);
      return markup`<line class="limit" x1="${from}" x2="${to}" y1="${at}" y2="${at}"/>`;
    }),
  ];
}

/** What of a curve is beyond its limits is drawn once more, in another colour and stronger. */
function outside({ y, id, height, bands }: View): Markup {
  const clips = bands.map(({ atLeast, atMost, from, to }) => {
    // A line on the limit itself is within, with all of its width.
    const above = atMost === null ? 0 : Math.max(0, Math.round((y(atMost) - lineWidth) * fine));
    const whole = height * fine;
    const below = atLeast === null ? whole : Math.min(whole, Math.round((y(atLeast) + lineWidth) * fine));
    const [x, width] = [Math.round(from * pathWidth), Math.round((to - from) * pathWidth)];
    return markup`<rect x="${x}" width="${width}" height="${above}"/><rect x="${x}" y="${below}" width="${width}"
      height="${whole - below}"/>`;
  });
  return markup`<clipPath id="${id}-outside">${clips}</clipPath><use href="#${id}" class="outside"
    clip-path="url(#${id}-outside)"/>`;
}

function curve(view: View): Markup {
  const { axis, points, id, height, y, steps } = view;
  const box: Box = { x: (ms) => Math.round(axis.share(ms) * pathWidth), y: (value) => Math.round(y(value) * fine) };
  const units = `0 0 ${pathWidth} ${height * fine}`;
  return markup`<svg class="curve" viewBox="${units}" preserveAspectRatio="none" height="${height}">
    <path id="${id}" vector-effect="non-scaling-stroke" d="${pathData(points, box, steps)}"/>
    ${outside(view)}</svg>`;
}

interface View {
  readonly axis: TimeAxis;
  readonly points: readonly Point[];
  readonly id: string;
  readonly height: number;
  /** How high a value stands, in pixels from the top. */
  readonly y: (value: number) => number;
  readonly bands: readonly Band[];
  /** A value holds until the next look: drawn as steps. */
  readonly steps: boolean;
}

/** How high the curve is drawn at a moment, so that a ring lies on its line. */
function valueAt({ points, steps }: View, atMs: number): number | undefined {
  const measured = points.filter((point): point is readonly [number, number] => point[1] !== null);
  const before = measured.findLast(([at]) => at <= atMs) ?? measured[0];
  const after = measured.find(([at]) => at > atMs);
  if (before === undefined || after === undefined || steps) return before?.[1];
  const share = Math.max(0, (atMs - before[0]) / (after[0] - before[0]));
  return before[1] + (after[1] - before[1]) * share;
}

/** In shares of the width: on a phone a ring takes more of it. */
const ringsApart = { wide: 0.045, narrow: 0.11 } as const;

/** Rings that would cover each other are one, that of the first. */
function rings(deviations: readonly Numbered[], view: View): Markup[] {
  const { axis, y } = view;
  let last = Number.NEGATIVE_INFINITY;
  return deviations.map(({ number, deviation: { atMs, measure, expected, actual } }) => {
    const share = axis.share(atMs);
    const distance = share - last;
    if (distance < ringsApart.wide) return markup``;
    last = share;
    const shown = distance < ringsApart.narrow ? ' wide' : '';
    const value = valueAt(view, atMs);
    const at = percent(share);
    const height = value === undefined ? top + 8 : Math.max(9, y(value));
    const side = share > 0.93 ? markup`class="end" dx="-12"` : markup`dx="12"`;
    const told = `${number}: ${measure} was ${actual}, expected ${expected}, ${moment(atMs)}`;
    return markup`<g class="ring${shown}"><title>${told}</title>
      <circle cx="${at}" cy="${height}" r="7.5"/><text x="${at}" y="${height + 4}" ${side}>${number}</text></g>`;
  });
}

function tickLabels({ ticks }: ValueScale, unit: string, y: (value: number) => number, height: number): Markup {
  return markup`<svg class="values" aria-hidden="true" height="${height}">${ticks.map(
    (tick) => markup`<text x="100%" dx="-8" y="${y(tick) + 4}">${tick === 0 ? '0' : valueText(tick, unit)}</text>`,
  )}</svg>`;
}

/** What is seen, for those who cannot. */
function summary(name: string, { measure, unit }: Series, points: readonly Point[]): string {
  const values = points.map(([, value]) => value).filter((value) => value !== null);
  if (values.length === 0) return `${name}, ${measure}: nothing was measured`;
  const [least, most] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  return `${name}, ${measure}: between ${valueText(least, unit)} and ${valueText(most, unit)}`;
}

/** The plot of one curve, with its values beside it. @param id unique on the page */
export function plot(
  { name, kind }: Pick<ProbeDocument, 'name' | 'kind'>,
  series: Series,
  scenery: Scenery,
  {
    id,
    height,
    deviations,
  }: { readonly id: string; readonly height: number; readonly deviations: readonly Numbered[] },
): Markup {
  const points = thinned(series.points);
  const empty = points.every(([, value]) => value === null);
  const wholeScale = valueScale(series);
  // A scale of nothing would only look like one.
  const scale = empty ? { ...wholeScale, ticks: [] } : wholeScale;
  const y = heightOf(scale, height);
  const steps = measuresOf[kind]?.[series.measure]?.over === 'look';
  const bands = toleranceBands(series, scenery.phases, scenery.axis);
  const view: View = { axis: scenery.axis, points, id, height, y, bands, steps };
  return markup`${tickLabels(scale, series.unit, y, height)}<svg class="plot" role="img" height="${height}"
    aria-label="${summary(name, series, points)}" data-unit="${series.unit}" data-points="${readOut(points)}">
    ${scenery.shades}${empty ? undefined : bands.flatMap((band) => tolerance(band, scale, y))}${scale.ticks.map(
      (tick) => {
        const at = y(tick);
        return markup`<line class="grid" x2="100%" y1="${at}" y2="${at}"/>`;
      },
    )}${scenery.events}${
      empty ? markup`<text class="nothing" x="50%" y="${height / 2 + 4}">nothing was measured</text>` : curve(view)
    }${rings(deviations, view)}</svg>`;
}
