import { bootId } from '../../linux/boot-id.ts';
import { bootTimeMs } from '../../linux/clock.ts';
import type { DeathSourceKind, SeenDeath, SeenOom, SeenSignal } from '../../linux/death-events/event.ts';
import { decodeWaitStatus, type ExitStatus } from '../../linux/exit-status.ts';
import type { DeathRecord, Party } from '../death-record.ts';
import type { OomReport } from '../kernel-log/oom-report.ts';
import { containerOf } from './container-of.ts';

const SIGKILL = 9;

/** A page, in KiB: the OOM killer counts in pages of 4 KiB on x86_64, and on arm64 as distributions build it. */
const pageKib = 4;

/** What is to be asked of the kernel's log: only where the OOM killer was at work. */
export type OomReports = () => readonly OomReport[] | undefined;

/** Codes by which a signal says that a process sent it: SI_USER, SI_QUEUE, SI_MESGQ, SI_ASYNCIO, SI_TKILL. */
const sentByProcess: ReadonlySet<number> = new Set([0, -1, -3, -4, -6]);

/** How long a program may take to exit once it was asked to, in milliseconds: supervisors wait for less. */
const heedMs = 120_000;

/** The signal that has to do with the end. One that was outlived, such as a SIGHUP to read settings, has not. */
function signalOf({ signal }: SeenDeath, end: ExitStatus | null): SeenSignal | null {
  if (signal === null || end?.kind !== 'exited') return signal;
  return signal.beforeMs <= heedMs || end.code === 128 + signal.signal ? signal : null;
}

function senderOf(signal: SeenSignal | null): Party | null {
  if (signal === null || !sentByProcess.has(signal.code)) return null;
  const { pid, name, uid, cgroup } = signal;
  return { pid, name, uid, cgroup };
}

function kib(pages: number | null): number | null {
  return pages === null ? null : pages * pageKib;
}

/** How long before a death its kill may be told of in the kernel's log, in seconds: after more it is another's. */
const killSeconds = 300;

/** Is the report of this death, and not of an earlier one with the same PID? Both clocks stand still in sleep. */
function isOf({ victims, time }: OomReport, { pid, atMs }: SeenDeath): boolean {
  const { uptimeSeconds } = time;
  const isNear = uptimeSeconds === null || Math.abs(atMs / 1000 - uptimeSeconds) < killSeconds;
  return isNear && victims.some((victim) => victim.pid === pid);
}

/** The kernel's log has the exact sizes and says why; what was marked has them where the log cannot be read. */
function oomOf(seen: SeenDeath, marked: SeenOom, reports: OomReports): DeathRecord['oom'] {
  const { pid } = seen;
  const report = reports()?.findLast((one) => isOf(one, seen));
  const victim = report?.victims.find((one) => one.pid === pid);
  return {
    scope: report?.scope ?? null,
    limitCgroup: report?.limitCgroup ?? null,
    anonRssKib: victim?.anonRssKib ?? kib(marked.anonRssPages),
    fileRssKib: victim?.fileRssKib ?? kib(marked.fileRssPages),
    shmemRssKib: victim?.shmemRssKib ?? kib(marked.shmemRssPages),
    totalVmKib: victim?.totalVmKib ?? kib(marked.totalVmPages),
    oomScoreAdj: victim?.oomScoreAdj ?? marked.oomScoreAdj,
  };
}

/** The three clocks at one moment, in milliseconds: asking them for each death would be much of what it costs. */
export interface Moment {
  readonly wallMs: number;
  readonly monotonicMs: number;
  readonly bootMs: number;
}

export function momentNow(): Moment {
  return { wallMs: Date.now(), monotonicMs: Number(process.hrtime.bigint()) / 1e6, bootMs: bootTimeMs() };
}

/** What was seen of a death, as it is shown and kept. */
export function recordOf(seen: SeenDeath, source: DeathSourceKind, now: Moment, reports: OomReports): DeathRecord {
  const agoMs = Math.max(0, now.monotonicMs - seen.atMs);
  const { pid, nsPid, namespaces, ppid, name, uid, cgroup, startTimeTicks, argv, status, ageMs } = seen;
  const end = status === null ? null : decodeWaitStatus(status);
  const signal = signalOf(seen, end);
  // Who is ending by himself already is marked, and let be.
  const oom = end === null || (end.kind === 'signaled' && end.signal === SIGKILL) ? seen.oom : null;
  return Object.freeze({
    at: Math.round(now.wallMs - agoMs),
    bootMs: now.bootMs - agoMs,
    bootId: bootId(),
    pid,
    nsPid,
    namespaces,
    startTimeTicks,
    ppid,
    name,
    argv,
    uid,
    cgroup,
    container: containerOf(cgroup),
    ageMs,
    end,
    signal: signal === null ? null : { number: signal.signal, code: signal.code, beforeMs: signal.beforeMs },
    sender: senderOf(signal),
    oom: oom === null ? null : oomOf(seen, oom, reports),
    injection: null,
    source,
  });
}
