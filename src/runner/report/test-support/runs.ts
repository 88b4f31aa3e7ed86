import type { RunDocument } from '../../result.ts';
import { deviatedRun } from './deviated-run.ts';
import { emptyRun, hostileRun, hourRun } from './hard-runs.ts';
import { heldRun } from './held-run.ts';
import { abortedRun, interruptedRun, stoppedRun } from './other-runs.ts';

/** Every kind of run that a report must be able to show, by a name for the tests. */
export const runs: Readonly<Record<string, () => RunDocument>> = {
  held: heldRun,
  deviated: deviatedRun,
  stopped: stoppedRun,
  aborted: abortedRun,
  interrupted: interruptedRun,
  hour: hourRun,
  hostile: hostileRun,
  empty: emptyRun,
};
