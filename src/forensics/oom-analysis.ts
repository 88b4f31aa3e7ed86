import type { OomTask, OomVictim } from './kernel-log/oom-lines.ts';
import type { OomReport } from './kernel-log/oom-report.ts';

/*
 * Why that one: the arithmetic of oom_badness() in mm/oom_kill.c, done again with the numbers of the report. Points are
 * pages: resident, swapped out and page tables; oom_score_adj adds or takes thousandths of all memory that counts.
 */

/** A task of the report's table as the OOM killer saw it. */
export interface Candidate {
  readonly pid: number;
  readonly name: string;
  readonly uid: number;
  readonly rssKib: number;
  readonly swapKib: number;
  readonly pageTablesKib: number;
  readonly oomScoreAdj: number;
  /** In pages; null: how much memory counts is not known, and oom_score_adj is not 0. */
  readonly badness: number | null;
  /** Why it could not be chosen: `init`, `exempt` by an oom_score_adj of -1000. */
  readonly spared: 'init' | 'exempt' | null;
}

export interface OomAnalysis {
  readonly pageKib: number;
  /** All memory that counts, RAM and swap, or the limit of the cgroup; in KiB. */
  readonly totalKib: number | null;
  readonly totalFrom: 'report' | 'limit' | 'score' | null;
  /** The highest badness first, those that are spared last. */
  readonly candidates: readonly Candidate[];
  /** Why the victim was chosen and not another: sentences. */
  readonly reasons: readonly string[];
}

const pageSizesKib = [4, 8, 16, 64] as const;

/** PAGE_COUNTER_MAX in kB, on 64-bit with pages of 4 KiB: no limit. Larger pages come near it. */
const unlimitedKib = 2 ** 52;

/** The page size of the machine, as sizes in pages and in kB of one process tell; they are not taken at one moment. */
function pageSizeKib(tasks: readonly OomTask[], victim: OomVictim | undefined): number {
  const row = tasks.find(({ pid }) => pid === victim?.pid);
  if (victim === undefined || row === undefined || row.totalVmPages === 0) return 4;
  const measured = victim.totalVmKib / row.totalVmPages;
  return pageSizesKib.find((size) => Math.abs(size - measured) < size / 4) ?? 4;
}

/** What a task takes itself, in pages. */
function ownPages({ rssPages, swapPages, pageTables }: OomTask, pageKib: number): number {
  const { unit, amount } = pageTables;
  return rssPages + swapPages + (unit === 'pages' ? amount : Math.floor(amount / (pageKib * 1024)));
}

type Total = Pick<OomAnalysis, 'totalKib' | 'totalFrom'>;

function totalOf(report: OomReport, pageKib: number): Total {
  const { scope, usage, ramPages, reservedPages, swapKib, chosen, tasks } = report;
  const limit = usage['memory']?.limitKib;
  if (limit !== undefined && limit < unlimitedKib) {
    // Swap counts as far as the cgroup may use it; how much the host has, a cgroup's report does not say.
    const both = usage['memory+swap']?.limitKib ?? limit;
    const swapped = both < unlimitedKib ? Math.max(limit, both) : limit;
    return { totalKib: swapped, totalFrom: 'limit' };
  }
  if (ramPages !== null && (scope === 'global' || scope === null)) {
    return { totalKib: (ramPages - (reservedPages ?? 0)) * pageKib + (swapKib ?? 0), totalFrom: 'report' };
  }
  // The score is thousandths of the total.
  const row = tasks.find(({ pid }) => pid === chosen?.pid);
  if (chosen !== null && chosen.score > 0 && row?.oomScoreAdj === 0) {
    const totalKib = Math.round((ownPages(row, pageKib) * 1000) / chosen.score) * pageKib;
    return { totalKib, totalFrom: 'score' };
  }
  return { totalKib: null, totalFrom: null };
}

function candidateOf(task: OomTask, pageKib: number, totalKib: number | null): Candidate {
  const own = ownPages(task, pageKib);
  const { unit, amount } = task.pageTables;
  const adjusted = totalKib === null ? null : task.oomScoreAdj * Math.floor(totalKib / pageKib / 1000);
  return {
    pid: task.pid,
    name: task.name,
    uid: task.uid,
    rssKib: task.rssPages * pageKib,
    swapKib: task.swapPages * pageKib,
    pageTablesKib: unit === 'pages' ? amount * pageKib : Math.round(amount / 1024),
    oomScoreAdj: task.oomScoreAdj,
    badness: task.oomScoreAdj === 0 ? own : adjusted === null ? null : own + adjusted,
    spared: task.oomScoreAdj === -1000 ? 'exempt' : task.pid === 1 ? 'init' : null,
  };
}

function byBadness(a: Candidate, b: Candidate): number {
  const spared = Number(a.spared !== null) - Number(b.spared !== null);
  return spared === 0 ? (b.badness ?? b.rssKib) - (a.badness ?? a.rssKib) : spared;
}

function ofWay({ how, victims, limitCgroup }: OomReport): string | undefined {
  if (how === 'allocating-task') {
    return 'vm.oom_kill_allocating_task is set: who asked for memory was killed, no other was looked at';
  }
  if (how === 'sysrq') return 'a person or program asked for it: SysRq-f, or f written to /proc/sysrq-trigger';
  if (how === 'group') {
    const all = `all ${victims.length} processes of the cgroup ${limitCgroup ?? ''}`;
    return `memory.oom.group is set: ${all} were killed as one`;
  }
  return undefined;
}

const mib = (kib: number): string => `${Math.round((kib / 1024) * 10) / 10} MiB`;

function ofRank(report: OomReport, { candidates, totalKib }: Pick<OomAnalysis, 'candidates' | 'totalKib'>): string[] {
  const { victims, supposed, chosen } = report;
  const pid = victims[0]?.pid ?? supposed?.pid;
  const rank = candidates.findIndex((one) => one.pid === pid);
  const own = candidates[rank];
  if (own === undefined) return [];
  const { rssKib, swapKib, pageTablesKib, oomScoreAdj } = own;
  const share =
    totalKib === null
      ? ''
      : `, ${Math.round(((rssKib + swapKib + pageTablesKib) / totalKib) * 100)}% of ${mib(totalKib)}`;
  const parts = `${mib(rssKib)} resident + ${mib(swapKib)} swapped + ${mib(pageTablesKib)} of page tables`;
  const adj =
    oomScoreAdj === 0
      ? ''
      : `; its oom_score_adj of ${oomScoreAdj} ${oomScoreAdj > 0 ? 'made it a better' : 'made it a lesser'} victim`;
  if (chosen !== null && chosen.pid !== pid) {
    return [
      `pid ${chosen.pid} (${chosen.name}) had the highest score, ${chosen.score}`,
      'a child of it was killed in its place, as Linux did before 5.2',
    ];
  }
  const next = candidates.find((one) => one.pid !== pid && one.spared === null);
  const second =
    next === undefined
      ? 'it was the only candidate'
      : `next was pid ${next.pid} (${next.name}) with ${mib(next.rssKib + next.swapKib + next.pageTablesKib)}`;
  if (rank === 0) return [`it had the highest badness: ${parts}${share}${adj}`, second];
  const [first] = candidates;
  return [
    `it took ${parts}${share}${adj}`,
    `by these numbers pid ${first?.pid ?? 0} (${first?.name ?? ''}) was the better victim`,
    'the table was written a moment before or after the choice, or rows of it are missing',
  ];
}

/** Do the OOM killer's arithmetic again: who was a candidate, and why the victim was the one. */
export function analyseOom(report: OomReport): OomAnalysis {
  const pageKib = pageSizeKib(report.tasks, report.victims[0]);
  const total = totalOf(report, pageKib);
  const candidates = report.tasks.map((task) => candidateOf(task, pageKib, total.totalKib)).toSorted(byBadness);
  const way = ofWay(report);
  const reasons =
    way === undefined || report.how === 'group' ? ofRank(report, { candidates, totalKib: total.totalKib }) : [];
  return Object.freeze({
    pageKib,
    ...total,
    candidates,
    reasons: [...(way === undefined ? [] : [way]), ...reasons],
  });
}

/** The page tables of a victim in KiB. Linux 5.4 and 5.5 print bytes there, and call them kB. */
export function victimPageTablesKib(
  { pid, pageTables, totalVmKib }: OomVictim,
  tasks: readonly OomTask[],
): number | null {
  if (pageTables === null) return null;
  const row = tasks.find((task) => task.pid === pid);
  const isBytes =
    row?.pageTables.unit === 'bytes'
      ? row.pageTables.amount === pageTables && pageTables >= 4096
      : pageTables > totalVmKib;
  return isBytes ? Math.round(pageTables / 1024) : pageTables;
}
