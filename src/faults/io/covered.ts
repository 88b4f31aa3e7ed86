import path from 'node:path';
import { FUSE_TYPE } from '../../linux/mount/fuse-mount.ts';
import { readMounts } from '../../linux/mount-table.ts';
import { currentState } from '../../targets/identity.ts';
import type { Site } from '../fault.ts';
import { recordBySource } from './daemon/record.ts';
import type { VolumePlan } from './volume-plan.ts';

/**
 * Is the volume covered already, by another injection of this state folder? Then another one can join it: the rules
 * change, and the mount stays.
 *
 * @param volume as users write it: `/data`
 * @param pid who sees it so
 * @returns how it was planned by who came first; undefined: it is not ours, or nobody serves it
 */
export function coveredAlready(volume: string, pid: number, { stateDir }: Site): VolumePlan | undefined {
  const folder = path.posix.resolve('/', volume);
  const mount = readMounts(pid)?.findLast(({ mountPoint }) => mountPoint === folder);
  if (mount?.fsType !== FUSE_TYPE) return undefined;
  const record = recordBySource(stateDir, mount.source);
  return record !== undefined && currentState(record.daemon) === 'alive' ? record.volume : undefined;
}
