import type { Series } from '../../result.ts';

/** What the height of a curve's plot stands for. */
export interface ValueScale {
  readonly from: number;
  readonly to: number;
  /** Values with a line of their own. */
  readonly ticks: readonly number[];
}

/** A limit so many times further than the curve ever came would press the curve flat: it is told in words then. */
const farTimes = 5;

/** 1, 2 or 5 times a power of ten; of bytes a power of two. */
function niceStep(span: number, unit: string): number {
  const rough = span / 3;
  if (unit === 'bytes') return 2 ** Math.max(0, Math.ceil(Math.log2(rough)));
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power;
}

function ticksBetween(from: number, to: number, unit: string, whole: boolean): readonly number[] {
  const step = Math.max(niceStep(to - from, unit), whole ? 1 : 0);
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.floor((to - first * step) / step + 1e-9) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** Shares are looked at from above: between 99 and 100 % is where things happen. */
function percentScale(lowest: number): ValueScale {
  const missing = Math.max(100 - lowest, 0.5) * 1.3;
  const from = missing > 55 ? 0 : 100 - missing;
  const to = 100 + (100 - from) * 0.08;
  return { from, to, ticks: ticksBetween(from, 100, '%', false) };
}

/** The scale in which a curve and, unless they are far away, its limits are seen. */
export function valueScale({ points, unit, atLeast, atMost, during }: Series): ValueScale {
  const values = points.map(([, value]) => value).filter((value) => value !== null);
  const lowest = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const highest = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  if (unit === '%' && (values.length === 0 || (highest <= 100 && lowest >= 0))) {
    return percentScale(Math.min(lowest, atLeast ?? 100, during?.atLeast ?? 100, 100));
  }
  const limits = [atLeast, atMost, during?.atLeast ?? null, during?.atMost ?? null];
  const near = limits.filter(
    (limit) => limit !== null && (values.length === 0 || Math.abs(limit) <= farTimes * Math.abs(highest)),
  );
  const top = [highest, ...near].reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  const from = Math.min(0, values.length === 0 ? 0 : lowest * 1.1);
  const to = top === 0 ? (from < 0 ? 0 : 1) : top * 1.16;
  const whole = unit === '' && values.every((value) => Number.isInteger(value));
  return { from, to, ticks: ticksBetween(from, to, unit, whole) };
}
