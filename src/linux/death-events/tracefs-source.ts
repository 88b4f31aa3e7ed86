import { ticksPerSecond } from '../clock.ts';
import { readStatus } from '../procfs/status.ts';
import { seenOf } from './connector-source.ts';
import type { DeathSource, SeenDeath, SeenEvent, SeenOom, SeenSignal } from './event.ts';
import { heldForMarks } from './late-marks.ts';
import { openProcConnector } from './proc-connector.ts';
import { processEnds } from './process-ends.ts';
import { processMemory, type ProcessMemory, unknownName } from './process-memory.ts';
import { numberIn, textIn, type TraceFormat } from './trace-format.ts';
import { openTraceInstance, type TraceEventName, type TraceInstance } from './trace-instance.ts';
import type { TraceRecord } from './trace-pages.ts';

/*
 * Deaths by the process connector, and by ftrace who sent the signals and whom the OOM killer chose: the tracepoint of
 * an exit tells neither exit codes nor, before Linux 6.16, processes from threads.
 */

const generated = 'signal/signal_generate';
const marked = 'oom/mark_victim';
const exited = 'sched/sched_process_exit';
const events: readonly TraceEventName[] = [generated, marked, exited];

/** enum of include/trace/events/signal.h: nobody hears of it; another of the same was there before. */
const TRACE_SIGNAL_IGNORED = 1;
const TRACE_SIGNAL_ALREADY_PENDING = 2;

const harmless: ReadonlySet<number> = new Set([17, 18, 19, 20, 21, 22, 23, 28, 32, 33]);

/** After which a program may exit as it was asked to, the likeliest first. */
const requests = [15, 2, 1, 3] as const;

const pageKib = 4;
const mostRemembered = 50_000;

/** A note of somebody who had the number before. Start times are known to a clock tick. */
function isEarlier(noteMs: number, { atMs, ageMs }: SeenDeath): boolean {
  const tickMs = 1000 / ticksPerSecond();
  return ageMs !== null && noteMs < atMs - ageMs - tickMs;
}

type Sent = Omit<SeenSignal, 'beforeMs'> & { readonly atMs: number };

/** Signals that may yet end somebody, and victims: the oldest are forgotten. */
function bounded<Value>() {
  const held = new Map<string, Value>();
  return {
    get: (key: string): Value | undefined => held.get(key),
    set(key: string, value: Value): void {
      held.delete(key);
      held.set(key, value);
      const [oldest] = held.keys();
      if (held.size > mostRemembered && oldest !== undefined) held.delete(oldest);
    },
    delete: (key: string): boolean => held.delete(key),
  };
}

/** Who runs, which is who sends: a record knows the thread alone. */
function senderOf(memory: ProcessMemory, tid: number): Pick<SeenSignal, 'pid' | 'name' | 'uid' | 'cgroup'> {
  const pid = memory.find(tid) === undefined ? (readStatus(tid)?.tgid ?? tid) : tid;
  const known = memory.find(pid) ?? memory.learn(pid);
  return { pid, name: known?.name ?? unknownName, uid: known?.uid ?? null, cgroup: known?.cgroup ?? null };
}

function pages(format: TraceFormat, record: Buffer, name: string): number | null {
  const kib = numberIn(format, record, name);
  return kib === undefined ? null : kib / pageKib;
}

function oomOf(format: TraceFormat, record: Buffer): SeenOom {
  return {
    totalVmPages: pages(format, record, 'total_vm'),
    anonRssPages: pages(format, record, 'anon_rss'),
    fileRssPages: pages(format, record, 'file_rss'),
    shmemRssPages: pages(format, record, 'shmem_rss'),
    oomScoreAdj: numberIn(format, record, 'oom_score_adj') ?? null,
  };
}

/** What the traces tell beside the deaths themselves. */
function traceNotes(memory: ProcessMemory) {
  const signals = bounded<Sent>();
  const victims = bounded<{ readonly oom: SeenOom; readonly atMs: number }>();
  /** What those who ended were called in the end, by their number. */
  const names = bounded<string>();

  function noteSignal(format: TraceFormat, { time, bytes }: TraceRecord): void {
    const field = (name: string): number => numberIn(format, bytes, name) ?? 0;
    const [signal, result] = [field('sig'), field('result')];
    if (harmless.has(signal) || result === TRACE_SIGNAL_IGNORED || result === TRACE_SIGNAL_ALREADY_PENDING) return;
    const sender = senderOf(memory, field('common_pid'));
    signals.set(`${field('pid')} ${signal}`, { signal, code: field('code'), atMs: Number(time) / 1e6, ...sender });
  }
  function signalOf(death: SeenDeath): SeenSignal | null {
    const { pid, status, atMs } = death;
    const ended = (status ?? 0) & 0x7f;
    const asShell = ((status ?? 0) >> 8) - 128;
    for (const number of ended !== 0 ? [ended] : [asShell, ...requests]) {
      const sent = signals.get(`${pid} ${number}`);
      if (sent === undefined || isEarlier(sent.atMs, death)) continue;
      signals.delete(`${pid} ${number}`);
      const { atMs: sentMs, ...rest } = sent;
      const name = rest.name === unknownName ? (names.get(String(rest.pid)) ?? unknownName) : rest.name;
      return { ...rest, name, beforeMs: Math.max(0, atMs - sentMs) };
    }
    return null;
  }
  function takeMark(death: SeenDeath): SeenOom | null {
    const key = String(death.pid);
    const mark = victims.get(key);
    victims.delete(key);
    return mark === undefined || isEarlier(mark.atMs, death) ? null : mark.oom;
  }
  return {
    note({ formats }: TraceInstance, record: TraceRecord): void {
      const known = formats.get(record.bytes.readUInt16LE(0));
      if (known === undefined) return;
      if (known.name === generated) noteSignal(known.format, record);
      else {
        const pid = String(numberIn(known.format, record.bytes, 'pid') ?? 0);
        if (known.name === marked) {
          victims.set(pid, { oom: oomOf(known.format, record.bytes), atMs: Number(record.time) / 1e6 });
        } else names.set(pid, textIn(known.format, record.bytes, 'comm') ?? unknownName);
      }
    },
    takeMark,
    complete(death: SeenDeath): SeenDeath {
      const name = names.get(String(death.pid)) ?? death.name;
      return { ...death, name, signal: signalOf(death), oom: takeMark(death) };
    },
  };
}

/**
 * Watch by ftrace and the process connector. Needs root in the first PID namespace.
 *
 * @throws {FaultlineError} HOST_UNSUPPORTED
 * @throws {SyscallError} EPERM
 */
export function openTracefsSource(): DeathSource {
  const connector = openProcConnector();
  let instance: TraceInstance;
  try {
    instance = openTraceInstance(events);
  } catch (error) {
    connector.close();
    throw error;
  }
  const memory = processMemory();
  const ends = processEnds();
  const notes = traceNotes(memory);
  const marked = heldForMarks(notes.takeMark);

  function read(isLast = false): readonly SeenEvent[] {
    // In this order: a signal is traced before the death that it brings is told, so none of those is missing then.
    const told = ends(connector.read());
    for (const record of instance.read()) notes.note(instance, record);
    const seen = told.flatMap((event) => seenOf(event, memory) ?? []);
    return marked(
      seen.map((event) => (event.kind === 'death' ? notes.complete(event) : event)),
      isLast,
    );
  }
  return Object.freeze<DeathSource>({
    kind: 'tracefs',
    cannot: ['arguments, user and cgroup, where a process lives for less than a few hundredths of a second'],
    read,
    dropped: () => connector.dropped() + instance.dropped(),
    close: () => {
      connector.close();
      instance.close();
    },
  });
}
