import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { cgroupMembers } from '../linux/cgroupfs.ts';
import { readMeminfo } from '../linux/meminfo.ts';
import { memoryCgroupAt, memoryCgroupOf, readMemoryCgroup } from '../linux/memory-cgroup.ts';
import { readOomState } from '../linux/procfs/oom.ts';
import { listPids } from '../linux/procfs/process-list.ts';
import { isErrno } from '../linux/syscall-error.ts';

/** A process as the OOM killer would see it now. Sizes in KiB. */
export interface RankedProcess {
  readonly pid: number;
  readonly name: string;
  readonly uid: number;
  /** /proc/PID/oom_score: the kernel's own figure, scaled. */
  readonly oomScore: number;
  readonly oomScoreAdj: number;
  readonly rssKib: number;
  readonly swapKib: number;
  readonly pageTablesKib: number;
  /** What decides, in KiB: memory in use, and oom_score_adj thousandths of all there is. */
  readonly badnessKib: number;
  /** Why it cannot be chosen. */
  readonly spared: 'init' | 'exempt' | null;
  readonly cgroup: string | null;
}

export interface OomRanking {
  /** The cgroup that was asked about; null: the whole host. */
  readonly cgroup: string | null;
  /** RAM and swap, or the limit of the cgroup. */
  readonly totalKib: number;
  /** What is left until memory runs out. */
  readonly leftKib: number;
  /** Has the cgroup no limit? Then only the host's can be reached. */
  readonly unlimited: boolean;
  /** Who would be killed, the first first; those that are spared last. */
  readonly processes: readonly RankedProcess[];
  /** How many could not be looked at. */
  readonly hidden: number;
}

function rankedProcess(pid: number, totalKib: number): RankedProcess | undefined {
  const state = readOomState(pid);
  if (state === undefined) return undefined;
  const { name, uid, score, scoreAdj, rssKib, swapKib, pageTablesKib } = state;
  return Object.freeze({
    pid,
    name,
    uid,
    oomScore: score,
    oomScoreAdj: scoreAdj,
    rssKib,
    swapKib,
    pageTablesKib,
    badnessKib: rssKib + swapKib + pageTablesKib + Math.trunc((scoreAdj * totalKib) / 1000),
    spared: scoreAdj === -1000 ? 'exempt' : pid === 1 ? 'init' : null,
    cgroup: memoryCgroupOf(pid)?.path ?? null,
  });
}

function byBadness(a: RankedProcess, b: RankedProcess): number {
  const spared = Number(a.spared !== null) - Number(b.spared !== null);
  return spared === 0 ? b.badnessKib - a.badnessKib : spared;
}

interface Scope extends Omit<OomRanking, 'processes' | 'hidden'> {
  readonly pids: readonly number[];
}

function hostScope(): Scope {
  const { totalBytes, availableBytes, swapTotalBytes, swapFreeBytes } = readMeminfo();
  return {
    cgroup: null,
    totalKib: (totalBytes + swapTotalBytes) / 1024,
    leftKib: (availableBytes + swapFreeBytes) / 1024,
    unlimited: false,
    pids: listPids(),
  };
}

function cgroupScope(path: string): Scope {
  const pids = [...cgroupMembers(path)];
  if (pids.length === 0) {
    throw new FaultlineError('PROCESS_NOT_FOUND', `the cgroup ${printable(path)} has no processes`, {
      hint: 'faultline oom, without --cgroup, ranks all processes of the host',
    });
  }
  const cgroup = memoryCgroupAt(path);
  const state = cgroup === undefined ? undefined : readMemoryCgroup(cgroup);
  const host = hostScope();
  if (state?.limitBytes === undefined || state.limitBytes === null) {
    return { ...host, cgroup: path, unlimited: true, pids };
  }
  const totalKib = Math.min(state.limitBytes / 1024, host.totalKib);
  return { cgroup: path, totalKib, leftKib: Math.max(0, totalKib - state.usageBytes / 1024), unlimited: false, pids };
}

/**
 * Who would be killed next when memory runs out.
 *
 * @param path of a cgroup, as `--cgroup` of attacks takes it; without it the whole host
 * @throws {FaultlineError} CGROUP_NOT_FOUND, PROCESS_NOT_FOUND
 */
export function rankForOom(path?: string): OomRanking {
  const { pids, ...scope } = path === undefined ? hostScope() : cgroupScope(path);
  let hidden = 0;
  const processes: RankedProcess[] = [];
  for (const pid of pids) {
    try {
      const one = rankedProcess(pid, scope.totalKib);
      if (one !== undefined && pid !== process.pid) processes.push(one);
    } catch (error) {
      if (!isErrno(error, 'EACCES', 'EPERM')) throw error;
      hidden += 1;
    }
  }
  return Object.freeze({ ...scope, processes: Object.freeze(processes.sort(byBadness)), hidden });
}
