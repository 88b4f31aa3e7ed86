import { bootId } from '../../linux/boot-id.ts';
import { bootTimeMs } from '../../linux/clock.ts';
import type { DeathSourceKind, SeenDeath, SeenOom } from '../../linux/death-events/event.ts';
import { decodeWaitStatus } from '../../linux/exit-status.ts';
import type { DeathRecord, Party } from '../death-record.ts';
import type { OomReport } from '../kernel-log/oom-report.ts';
import { containerOf } from './container-of.ts';

/** A page, in KiB: the OOM killer counts in pages of 4 KiB on x86_64, and on arm64 as distributions build it. */
const pageKib = 4;

/** What is to be asked of the kernel's log: only where the OOM killer was at work. */
export type OomReports = () => readonly OomReport[] | undefined;

/** Codes by which a signal says that a process sent it: SI_USER, SI_QUEUE, SI_MESGQ, SI_ASYNCIO, SI_TKILL. */
const sentByProcess: ReadonlySet<number> = new Set([0, -1, -3, -4, -6]);

function senderOf({ signal }: SeenDeath): Party | null {
  if (signal === null || !sentByProcess.has(signal.code)) return null;
  const { pid, name, uid, cgroup } = signal;
  return { pid, name, uid, cgroup };
}

function kib(pages: number | null): number | null {
  return pages === null ? null : pages * pageKib;
}

/** The kernel's log has the exact sizes and says why; what was marked has them where the log cannot be read. */
function oomOf(pid: number, marked: SeenOom, reports: OomReports): DeathRecord['oom'] {
  const report = reports()?.findLast(({ victims }) => victims.some((victim) => victim.pid === pid));
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
  const { pid, nsPid, ppid, name, uid, cgroup, startTimeTicks, argv, status, ageMs, signal, oom } = seen;
  return Object.freeze({
    at: Math.round(now.wallMs - agoMs),
    bootMs: now.bootMs - agoMs,
    bootId: bootId(),
    pid,
    nsPid,
    startTimeTicks,
    ppid,
    name,
    argv,
    uid,
    cgroup,
    container: containerOf(cgroup),
    ageMs,
    end: status === null ? null : decodeWaitStatus(status),
    signal: signal === null ? null : { number: signal.signal, code: signal.code, beforeMs: signal.beforeMs },
    sender: senderOf(seen),
    oom: oom === null ? null : oomOf(pid, oom, reports),
    injection: null,
    source,
  });
}
