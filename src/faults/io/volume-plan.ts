import type { Plan } from '../fault.ts';

/** What `inject` needs of a plan: plain JSON. */
export interface VolumePlan {
  readonly key: string;
  readonly path: string;
  /** A process of the mount namespace; there may be others when it is gone. */
  readonly pid: number;
  readonly mountNamespace: number;
  readonly mountId: number;
  /** In decimal. */
  readonly inode: string;
  /** Whose open files are moved; null: of everybody in the namespace but `exclude`. */
  readonly pids: readonly number[] | null;
  readonly exclude: readonly number[];
}

/** Back from the journal's plan. */
export function volumePlanOf(plan: Plan): VolumePlan {
  return plan.data['volume'] as unknown as VolumePlan;
}
