import type { RunDocument } from '../../result.ts';

/** The one axis of time that everything on the timeline shares. */
export interface TimeAxis {
  readonly endMs: number;
  /** Where a moment is, in percent of the width: `37.42%`. */
  readonly at: (ms: number) => string;
  /** The same as a share of the width, 0 to 1. */
  readonly share: (ms: number) => number;
}

/** Steps that people count time in. */
const stepsMs = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
  900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000,
];

/** From the start of a run to the last that is known of it. */
export function timeAxis(run: RunDocument): TimeAxis {
  const ends = [
    run.durationMs,
    ...run.phases.map(({ toMs }) => toMs),
    ...run.probes.flatMap(({ series }) => series.map(({ points }) => points.at(-1)?.[0] ?? 0)),
  ];
  const endMs = ends.reduce((most, end) => Math.max(most, end), 1);
  const share = (ms: number): number => Math.min(1, Math.max(0, ms / endMs));
  return { endMs, share, at: (ms) => percent(share(ms)) };
}

/** 0.25 → `25%`, to a hundredth of a percent: a tenth of a pixel on the widest screen. */
export function percent(share: number): string {
  return `${Math.round(share * 1e4) / 100}%`;
}

/** The moments that are written below the axis, at most so many. */
export function timeTicks(endMs: number, most: number): readonly number[] {
  const day = 86_400_000;
  const step = stepsMs.find((candidate) => endMs / candidate < most) ?? Math.ceil(endMs / most / day) * day;
  return Array.from({ length: Math.floor(endMs / step) + 1 }, (_, index) => index * step);
}
