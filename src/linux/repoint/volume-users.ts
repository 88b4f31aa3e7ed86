import { printable } from '../../base/text.ts';
import { readNamespace } from '../procfs/namespaces.ts';
import { listPids } from '../procfs/process-list.ts';
import { isEndedState, isKernelThread, type ProcessStat, readStat } from '../procfs/stat.ts';
import { readProcessRecord } from '../procfs/read.ts';
import { readStatus } from '../procfs/status.ts';
import { listTasks } from '../procfs/tasks.ts';
import { isErrno, toSyscallError } from '../syscall-error.ts';
import { type SharedThing, shares } from './kcmp.ts';
import { findKernelHolders, type KernelHolder } from './kernel-holders.ts';
import { readMaps } from './mapped-files.ts';
import { readTable } from './open-files.ts';
import { placeAt } from './volume-place.ts';
import type { VolumeSide } from './volume-side.ts';
import type { FolderUse, Refusal, VolumeUser } from './volume-use.ts';

/*
 * Who uses a volume: looked up in /proc, without stopping or changing anything. Everything may vanish at any moment;
 * what did is not there.
 */

/** Where to look: all processes of a mount namespace (its inode number), these processes, or all. */
export type Scope = (
  | { readonly kind: 'namespace'; readonly mountNamespace: number }
  | { readonly kind: 'pids'; readonly pids: readonly number[] }
  | { readonly kind: 'all' }
) & {
  /** Not these: who serves the volume. The process that asks is never among them. */
  readonly except?: ReadonlySet<number>;
};

export interface Inspection {
  readonly users: readonly VolumeUser[];
  /** Processes that are not ours to look at: they may use the volume or not. */
  readonly unreadable: readonly number[];
  /** What the kernel itself uses, and nothing can move. */
  readonly kernelHolders: readonly KernelHolder[];
}

/**
 * Lists who holds what of a side of a volume.
 *
 * @throws SyscallError: /proc is not readable, or the kernel lacks kcmp(2) (ENOSYS)
 */
export function findVolumeUsers(side: VolumeSide, scope: Scope): Inspection {
  const users: VolumeUser[] = [];
  const unreadable: number[] = [];
  for (const pid of pidsIn(scope)) {
    if (pid === process.pid || scope.except?.has(pid) === true) continue;
    try {
      const user = scope.kind === 'namespace' && !isIn(pid, scope.mountNamespace) ? undefined : inspect(side, pid);
      if (user !== undefined) users.push(user);
    } catch (error) {
      if (!isErrno(error, 'EACCES', 'EPERM')) throw toSyscallError(error);
      unreadable.push(pid);
    }
  }
  return Object.freeze({ users, unreadable, kernelHolders: findKernelHolders(side) });
}

function pidsIn(scope: Scope): readonly number[] {
  return scope.kind === 'pids' ? scope.pids : listPids();
}

/** Is the process in the scope, as far as its namespace goes? */
export function isIn(pid: number, mountNamespace: number): boolean {
  return readNamespace(pid, 'mnt') === mountNamespace;
}

/**
 * What one process holds of the volume; undefined for nothing, or when it is gone.
 *
 * @param read how a table is read; by default from scratch
 * @throws SyscallError EACCES, EPERM
 */
export function inspect(side: VolumeSide, pid: number, read = readTable): VolumeUser | undefined {
  const stat = readStat(pid);
  if (stat === undefined || isKernelThread(stat)) return undefined;
  const tids = liveThreads(stat);
  const [tid] = tids;
  if (tid === undefined) return undefined;
  const tables = oneForEach('files', tids).map((one) => read(side, pid, one));
  const withFolders = oneForEach('folders', tids);
  const user = {
    pid,
    startTimeTicks: stat.startTimeTicks,
    comm: stat.comm,
    threads: tids.length,
    mainTid: tid,
    sharesAll: tables.length === 1 && withFolders.length === 1,
    tables: tables.map(({ table }) => table).filter(({ descriptors }) => descriptors.length > 0),
    folders: withFolders.flatMap((one) => readFolders(side, pid, one) ?? []),
    executable: placeAt(side, `/proc/${pid}/task/${tid}/exe`),
    maps: readMaps(side, pid, tid),
    registered: tables.flatMap(({ registered }) => registered),
    watches: tables.flatMap(({ watches }) => watches),
    notes: tables.flatMap(({ notes }) => notes),
  };
  if (holdsNothing(user)) return undefined;
  return Object.freeze({ ...user, refusal: refusalOf(pid) });
}

function holdsNothing(user: Omit<VolumeUser, 'refusal'>): boolean {
  const { tables, folders, maps, registered, watches, notes, executable } = user;
  const held: readonly (readonly unknown[])[] = [tables, folders, maps, registered, watches, notes];
  return executable === undefined && held.every(({ length }) => length === 0);
}

/** Without the main thread where that has ended before the others: it has let go of all that they share. */
function liveThreads({ pid, state, numThreads }: ProcessStat): number[] {
  if (!isEndedState(state)) return listTasks(pid) ?? [];
  return numThreads > 1 ? (listTasks(pid) ?? []).filter((tid) => tid !== pid) : [];
}

/** A thread for each thing that they may share, such that the others share it with one of these. */
function oneForEach(thing: SharedThing, tids: readonly number[]): number[] {
  const ones: number[] = [];
  for (const tid of tids) {
    if (!ones.some((one) => shares(thing, one, tid))) ones.push(tid);
  }
  return ones;
}

function readFolders(side: VolumeSide, pid: number, tid: number): FolderUse | undefined {
  const workingDirectory = placeAt(side, `/proc/${pid}/task/${tid}/cwd`);
  const root = placeAt(side, `/proc/${pid}/task/${tid}/root`);
  return workingDirectory === undefined && root === undefined ? undefined : { tid, workingDirectory, root };
}

/** Why nothing could be moved in this process, as far as that can be told without touching it. */
function refusalOf(pid: number): Refusal | undefined {
  const tracer = readStatus(pid)?.tracerPid ?? 0;
  if (tracer !== 0) {
    const name = printable(readStat(tracer)?.comm ?? '');
    return { reason: 'already-traced', detail: `it is traced by process ${tracer} (${name})` };
  }
  return isCompat(pid) ? { reason: 'compat-task', detail: 'it runs 32-bit code' } : undefined;
}

/**
 * A 32-bit program? Its auxiliary vector (getauxval(3)) holds pairs of 32-bit words, and so the upper half of the first
 * 64-bit word is not zero: it is the value to the first key.
 */
function isCompat(pid: number): boolean {
  const vector = readProcessRecord(pid, 'auxv');
  return vector !== undefined && vector.length >= 8 && vector.readUInt32LE(4) !== 0;
}
