import { FUSE_TYPE } from '../../linux/mount/fuse-mount.ts';
import { someoneIn } from '../../linux/mount/namespace-members.ts';
import { readMounts } from '../../linux/mount-table.ts';
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

type Place = Pick<VolumePlan, 'pid' | 'mountNamespace'>;

/** Who sees the volume: whoever planned it may be gone by now. */
export function witnessOf({ mountNamespace, pid }: Place): number {
  return someoneIn(mountNamespace, pid) ?? pid;
}

/** Does our mount stand over the volume? undefined: nobody sees it who could be asked. */
export function isMounted(place: Place, mountId: unknown): boolean | undefined {
  return readMounts(witnessOf(place))?.some((one) => one.mountId === mountId && one.fsType === FUSE_TYPE);
}
