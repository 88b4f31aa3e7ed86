import type { JsonObject } from '../../base/json.ts';
import { bootTimeMs, startTimeMs, ticksPerSecond } from '../../linux/clock.ts';
import { readComm } from '../../linux/procfs/comm.ts';
import { listPids } from '../../linux/procfs/process-list.ts';
import { readStat } from '../../linux/procfs/stat.ts';
import { readStatus } from '../../linux/procfs/status.ts';
import { isDead } from '../../targets/identity.ts';

/** A process that ended, and how one that takes its place would be known. */
export interface Ended {
  readonly key: string;
  readonly comm: string;
  readonly uid: number;
  /** Who started it: who brings it back is the same, a supervisor, a shell's loop, init. */
  readonly ppid: number;
  /** When its end was asked for, and when it was noticed, in CLOCK_BOOTTIME ms: it ended in between. */
  readonly sentBootMs: number;
  readonly endedBootMs: number;
}

/** What the journal knows of the end of a process, where it was seen. */
export function endOf(evidence: JsonObject): Pick<Ended, 'sentBootMs' | 'endedBootMs'> | undefined {
  const { sentBootMs, endedBootMs } = evidence;
  if (typeof sentBootMs !== 'number' || typeof endedBootMs !== 'number') return undefined;
  return { sentBootMs, endedBootMs };
}

export interface Respawn {
  readonly pid: number;
  /** From the end of the one to the start of the other; the kernel keeps starts in ticks of 10 ms. */
  readonly afterMs: number;
}

interface Newcomer {
  readonly pid: number;
  readonly comm: string;
  readonly uid: number;
  readonly ppid: number;
  readonly startBootMs: number;
}

function newcomers(names: ReadonlySet<string>, sinceBootMs: number): readonly Newcomer[] {
  const found: Newcomer[] = [];
  for (const pid of listPids()) {
    const comm = readComm(pid);
    if (comm === undefined || !names.has(comm)) continue;
    const stat = readStat(pid);
    if (stat === undefined || isDead(stat)) continue;
    const startBootMs = startTimeMs(stat);
    const uid = startBootMs < sinceBootMs ? undefined : readStatus(pid)?.effectiveUid;
    if (uid !== undefined) found.push({ pid, comm, uid, ppid: stat.ppid, startBootMs });
  }
  return found.toSorted((a, b) => a.startBootMs - b.startBootMs || a.pid - b.pid);
}

/**
 * Who has come back: for each process that ended, the first of the same name, user and parent that started
 * afterwards and that stands for no other.
 */
export function findRespawned(ended: readonly Ended[]): ReadonlyMap<string, Respawn> {
  const respawned = new Map<string, Respawn>();
  if (ended.length === 0) return respawned;
  const tickMs = 1000 / ticksPerSecond();
  const first = Math.min(...ended.map(({ sentBootMs }) => sentBootMs));
  const free = [...newcomers(new Set(ended.map(({ comm }) => comm)), first - tickMs)];
  for (const one of ended.toSorted((a, b) => a.endedBootMs - b.endedBootMs)) {
    const index = free.findIndex(
      ({ comm, uid, ppid, startBootMs }) =>
        comm === one.comm && uid === one.uid && ppid === one.ppid && startBootMs >= one.sentBootMs - tickMs,
    );
    const found = index === -1 ? undefined : free.splice(index, 1)[0];
    if (found === undefined) continue;
    respawned.set(one.key, { pid: found.pid, afterMs: Math.max(0, found.startBootMs - one.endedBootMs) });
  }
  return respawned;
}

/** Look for who comes back until all have or the time is over. */
export async function awaitRespawned(
  ended: readonly Ended[],
  observeMs: number,
  sleep: (ms: number) => Promise<void>,
): Promise<ReadonlyMap<string, Respawn>> {
  const endBootMs = bootTimeMs() + observeMs;
  for (;;) {
    const respawned = findRespawned(ended);
    const leftMs = endBootMs - bootTimeMs();
    if (respawned.size === ended.length || leftMs <= 0) return respawned;
    await sleep(Math.min(leftMs, 50));
  }
}
