import type { Series } from '../../result.ts';

export type Point = Series['points'][number];

/** More than any screen shows; documents of others may hold more. */
export const mostPoints = 600;

/** Of points in one stretch of time: the first, the lowest, the highest, the last, and a gap. */
function essence(points: readonly Point[]): readonly Point[] {
  const [first, last] = [points[0], points.at(-1)];
  const measured = points.filter(([, value]) => value !== null);
  const pick = (better: (a: number, b: number) => boolean): Point | undefined =>
    measured.reduce<Point | undefined>(
      (best, point) => (best === undefined || better(point[1] ?? 0, best[1] ?? 0) ? point : best),
      undefined,
    );
  const kept = new Set([
    first,
    pick((a, b) => a < b),
    pick((a, b) => a > b),
    points.find(([, value]) => value === null),
    last,
  ]);
  return points.filter((point) => kept.has(point));
}

/** At most `most` points (10 or more) in their order; the extremes of every stretch stay, and so do gaps. */
export function thinned(points: readonly Point[], most = mostPoints): readonly Point[] {
  if (points.length <= most) return points;
  const size = Math.ceil(points.length / Math.floor(most / 5));
  const stretches = Array.from({ length: Math.ceil(points.length / size) }, (_, index) =>
    points.slice(index * size, (index + 1) * size),
  );
  return stretches.flatMap(essence);
}

/** How a path is drawn into a box, whose units are whole numbers so that they take little space. */
export interface Box {
  readonly x: (ms: number) => number;
  readonly y: (value: number) => number;
}

/** A middle point of three on a level line draws nothing. */
function isOnTheLevel(before: Point | undefined, [, value]: Point, after: Point | undefined): boolean {
  return before !== undefined && after !== undefined && before[1] === value && after[1] === value;
}

/**
 * `d` of an SVG path. Where nothing was measured it has a gap; a point between gaps is a line of no length, which round
 * ends make a dot.
 *
 * @param steps the value holds until the next look: drawn as steps
 */
export function pathData(points: readonly Point[], { x, y }: Box, steps: boolean): string {
  let data = '';
  let pen: number | undefined;
  for (const [index, point] of points.entries()) {
    const [atMs, value] = point;
    if (value === null) {
      pen = undefined;
    } else if (pen === undefined) {
      data += `M${x(atMs)} ${y(value)}${(points[index + 1]?.[1] ?? null) === null ? 'h0' : ''}`;
      pen = y(value);
    } else if (!isOnTheLevel(points[index - 1], point, points[index + 1])) {
      data += steps ? `H${x(atMs)}${y(value) === pen ? '' : `V${y(value)}`}` : `L${x(atMs)} ${y(value)}`;
      pen = y(value);
    }
  }
  return data;
}

/** What the hover read-out knows: `0 4.21;500 4.3;1000 `, ms and value; a gap has none. */
export function readOut(points: readonly Point[]): string {
  return points
    .map(([atMs, value]) => `${Math.round(atMs)} ${value === null ? '' : Number(value.toPrecision(4))}`)
    .join(';');
}
