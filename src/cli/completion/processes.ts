import { readdirSync, readFileSync } from 'node:fs';
import { count } from '../../base/text.ts';
import { isEndedState, isKernelThread, parseStat, type ProcessStat } from '../../linux/procfs/stat.ts';
import { type Candidate, candidate } from './candidate.ts';

/** A host may have thousands of processes; nobody reads that many. */
const mostPids = 500;

/** Read with Node's own means: loading the bindings would take longer than reading a few hundred processes. */
function statOf(pid: string): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`));
  } catch {
    return undefined; // gone, or not ours to see
  }
}

function isTarget(stat: ProcessStat | undefined): stat is ProcessStat {
  return (
    stat !== undefined && stat.pid > 1 && stat.pid !== process.pid && !isEndedState(stat.state) && !isKernelThread(stat)
  );
}

/** Digits would be taken for a PID; U+FFFD stands for bytes that are no UTF-8. */
function canBeTyped(name: string): boolean {
  return name !== '' && !/^\d+$|\ufffd/u.test(name);
}

function nameCandidates(stats: readonly ProcessStat[]): readonly Candidate[] {
  const numbers = new Map<string, number>();
  for (const { comm } of stats) if (canBeTyped(comm)) numbers.set(comm, (numbers.get(comm) ?? 0) + 1);
  const names = [...numbers].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return names.map(([name, number]) => candidate(name, count(number, 'process', 'processes')));
}

/** Only those that begin with the digits typed, so that the most that are listed are the right ones. */
function pidCandidates(stats: readonly ProcessStat[], typed: string): readonly Candidate[] {
  const wanted = /^\d/.test(typed) ? stats.filter(({ pid }) => String(pid).startsWith(typed)) : stats;
  return wanted.slice(0, mostPids).map(({ pid, comm }) => candidate(String(pid), comm));
}

/** The names of the processes that live now, and their PIDs with the name beside them. */
export function processCandidates(typed: string): readonly Candidate[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const stats = pids.map(statOf).filter(isTarget);
  return [...nameCandidates(stats), ...pidCandidates(stats, typed)];
}
