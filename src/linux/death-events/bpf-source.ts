import { closeSync } from 'node:fs';
import type { BpfProgram } from '../bpf/assembler.ts';
import { attachRawTracepoint } from '../bpf/attach.ts';
import {
  type BpfMap,
  type BpfMapType,
  closeMap,
  createMap,
  deleteFromMap,
  lookupMap,
  readMap,
  u32,
} from '../bpf/map.ts';
import { loadProgram } from '../bpf/program.ts';
import { isErrno } from '../syscall-error.ts';
import { openRingBuffer } from '../bpf/ring-buffer.ts';
import { type ArgumentMemory, argumentMemory } from './argument-memory.ts';
import { type CgroupNames, cgroupNames } from './cgroup-names.ts';
import { decodeCgroup, decodeDeath, decodeExec, decodeMark } from './decode.ts';
import type { DeathSource, SeenDeath, SeenEvent, SeenOom } from './event.ts';
import { type KernelLayout, readKernelLayout } from './kernel-layout.ts';
import { heldForMarks } from './late-marks.ts';
import type { DeathMaps } from './program-parts.ts';
import { execProgram, exitProgram, signalProgram, victimProgram } from './programs.ts';
import { oomBytes, RecordType, signalBytes } from './record.ts';

/*
 * Deaths by programs of ours in the kernel. They and their maps are gone with the last descriptor, so nothing is left
 * behind however this process ends.
 */

/** Room for more than eight thousand deaths that nobody has read yet. */
const ringBytes = 4 * 1024 * 1024;

/** How many signals that may yet end somebody are remembered. */
const mostSenders = 16_384;
const mostVictims = 1_024;
const mostCgroups = 16_384;

/** How many names of cgroups are kept before they are learnt anew. */
const mostNames = 100_000;

/** How long what is known of cgroups is left as it is, in milliseconds. */
const learnPauseMs = 10_000;

const atOnce = 4_096;

interface Opened {
  readonly maps: Readonly<Record<keyof DeathMaps, BpfMap>>;
  close(): void;
}

function openMaps(bytes: number): Opened {
  const made: BpfMap[] = [];
  const close = (): void => {
    for (const map of made) closeMap(map);
  };
  const make = (name: string, type: BpfMapType, keySize: number, valueSize: number, maxEntries: number): BpfMap => {
    const map = createMap(`fl_${name}`, { type, keySize, valueSize, maxEntries });
    made.push(map);
    return map;
  };
  try {
    const maps = {
      events: make('deaths', 'ringBuffer', 0, 0, bytes),
      known: make('cgroups', 'lruHash', 8, 8, mostCgroups),
      senders: make('senders', 'lruHash', 8, signalBytes, mostSenders),
      victims: make('victims', 'lruHash', 4, oomBytes, mostVictims),
      lost: make('lost', 'array', 4, 8, 1),
    };
    return { maps, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** The verifier gives up with EAGAIN when a signal comes for us, such as a profiler's; kernel/bpf/verifier.c */
const mostTries = 50;

function load(name: string, program: BpfProgram): number {
  for (let tries = 1; ; tries += 1) {
    try {
      return loadProgram(name, program, { type: 'raw-tracepoint' });
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      if (!isErrno(cause, 'EAGAIN') || tries === mostTries) throw error;
    }
  }
}

/** Load the programs and attach them, the one that tells of deaths last. @returns what to close */
function attachAll(layout: KernelLayout, { maps }: Opened): readonly number[] {
  const references = Object.fromEntries(Object.entries(maps).map(([name, { fd }]) => [name, { name, fd }]));
  const named = references as unknown as DeathMaps;
  const programs: readonly (readonly [tracepoint: string, program: BpfProgram])[] = [
    ['signal_generate', signalProgram(layout, named)],
    ['mark_victim', victimProgram(layout, named)],
    ['sched_process_exec', execProgram(layout, named)],
    ['sched_process_exit', exitProgram(layout, named)],
  ];
  const held: number[] = [];
  try {
    for (const [tracepoint, program] of programs) {
      const loaded = load(`fl_${tracepoint.slice(-11)}`, program);
      held.push(loaded, attachRawTracepoint(tracepoint, loaded));
    }
    return held;
  } catch (error) {
    for (const fd of held) closeSync(fd);
    throw error;
  }
}

function decode(record: Buffer, names: CgroupNames): SeenEvent | undefined {
  switch (record.readUInt32LE(0)) {
    case RecordType.death:
      return decodeDeath(record, names);
    case RecordType.exec:
      return decodeExec(record, names);
    default:
      decodeCgroup(record, names);
      return undefined;
  }
}

/** Before Linux 6.16 two threads that end at the same time may both seem to be the last. */
function isTwice(last: Map<number, number>, event: SeenEvent): boolean {
  if (event.kind !== 'death') return false;
  const start = event.startTimeTicks ?? 0;
  if (last.get(event.pid) === start) return true;
  if (last.size > mostSenders) last.clear();
  last.set(event.pid, start);
  return false;
}

export interface BpfSourceOptions {
  /** Is memory counted in a hierarchy of cgroup v1? Then paths are those of that one. */
  readonly memoryIsV1: boolean;
  /** The size of the ring buffer: a power of two of whole pages. */
  readonly bytes?: number;
  /** What is to be taken to be otherwise than the kernel's types say: for trying what other kernels do. */
  readonly asIf?: Partial<Pick<KernelLayout, 'exitTellsGroup' | 'victimIsTask' | 'rss'>>;
}

/**
 * Watch by programs on the tracepoints sched_process_exit, sched_process_exec, signal_generate and mark_victim. Linux
 * 5.12 with CONFIG_DEBUG_INFO_BTF; needs CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN.
 *
 * @throws {FaultlineError} HOST_UNSUPPORTED, SYSCALL_FAILED: this kernel cannot
 * @throws {SyscallError} EPERM
 */
export function openBpfSource({ memoryIsV1, bytes = ringBytes, asIf = {} }: BpfSourceOptions): DeathSource {
  const layout = { ...readKernelLayout(memoryIsV1), ...asIf };
  const opened = openMaps(bytes);
  let held: readonly number[] = [];
  try {
    held = attachAll(layout, opened);
    // Before Linux 6.16 the kernel tells of an end when the memory of the process is gone.
    return sourceOver(opened, held, layout.exitTellsGroup ? undefined : argumentMemory());
  } catch (error) {
    for (const fd of held) closeSync(fd);
    opened.close();
    throw error;
  }
}

/** What somebody was marked with after he was told of. */
function takeMark({ victims }: Opened['maps'], { pid, atMs, ageMs }: SeenDeath): SeenOom | null {
  const key = u32(pid);
  const mark = lookupMap(victims, key);
  if (mark === undefined) return null;
  deleteFromMap(victims, key);
  return decodeMark(mark, 0, atMs - (ageMs ?? 0));
}

function sourceOver(opened: Opened, held: readonly number[], memory: ArgumentMemory | undefined): DeathSource {
  const { maps } = opened;
  const ring = openRingBuffer(maps.events);
  const names = cgroupNames();
  const last = new Map<number, number>();
  const marked = heldForMarks((death) => takeMark(maps, death));

  let learnAfterMs = 0;

  /** Have the programs tell of all cgroups anew. */
  function forgetNames(): void {
    learnAfterMs = performance.now() + learnPauseMs;
    names.clear();
    for (const [key] of readMap(maps.known)) deleteFromMap(maps.known, key);
  }

  return Object.freeze<DeathSource>({
    kind: 'bpf',
    cannot: [],
    read: (isLast = false) => {
      const events: SeenEvent[] = [];
      for (;;) {
        const records = ring.drain(atOnce);
        for (const record of records) {
          const event = decode(record, names);
          if (event !== undefined && !isTwice(last, event)) events.push(memory?.complete(event) ?? event);
        }
        if (records.length < atOnce) break;
      }
      // One whose path was lost on the way is told of again; one that never is must not cost this each time.
      const isLost = performance.now() > learnAfterMs && events.some(({ cgroup }) => cgroup === null);
      if (isLost || names.size > mostNames) forgetNames();
      return marked(events, isLast);
    },
    dropped: () => Number(lookupMap(maps.lost, u32(0))?.readBigUInt64LE() ?? 0n),
    close: () => {
      for (const fd of held) closeSync(fd);
      ring.close();
      opened.close();
    },
  });
}
