import { closeSync, openSync } from 'node:fs';
import {
  type BpfMap,
  closeMap,
  createMap,
  lookupMap,
  objectId,
  openMap,
  readMap,
  u32,
  updateMap,
} from '../../linux/bpf/map.ts';
import type { ProcessStat } from '../../linux/procfs/stat.ts';
import { openRingBuffer, pageSize } from '../../linux/bpf/ring-buffer.ts';
import type { MapReferences } from './programs/design.ts';
import {
  counterBytes,
  counterOffsets,
  frameCounters,
  hitBytes,
  hitOffsets,
  hitsKept,
  maxProcesses,
  maxThreads,
  threadBytes,
} from './programs/layout.ts';
import type { PlannedScope } from './scope.ts';

/*
 * The maps of an injection, and what is read from them. They live as long as its programs do, and whoever knows their
 * numbers may look into them.
 */

type Shape = Omit<BpfMap, 'fd'>;

const countersShape = (frames: number): Shape => ({
  type: 'array',
  keySize: 4,
  valueSize: counterBytes(frames),
  maxEntries: 1,
});

const hitsShape = (): Shape => ({ type: 'ringBuffer', keySize: 0, valueSize: 0, maxEntries: pageSize() });

const processesShape: Shape = { type: 'hash', keySize: 4, valueSize: 8, maxEntries: maxProcesses };

const threadsShape = (frames: number): Shape => ({
  type: 'lruHash',
  keySize: 8,
  valueSize: threadBytes(frames),
  maxEntries: maxThreads,
});

export interface OpenMaps {
  readonly references: MapReferences;
  readonly all: readonly BpfMap[];
  readonly ids: MapIds;
}

/** The numbers of the maps that are read later. */
export interface MapIds {
  readonly counters: number;
  readonly hits: number;
  /** null: the scope has no processes. */
  readonly processes: number | null;
}

function addCgroup(map: BpfMap, folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    updateMap(map, u32(0), u32(fd));
  } finally {
    closeSync(fd);
  }
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** No map: nothing refers to it. */
const unused = (name: string): { readonly name: string; readonly fd: number } => ({ name, fd: 0 });

/** Make the maps that an injection needs, and put into them who is hit. Close them with {@link closeMaps}. */
export function createMaps(frames: number, scope: PlannedScope): OpenMaps {
  const all: BpfMap[] = [];
  const make = (name: string, shape: Shape): BpfMap & { readonly name: string } => {
    const map = { ...createMap(`fl_${name}`, shape), name };
    all.push(map);
    return map;
  };
  try {
    const counters = make('counters', countersShape(frames));
    const hits = make('hits', hitsShape());
    const threads = frames === 0 ? unused('threads') : make('threads', threadsShape(frames));
    const cgroup =
      scope.kind === 'cgroup' ? make('cgroup', { type: 'cgroupArray', keySize: 4, valueSize: 4, maxEntries: 1 }) : null;
    if (cgroup !== null && scope.kind === 'cgroup') addCgroup(cgroup, scope.folder);
    const processes = scope.kind === 'processes' ? make('processes', processesShape) : null;
    if (processes !== null && scope.kind === 'processes') {
      for (const { identity } of scope.processes) updateMap(processes, u32(identity.pid), u64(identity.startTimeTicks));
    }
    const ids = {
      counters: objectId(counters.fd),
      hits: objectId(hits.fd),
      processes: processes === null ? null : objectId(processes.fd),
    };
    const references = {
      counters,
      hits,
      threads,
      cgroup: cgroup ?? unused('cgroup'),
      processes: processes ?? unused('processes'),
    };
    return { references, all, ids };
  } catch (error) {
    closeMaps(all);
    throw error;
  }
}

/** Put more processes into scope. */
export function addProcesses(
  { references, ids }: OpenMaps,
  processes: readonly Pick<ProcessStat, 'pid' | 'startTimeTicks'>[],
): void {
  if (ids.processes === null) throw new Error('the scope has no processes');
  const map = { ...processesShape, fd: references.processes.fd };
  for (const { pid, startTimeTicks } of processes) updateMap(map, u32(pid), u64(startTimeTicks));
}

export function closeMaps(maps: readonly BpfMap[]): void {
  for (const map of maps) closeMap(map);
}

/** What was counted. Plain JSON. */
export interface FailureCounts {
  /** For each frame, the outermost first. */
  readonly frames: readonly { readonly seen: number; readonly matched: number }[];
  /** At what fails: called with all frames above; of those, its own predicate held. */
  readonly seen: number;
  readonly matched: number;
  readonly injected: number;
}

function withMap<Result>(id: number, shape: Shape, use: (map: BpfMap) => Result): Result | undefined {
  const map = openMap(id, shape);
  if (map === undefined) return undefined;
  try {
    return use(map);
  } finally {
    closeMap(map);
  }
}

function countsIn(value: Buffer, frames: number): FailureCounts {
  const at = (offset: number): number => Number(value.readBigUInt64LE(offset));
  return {
    frames: Array.from({ length: frames }, (_, index) => {
      const { seen, matched } = frameCounters(index);
      return { seen: at(seen), matched: at(matched) };
    }),
    seen: at(counterOffsets.seen),
    matched: at(counterOffsets.matched),
    injected: at(counterOffsets.injected),
  };
}

/** @returns undefined: the programs are gone, and their maps with them */
export function readCounts(id: number, frames: number): FailureCounts | undefined {
  return withMap(id, countersShape(frames), (map) => {
    const value = lookupMap(map, u32(0));
    return value === undefined ? undefined : countsIn(value, frames);
  });
}

/**
 * Stop: from now on the programs do nothing, though they are still attached. What was counted before is kept.
 *
 * @returns undefined: they are gone
 */
export function stopPrograms(id: number, frames: number): FailureCounts | undefined {
  return withMap(id, countersShape(frames), (map) => {
    const before = lookupMap(map, u32(0));
    if (before === undefined) return undefined;
    // Whoever counts at this very moment may be lost, but nobody fails who is not counted for long.
    before.writeBigUInt64LE(1n, counterOffsets.stop);
    updateMap(map, u32(0), before);
    return countsIn(lookupMap(map, u32(0)) ?? before, frames);
  });
}

/** One call that was failed. Plain JSON. */
export interface Hit {
  readonly pid: number;
  readonly tid: number;
  /** The thread's name. */
  readonly comm: string;
}

function hitOf(record: Buffer): Hit {
  const comm = record.subarray(hitOffsets.comm, hitBytes);
  const end = comm.indexOf(0);
  return {
    pid: record.readUInt32LE(hitOffsets.thread + 4),
    tid: record.readUInt32LE(hitOffsets.thread),
    comm: comm.toString('utf8', 0, end === -1 ? comm.length : end),
  };
}

/** The first calls that were failed. */
export function readHits(id: number, most: number = hitsKept): readonly Hit[] {
  const hits = withMap(id, hitsShape(), (map) => {
    const ring = openRingBuffer(map);
    try {
      return ring.peek(most).map(hitOf);
    } finally {
      ring.close();
    }
  });
  return hits ?? [];
}

/** The processes in scope, those that were started since among them: by number, with their start times in ticks. */
export function readProcesses(id: number): readonly { readonly pid: number; readonly startTimeTicks: number }[] {
  const entries = withMap(id, processesShape, readMap) ?? [];
  return entries.map(([key, value]) => ({
    pid: key.readUInt32LE(),
    startTimeTicks: Number(value.readBigUInt64LE()),
  }));
}
