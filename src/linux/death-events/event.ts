/*
 * What a source of deaths tells, whichever it is. What a source cannot tell is null.
 */

export type DeathSourceKind = 'bpf' | 'tracefs' | 'proc-connector';

/** The `si_code` of a signal that the kernel sends: include/uapi/asm-generic/siginfo.h */
export const SI_KERNEL = 0x80;

/** A signal on its way to a process that then died. */
export interface SeenSignal {
  readonly signal: number;
  /** `si_code` of sigaction(2): 0 by kill(2), 0x80 by the kernel, above that a fault of the process's own. */
  readonly code: number;
  /** How long before the death, in milliseconds. */
  readonly beforeMs: number;
  /** Who ran when it was sent: the sender, where it was sent by a process. */
  readonly pid: number;
  readonly name: string;
  readonly uid: number | null;
  readonly cgroup: string | null;
}

/** What the OOM killer knew of its victim, in pages. */
export interface SeenOom {
  readonly totalVmPages: number | null;
  readonly anonRssPages: number | null;
  readonly fileRssPages: number | null;
  readonly shmemRssPages: number | null;
  readonly oomScoreAdj: number | null;
}

/** A process as one PID namespace sees it. */
export interface NamespacePid {
  /** The inode number of /proc/PID/ns/pid. */
  readonly namespace: number;
  readonly pid: number;
}

export interface SeenProcess {
  /** CLOCK_MONOTONIC, ms. */
  readonly atMs: number;
  /** As the first PID namespace of the host sees it. */
  readonly pid: number;
  /** As its own namespace does; null where that is the first one. */
  readonly nsPid: number | null;
  /** Its numbers in the namespaces that it is in, its own first, without the first one of the host, as far as known. */
  readonly namespaces: readonly NamespacePid[];
  readonly ppid: number | null;
  readonly name: string;
  readonly uid: number | null;
  readonly cgroup: string | null;
  /** Field 22 of /proc/PID/stat: with the PID it names the process. */
  readonly startTimeTicks: number | null;
  /** The beginning of its arguments. */
  readonly argv: readonly string[] | null;
}

export interface SeenDeath extends SeenProcess {
  readonly kind: 'death';
  /** As wait(2) gives it. */
  readonly status: number | null;
  readonly ageMs: number | null;
  /** The signal that ended it, or the one after which it exited by itself. */
  readonly signal: SeenSignal | null;
  readonly oom: SeenOom | null;
}

/** A process began to run another program. */
export interface SeenExec extends SeenProcess {
  readonly kind: 'exec';
}

export type SeenEvent = SeenDeath | SeenExec;

/** Tells of every death on the host from when it is opened. Close it when done: it holds things of the kernel. */
export interface DeathSource {
  readonly kind: DeathSourceKind;
  /** What it cannot tell: phrases. */
  readonly cannot: readonly string[];
  /**
   * What happened since the last call, in the order in which it did. What may be known better in a moment is left for
   * the next one.
   *
   * @param isLast there will be none: all is told as it is known now
   */
  read(isLast?: boolean): readonly SeenEvent[];
  /** How many events were lost, since it was opened, because nobody read them in time. */
  dropped(): number;
  close(): void;
}
