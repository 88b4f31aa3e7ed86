import type { Limits, Series } from '../result.ts';

const levels = '▁▂▃▄▅▆▇█';

/** How far within its limits a value is: the less, the worse. Where there are none, more is worse. */
function slackOf(value: number, { atLeast, atMost }: Limits): number {
  if (atLeast === null && atMost === null) return -value;
  return Math.min(value - (atLeast ?? Number.NEGATIVE_INFINITY), (atMost ?? Number.POSITIVE_INFINITY) - value);
}

/** Of each stretch of time what is worst. */
function worst(values: readonly number[], limits: Limits): number {
  return values.reduce((a, b) => (slackOf(b, limits) < slackOf(a, limits) ? b : a));
}

/** A curve in a line of text, at most so many characters, with blanks for gaps; '' where there is no curve at all. */
export function sparkline(series: Series, width = 40): string {
  const { points } = series;
  const size = Math.max(1, Math.ceil(points.length / width));
  const buckets = Array.from({ length: Math.ceil(points.length / size) }, (_, index) => {
    const values = points
      .slice(index * size, (index + 1) * size)
      .map(([, value]) => value)
      .filter((value) => value !== null);
    return values.length === 0 ? undefined : worst(values, series);
  });
  const known = buckets.filter((value) => value !== undefined);
  if (known.length === 0) return '';
  const [least, most] = [Math.min(...known), Math.max(...known)];
  return buckets
    .map((value) => {
      if (value === undefined) return ' ';
      // What never changes is neither high nor low.
      const share = most === least ? 0.5 : (value - least) / (most - least);
      return levels[Math.round(share * (levels.length - 1))] ?? '';
    })
    .join('');
}
