import { formatSize } from '../../base/size.ts';
import { count, listed, printable } from '../../base/text.ts';
import type { OomRanking, RankedProcess } from '../../forensics/oom-ranking.ts';
import type { OomSetting } from '../../forensics/oom-sysctls.ts';
import { tableText } from './table.ts';
import { wrapped } from './wrapped.ts';

const size = (kib: number): string => formatSize(kib * 1024);

const columns = ['PID', 'NAME', 'UID', 'SCORE', 'ADJ', 'RESIDENT', 'SWAPPED', 'PAGE TABLES', 'CGROUP'];

/** The end of a cgroup's path tells one from another; `-o json` has all of it. */
const cgroupWidth = 40;

function cgroupText(path: string): string {
  const text = printable(path);
  return text.length > cgroupWidth ? `…${text.slice(1 - cgroupWidth)}` : text;
}

function rowOf(one: RankedProcess): readonly string[] {
  const { pid, name, uid, oomScore, oomScoreAdj, rssKib, swapKib, pageTablesKib, cgroup } = one;
  const sizes = [rssKib, swapKib, pageTablesKib].map(size);
  return [
    String(pid),
    printable(name),
    String(uid),
    String(oomScore),
    String(oomScoreAdj),
    ...sizes,
    cgroupText(cgroup ?? ''),
  ];
}

function headOf({ cgroup, totalKib, leftKib, unlimited }: OomRanking): string {
  const left = `${size(leftKib)} left of ${size(totalKib)}`;
  if (cgroup === null) return `When this host runs out of memory (${left} with swap), the OOM killer kills`;
  const named = `the cgroup ${printable(cgroup)}`;
  if (!unlimited) return `When ${named} reaches its limit (${left}), the OOM killer kills`;
  return `${named} has no limit of its own; when the host runs out of memory (${left}), of its processes go first`;
}

function sparedLines(processes: readonly RankedProcess[]): readonly string[] {
  const spared = processes.filter((one) => one.spared !== null).map(({ pid, name }) => `${pid} (${printable(name)})`);
  return spared.length === 0 ? [] : [`Never killed, as PID 1 or by an oom_score_adj of -1000: ${listed(spared)}`];
}

/** Whom the OOM killer would kill next, for a person to read. */
export async function oomText(ranking: OomRanking, settings: readonly OomSetting[], top: number): Promise<string> {
  const { processes, hidden } = ranking;
  const candidates = processes.filter(({ spared }) => spared === null);
  const rest = candidates.length - top;
  return [
    headOf(ranking),
    await tableText(columns, candidates.slice(0, top).map(rowOf)),
    ...(rest > 0 ? [`… and ${rest} more (--top ${candidates.length})`] : []),
    ...sparedLines(processes),
    ...(hidden > 0 ? [`${count(hidden, 'process', 'processes')} could not be looked at: run it as root`] : []),
    '',
    ...settings.flatMap(({ name, value, means }) => wrapped(`${name} = ${value ?? '?'}: ${means}`, '', '  ')),
  ].join('\n');
}
