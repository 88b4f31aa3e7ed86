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

/** The signal that ended a process, or the last that asked it to before it exited by itself. */
export interface DeathSignal {
  readonly number: number;
  /** `si_code` of sigaction(2). */
  readonly code: number;
  /** How long before the death, in milliseconds. */
  readonly beforeMs: number;
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
  /** Its numbers in the PID namespaces that it was in, its own first, the host's left out, as far as they were seen. */
  readonly namespaces: readonly { readonly namespace: number; readonly pid: number }[];
  /** Field 22 of /proc/PID/stat: with the PID it names the process within a boot. */
  readonly startTimeTicks: number | null;
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
  /** null: there was none, or it was not seen. */
  readonly signal: DeathSignal | null;
  /** Which process sent it; null where the kernel or nobody did, or it was not seen. */
  readonly sender: Party | null;
  /** It was a victim of the OOM killer. */
  readonly oom: {
    readonly scope: OomScope | null;
    readonly limitCgroup: string | null;
    readonly anonRssKib: number | null;
    readonly fileRssKib: number | null;
    readonly shmemRssKib: number | null;
    readonly totalVmKib: number | null;
    readonly oomScoreAdj: number | null;
  } | null;
  /** The injection that ended it: it was us. */
  readonly injection: string | null;
  /** What saw it: which of them can tell who sent a signal differs. */
  readonly source: 'bpf' | 'tracefs' | 'proc-connector';
}
