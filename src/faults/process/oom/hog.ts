import { writeSync } from 'node:fs';
import { delay } from '../../../base/delay.ts';
import { readMeminfo } from '../../../linux/meminfo.ts';
import { createMemoryFile } from '../../../linux/memfd.ts';
import { joinMemoryCgroup, readMemoryCgroup } from '../../../linux/memory-cgroup.ts';
import { setOwnOomScoreAdj } from '../../../linux/oom-score-adj.ts';
import { dieWithParent, setProcessName } from '../../../linux/prctl.ts';
import { readOomState } from '../../../linux/procfs/oom.ts';
import { endAfter, leaveNoCore, limitFileSize } from '../../../linux/self-limits.ts';
import { isErrno } from '../../../linux/syscall-error.ts';
import type { Site } from '../../fault.ts';
import { type HogOrder, orderFromText } from './effects.ts';

/*
 * The process that fills a cgroup. It must do its work and be gone, come what may: it dies with who started it
 * (PR_SET_PDEATHSIG, and the end of its standard input), is ended by the kernel when its time is up (alarm), cannot
 * take more than the limit (RLIMIT_FSIZE), and should the OOM killer want a second victim, it is that one.
 *
 * It fills a file in memory (memfd), which counts for the cgroup and not for the process: with its own interpreter and
 * all that memory on it, it would be a better victim than the one that is meant.
 */

const mib = 1024 * 1024;
const smallestStep = 64 * 1024;
const largestStep = 16 * mib;

/** What the host must have left; below it the work is given up. */
const hostSpareBytes = 128 * mib;

/** As it exits; the command reads it. */
export const hogExit = { done: 0, full: 3, hostScarce: 4, orphaned: 5 } as const;

/** OOM_SCORE_ADJ_MIN of include/uapi/linux/oom.h spares a process altogether. */
const exemptAdj = -1000;

/** How far behind the victim it stands, in thousandths of the limit: what both use changes from moment to moment. */
const distance = 50;

/**
 * The next victim after the real one, as near behind it as is safe. Points are pages in use and oom_score_adj
 * thousandths of the limit, of which the victim has all thousand.
 *
 * @returns -1000 where the limit is smaller than this interpreter: then it is no victim at all
 */
export function adjBehind(limitKib: number, ownKib: number, victimKib: number): number {
  const adj = Math.floor(1000 * (1 - (ownKib - victimKib) / limitKib)) - distance;
  return adj <= exemptAdj ? exemptAdj : Math.min(adj, 1000 - distance);
}

function standBehind({ limitBytes, victimPid }: HogOrder): void {
  const own = readOomState('self');
  const victim = readOomState(victimPid);
  if (own === undefined || victim === undefined) return;
  const used = (one: typeof own): number => one.rssKib + one.swapKib + one.pageTablesKib;
  setOwnOomScoreAdj(adjBehind(limitBytes / 1024, used(own), used(victim)));
}

function bind(order: HogOrder): boolean {
  const { leaseMs, limitBytes, parentPid, cgroup } = order;
  dieWithParent();
  setProcessName('faultline-hog');
  if (process.ppid !== parentPid) return false;
  process.stdin.on('end', () => process.exit(hogExit.orphaned)).resume();
  endAfter(leaseMs / 1000);
  leaveNoCore();
  limitFileSize(limitBytes);
  standBehind(order);
  joinMemoryCgroup(cgroup);
  return true;
}

/** @returns false: it may not take more */
function take(file: number, piece: Uint8Array): boolean {
  try {
    for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
    return true;
  } catch (error) {
    if (isErrno(error, 'EFBIG', 'ENOMEM', 'ENOSPC')) return false;
    throw error;
  }
}

async function fill(order: HogOrder): Promise<number> {
  const { cgroup, limitBytes } = order;
  const kills = (): number => readMemoryCgroup(cgroup)?.oomKills ?? 0;
  const before = kills();
  const file = createMemoryFile('faultline-hog');
  const zeros = new Uint8Array(largestStep);
  for (;;) {
    const state = readMemoryCgroup(cgroup);
    if (state === undefined || kills() > before) return hogExit.done;
    if (readMeminfo().availableBytes < hostSpareBytes) return hogExit.hostScarce;
    const room = Math.max(0, limitBytes - state.usageBytes);
    if (room < largestStep) standBehind(order);
    const step = Math.min(largestStep, Math.max(smallestStep, Math.floor(room / 4)));
    // As much as the limit without a kill: it is swapped out as fast as it comes.
    if (!take(file, zeros.subarray(0, step))) return kills() > before ? hogExit.done : hogExit.full;
    await delay(0);
  }
}

/** Fill the cgroup until the OOM killer has struck in it. */
export async function runHog(_site: Site, argument: string): Promise<undefined> {
  const order = orderFromText(argument);
  if (!bind(order)) process.exit(hogExit.orphaned);
  process.exit(await fill(order));
}
