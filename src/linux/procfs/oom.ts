import { type ProcessRef, readProcessRecord } from './read.ts';

/** What the OOM killer looks at in a process: proc_pid_oom_score(5), proc_pid_status(5). Sizes in KiB. */
export interface OomState {
  readonly name: string;
  readonly uid: number;
  /** The kernel's own figure: higher is killed sooner. */
  readonly score: number;
  readonly scoreAdj: number;
  readonly rssKib: number;
  readonly swapKib: number;
  readonly pageTablesKib: number;
}

function numberIn(process: ProcessRef, file: string): number | undefined {
  const bytes = readProcessRecord(process, file);
  return bytes === undefined ? undefined : Number(bytes.toString('latin1'));
}

/**
 * What the OOM killer would see in a process.
 *
 * @returns undefined when it is gone or has no memory of its own, as kernel threads and zombies
 * @throws SyscallError EACCES: not ours to look at
 */
export function readOomState(process: ProcessRef): OomState | undefined {
  const score = numberIn(process, 'oom_score');
  const scoreAdj = numberIn(process, 'oom_score_adj');
  const status = readProcessRecord(process, 'status')?.toString('utf8');
  if (score === undefined || scoreAdj === undefined || status === undefined) return undefined;
  const value = (key: string): number | undefined => {
    const found = new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const rssKib = value('VmRSS');
  if (rssKib === undefined) return undefined;
  return Object.freeze({
    name: /^Name:\t(.*)$/m.exec(status)?.[1] ?? '',
    uid: value('Uid') ?? 0,
    score,
    scoreAdj,
    rssKib,
    swapKib: value('VmSwap') ?? 0,
    pageTablesKib: value('VmPTE') ?? 0,
  });
}

/** oom_score_adj of a process; undefined when it is gone. */
export function readOomScoreAdj(process: ProcessRef): number | undefined {
  return numberIn(process, 'oom_score_adj');
}
