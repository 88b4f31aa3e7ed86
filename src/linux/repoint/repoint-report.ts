import type { FaultlineError } from '../../base/error.ts';
import type { Kept } from './kept.ts';
import type { Refusal, UseCounts, WatchUse } from './volume-use.ts';

/** A lock that could not be taken along. */
export interface LostLock {
  readonly fd: number;
  /** The whole path, as text. */
  readonly path: string;
  readonly detail: string;
}

/** How it went with one process. */
export interface ProcessReport {
  readonly pid: number;
  /** With the PID it names the process. */
  readonly startTimeTicks: number;
  readonly comm: string;
  /**
   * `moved`: all but what is listed as kept. `kept`: nothing could be moved. `refused`: nothing was touched. `undone`:
   * something failed, and all is as before. `half-done`: something failed, and could not be undone either: some is on
   * this side and some on the other, which does the program no harm; moving again completes it. `gone`: it has ended
   * meanwhile.
   */
  readonly outcome: 'moved' | 'kept' | 'refused' | 'undone' | 'half-done' | 'gone';
  readonly moved: UseCounts;
  readonly kept: readonly Kept[];
  readonly refusal: Refusal | undefined;
  /** Of `undone` and `half-done`. */
  readonly error: FaultlineError | undefined;
  readonly lostLocks: readonly LostLock[];
  /** Locks that nobody took, though for some microseconds somebody who was not stopped could have. */
  readonly locksWithGap: number;
  /** Instances of inotify and epoll that will not be told any more of what they watched on the side that was left. */
  readonly watches: readonly WatchUse[];
  /** How long its threads stood still, in microseconds; the sum, where it was stopped more than once. */
  readonly pauseUs: number;
}

export const nothingMoved: UseCounts = Object.freeze({
  descriptors: 0,
  workingDirectories: 0,
  roots: 0,
  maps: 0,
  locks: 0,
});

/** Two looks at the same process, one after the other, as one. */
export function mergeReports(earlier: ProcessReport, later: ProcessReport): ProcessReport {
  const sum = (key: keyof UseCounts): number => earlier.moved[key] + later.moved[key];
  return Object.freeze({
    ...later,
    outcome: isUneventful(later) ? earlier.outcome : later.outcome,
    error: isUneventful(later) ? earlier.error : later.error,
    // Who was not stopped again is told of only as far as it shows from outside.
    kept: isUneventful(later) ? earlier.kept : later.kept,
    moved: {
      descriptors: sum('descriptors'),
      workingDirectories: sum('workingDirectories'),
      roots: sum('roots'),
      maps: sum('maps'),
      locks: sum('locks'),
    },
    lostLocks: [...earlier.lostLocks, ...later.lostLocks],
    locksWithGap: earlier.locksWithGap + later.locksWithGap,
    watches: [...earlier.watches, ...later.watches],
    pauseUs: earlier.pauseUs + later.pauseUs,
  });
}

/** It has ended since, or there was nothing left to do. */
function isUneventful({ outcome }: ProcessReport): boolean {
  return outcome === 'gone' || outcome === 'kept';
}
