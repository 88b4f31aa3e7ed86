import type { ExitStatus } from '../linux/exit-status.ts';
import type { OomScope } from './kernel-log/oom-lines.ts';

/** A process at the moment of somebody's death, as far as it could be seen. */
export interface Party {
  /** As the host sees it. */
  readonly pid: number;
  readonly name: string;
  readonly uid: number | null;
  readonly cgroup: string | null;
}

/** One death as whoever watches saw it: plain data, which survives JSON. */
export interface DeathRecord {
  /** Wall-clock ms since 1970. */
  readonly at: number;
  /** CLOCK_BOOTTIME ms. */
  readonly bootMs: number;
  readonly bootId: string;
  /** As the host sees it. */
  readonly pid: number;
  /** As its own PID namespace saw it; null where that is the host's, or is not known. */
  readonly nsPid: number | null;
  readonly ppid: number | null;
  /** The kernel's name of it: chosen by the process. */
  readonly name: string;
  /** Its arguments, where they were seen before it died. */
  readonly argv: readonly string[] | null;
  readonly uid: number | null;
  readonly cgroup: string | null;
  readonly container: string | null;
  readonly ageMs: number | null;
  /** null: how it ended was not seen. */
  readonly end: ExitStatus | null;
  /** Who sent the signal; null where nobody did, or it was not seen. */
  readonly sender: Party | null;
  /** It was a victim of the OOM killer. */
  readonly oom: {
    readonly scope: OomScope | null;
    readonly limitCgroup: string | null;
    readonly anonRssKib: number | null;
    readonly totalVmKib: number | null;
    readonly oomScoreAdj: number | null;
  } | null;
  /** The injection that ended it: it was us. */
  readonly injection: string | null;
  /** What saw it: which of them can tell who sent a signal differs. */
  readonly source: 'bpf' | 'tracefs' | 'proc-connector';
}
