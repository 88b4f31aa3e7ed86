import type { RepointReport } from '../../../linux/repoint/repoint.ts';
import type { ProcessIdentity } from '../../../targets/identity.ts';
import type { RuleCounts } from '../counters.ts';
import type { VolumePlan } from '../volume-plan.ts';
import type { IoRule } from '../rule.ts';

/*
 * What the daemon of a volume is asked, and what it answers: plain JSON, one request each. An injection is named by the
 * number of its effect in the journal.
 */

/** Put rules in force; the first one to ask has the volume covered. */
export interface JoinRequest {
  readonly ask: 'join';
  readonly effect: number;
  readonly volume: VolumePlan;
  readonly seed: string;
  readonly rules: readonly IoRule[];
}

export interface JoinAnswer {
  readonly daemon: ProcessIdentity;
  readonly mountId: number;
  /** Data that no rule is about does not go through the daemon. */
  readonly passthrough: boolean;
  /** Open files that the rules do not reach until they are opened anew: no rule was about them so far. */
  readonly unreached: number;
  /** What was moved onto the volume. */
  readonly report: RepointReport;
}

/**
 * Take an injection's rules out of force; with the last one the volume is uncovered. A daemon that has covered nothing
 * has nothing to say to it, and ends.
 */
export interface LeaveRequest {
  readonly ask: 'leave';
  readonly effect: number;
}

export interface LeaveAnswer {
  /** This daemon had covered the volume: there is nothing that only others could know of. */
  readonly hadVolume: boolean;
  /** For each of its rules; null where the daemon did not know it. */
  readonly counts: readonly RuleCounts[] | null;
  /** Other injections on the volume, for which it stays covered. */
  readonly others: number;
  /** What was moved back; null while other injections use the volume. */
  readonly report: RepointReport | null;
  /** Mounts of others on the volume that could not be kept. */
  readonly lost: readonly string[];
}

/** How is it? */
export interface LookRequest {
  readonly ask: 'look';
  readonly effect: number;
}

export interface LookAnswer {
  readonly counts: readonly RuleCounts[] | null;
}

export type DaemonRequest = JoinRequest | LeaveRequest | LookRequest;
