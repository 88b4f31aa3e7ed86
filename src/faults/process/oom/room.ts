import { FaultlineError } from '../../../base/error.ts';
import { formatSize } from '../../../base/size.ts';
import { printable } from '../../../base/text.ts';
import { cgroupMembers } from '../../../linux/cgroupfs.ts';
import { readMeminfo } from '../../../linux/meminfo.ts';
import {
  type MemoryCgroup,
  type MemoryCgroupState,
  mayJoin,
  memoryCgroupOf,
  parentMemoryCgroup,
  readMemoryCgroup,
} from '../../../linux/memory-cgroup.ts';
import { readOomState } from '../../../linux/procfs/oom.ts';

/*
 * May this cgroup be filled? Only where its own limit is the one that is reached, where the host does not notice, and
 * where the OOM killer will take the target and nobody else.
 */

/** A cgroup that may be filled. */
export interface Room {
  readonly cgroup: MemoryCgroup;
  readonly limitBytes: number;
  readonly usageBytes: number;
  /** Everybody in it and below it. */
  readonly members: readonly number[];
  /** All of them are killed as one. */
  readonly group: boolean;
}

/** What must be left of the host's memory when the cgroup is full. */
const spareBytes = 256 * 1024 * 1024;

/** oom_score_adj that the target is given: OOM_SCORE_ADJ_MAX of include/uapi/linux/oom.h. */
export const highestAdj = 1000;

const limitHint = 'run it in a cgroup with a memory limit, such as systemd-run -p MemoryMax=64M';

function unfit(sentence: string, hint: string): FaultlineError {
  return new FaultlineError('CGROUP_UNFIT', sentence, { hint });
}

function refuseUnlimited(
  who: string,
  { path }: MemoryCgroup,
  state: MemoryCgroupState,
): asserts state is MemoryCgroupState & { readonly limitBytes: number } {
  if (path === '/') {
    throw unfit(`${who} is in the root cgroup: to fill that is to fill the host`, limitHint);
  }
  if (state.limitBytes === null) {
    throw unfit(
      `the cgroup ${printable(path)} of ${who} has no memory limit: to fill it is to fill the host`,
      'give it one (memory.max, MemoryMax=, docker run --memory)',
    );
  }
  if (state.oomKillDisabled) {
    throw unfit(
      `the OOM killer is disabled in the cgroup ${printable(path)}: its processes would hang`,
      'echo 0 > memory.oom_control',
    );
  }
}

/** A limit above that is reached sooner would have others killed. */
function refuseTighterAbove(cgroup: MemoryCgroup, neededBytes: number): void {
  for (let above = parentMemoryCgroup(cgroup); above !== undefined; above = parentMemoryCgroup(above)) {
    const state = readMemoryCgroup(above);
    if (state?.limitBytes === undefined || state.limitBytes === null) continue;
    if (state.limitBytes - state.usageBytes < neededBytes) {
      throw unfit(
        `the cgroup ${printable(above.path)} would be full before ${printable(cgroup.path)} is: others would be killed`,
        'lower the limit of the target, or raise the one above',
      );
    }
  }
}

function refuseScarceHost(neededBytes: number): void {
  const { availableBytes } = readMeminfo();
  if (availableBytes - neededBytes >= spareBytes) return;
  throw unfit(
    `the host has ${formatSize(availableBytes)} left, and ${formatSize(neededBytes)} are needed to fill the cgroup`,
    'lower the limit of the cgroup, or make room on the host',
  );
}

/** Whoever has a high oom_score_adj himself would be killed before the target. */
function refuseRivals(pid: number, who: string, { members, limitBytes }: Pick<Room, 'members' | 'limitBytes'>): void {
  const own = readOomState(pid);
  if (own === undefined) return;
  const limitKib = limitBytes / 1024;
  const badness = (one: { readonly rssKib: number; readonly swapKib: number }, adj: number): number =>
    one.rssKib + one.swapKib + (adj * limitKib) / 1000;
  for (const member of members) {
    const state = member === pid ? undefined : readOomState(member);
    if (state === undefined || badness(state, state.scoreAdj) < badness(own, highestAdj)) continue;
    throw unfit(
      `pid ${member} (${printable(state.name)}) would be killed before ${who}: its oom_score_adj is ${state.scoreAdj}`,
      'choose that one, or lower its oom_score_adj',
    );
  }
}

/**
 * The room that is to be filled for a process.
 *
 * @param who how the process is called: `pid 12 (api)`
 * @throws {FaultlineError} CGROUP_UNFIT, CGROUP_NOT_FOUND
 */
export function roomOf(pid: number, who: string): Room {
  const cgroup = memoryCgroupOf(pid);
  const state = cgroup === undefined ? undefined : readMemoryCgroup(cgroup);
  if (cgroup === undefined || state === undefined) {
    if (cgroup?.path === '/') {
      throw unfit(`${who} is in the root cgroup: to fill that is to fill the host`, limitHint);
    }
    throw unfit(
      `the memory of ${who} is counted in no cgroup that can be seen here`,
      'is the memory controller on? cat /sys/fs/cgroup/cgroup.controllers',
    );
  }
  refuseUnlimited(who, cgroup, state);
  if (!mayJoin(cgroup)) {
    throw new FaultlineError(
      'PERMISSION_DENIED',
      `not permitted to move a process into the cgroup ${printable(cgroup.path)}`,
      {
        hint: 'run it as root',
      },
    );
  }
  const neededBytes = Math.max(0, state.limitBytes - state.usageBytes);
  refuseTighterAbove(cgroup, neededBytes);
  refuseScarceHost(neededBytes);
  const members = [...cgroupMembers(cgroup.folder)];
  const room = { cgroup, limitBytes: state.limitBytes, usageBytes: state.usageBytes, members, group: state.oomGroup };
  refuseRivals(pid, who, room);
  return Object.freeze(room);
}
