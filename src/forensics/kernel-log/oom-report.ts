import type { LogTime } from './envelope.ts';
import type { OomScope, OomTask, OomVictim } from './oom-lines.ts';

/** Everything that the log tells of one visit of the OOM killer. */
export interface OomReport {
  readonly time: LogTime;
  readonly host: string | null;
  /** null: the log does not say, as before 5.0 outside of cgroups. */
  readonly scope: OomScope | null;
  readonly how: 'chosen' | 'allocating-task' | 'sysrq' | 'group' | 'panic' | 'nobody';
  /** Who wanted memory when there was none. */
  readonly trigger: {
    readonly name: string;
    readonly pid: number | null;
    readonly gfpMask: string | null;
    readonly order: number | null;
    readonly oomScoreAdj: number | null;
  } | null;
  readonly kernelRelease: string | null;
  /** The cgroup whose limit was reached. */
  readonly limitCgroup: string | null;
  /** The cgroup of the victim. */
  readonly taskCgroup: string | null;
  /** memory, memory+swap, swap, kmem of the limiting cgroup. */
  readonly usage: Readonly<Record<string, { readonly usageKib: number; readonly limitKib: number }>>;
  readonly ramPages: number | null;
  readonly reservedPages: number | null;
  readonly swapKib: number | null;
  readonly tasks: readonly OomTask[];
  /** Before 5.2 the one with the highest score, which is not always the one that is killed: a child may be. */
  readonly chosen: { readonly pid: number; readonly name: string; readonly score: number } | null;
  /** Who was killed, the first first; more than one with memory.oom.group. Empty when the log does not tell. */
  readonly victims: readonly OomVictim[];
  /** Known by the reaper alone, or named as the one to be killed, where the line of the kill is missing. */
  readonly supposed: { readonly pid: number; readonly name: string; readonly uid: number | null } | null;
  readonly reaped: readonly number[];
  readonly panic: string | null;
  /** What does not fit together. */
  readonly doubts: readonly string[];
}

/** Lines of a log may be lost, or those of two reports be mixed: what contradicts itself is said. */
export function withDoubts(report: OomReport): OomReport {
  const { victims, supposed, tasks } = report;
  const [victim] = victims;
  const doubts: string[] = [];
  const isGroup = report.how === 'group';
  if (
    victim !== undefined &&
    supposed !== null &&
    !isGroup &&
    victim.pid !== supposed.pid &&
    victim.name !== supposed.name
  ) {
    doubts.push(
      `one line names pid ${supposed.pid} (${supposed.name}) as the victim, another pid ${victim.pid} (${victim.name})`,
    );
  }
  const row = victim === undefined ? undefined : tasks.find(({ pid }) => pid === victim.pid);
  if (victim !== undefined && row !== undefined && row.name !== victim.name) {
    doubts.push(`the table calls pid ${victim.pid} ${row.name}, the line of the kill ${victim.name}`);
  }
  return { ...report, doubts };
}
