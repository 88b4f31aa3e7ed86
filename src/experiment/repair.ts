import type { FaultlineError } from '../base/error.ts';
import type { Recovery } from './recovery.ts';

/** One injection that somebody had left behind, and what became of it. */
export interface Repair {
  readonly uid: string;
  readonly reason: string;
  readonly outcome: Recovery | FaultlineError;
}
