import type { LockLine } from './descriptor-info.ts';
import type { FileKind } from './file-status.ts';
import type { TraceRefusal } from '../ptrace/traced-process.ts';
import type { DescriptorRef } from './kcmp.ts';
import type { MemoryMap } from './memory-maps.ts';

/*
 * What processes hold of a volume, as it was seen. All paths are those of the links of /proc, one character a byte;
 * `displayPath` makes text of them.
 */

/** A place in the volume. */
export interface VolumePlace {
  /** The whole path, as the link of /proc shows it. */
  readonly path: string;
  /** From the volume's folder; '' for itself. */
  readonly relative: string;
  /** It has been removed, or at least the name that led to it. */
  readonly deleted: boolean;
  readonly mountId: number;
  readonly inode: bigint;
  /** `major:minor`, as stat(2) has it. */
  readonly device: string;
  readonly kind: FileKind;
  readonly links: number;
}

/** A descriptor of a file in the volume. */
export interface OpenDescriptor extends VolumePlace {
  readonly fd: number;
  /** O_* of open(2), without O_CLOEXEC. */
  readonly flags: number;
  readonly closeOnExec: boolean;
  /** In bytes; of a folder a cookie, 0 while nothing was read from it. */
  readonly position: bigint;
  readonly locks: readonly LockLine[];
}

/** A table of descriptors: one for all threads, as a rule. */
export interface FileTable {
  /** A thread that has it. */
  readonly tid: number;
  /** All descriptors in it, of whatever kind. */
  readonly size: number;
  /** Those that mean files in the volume, in ascending order. */
  readonly descriptors: readonly OpenDescriptor[];
}

/** Working directory and root of one thread or of all, where one of them is in the volume. */
export interface FolderUse {
  /** A thread that has them. */
  readonly tid: number;
  readonly workingDirectory: VolumePlace | undefined;
  readonly root: VolumePlace | undefined;
}

/** A file of the volume in memory. */
export interface MappedFile extends VolumePlace, MemoryMap {}

/** A file that is registered with an io_uring, by which it can be used without a descriptor. */
export interface RegisteredFile {
  /** The ring's descriptor. */
  readonly fd: number;
  readonly path: string;
}

/** An inotify or epoll instance that watches something on this side. */
export interface WatchUse {
  readonly fd: number;
  readonly by: 'inotify' | 'epoll';
  /** How many things of this side it watches. */
  readonly count: number;
}

/** Why nothing is moved in a process. */
export interface Refusal {
  readonly reason: TraceRefusal;
  /** A sentence about it. */
  readonly detail: string;
}

/** A process that holds something of the volume. */
export interface VolumeUser {
  readonly pid: number;
  /** With the PID it names the process. */
  readonly startTimeTicks: number;
  readonly comm: string;
  readonly threads: number;
  /** Its main thread, or another one where that has ended. */
  readonly mainTid: number;
  /** All threads share one table and one working directory, so that it does not matter which of them does something. */
  readonly sharesAll: boolean;
  readonly refusal: Refusal | undefined;
  readonly tables: readonly FileTable[];
  readonly folders: readonly FolderUse[];
  /** The program that it runs. */
  readonly executable: VolumePlace | undefined;
  readonly maps: readonly MappedFile[];
  readonly registered: readonly RegisteredFile[];
  readonly watches: readonly WatchUse[];
  /** Descriptors that tell what was left with it when somebody who moved it was killed. */
  readonly notes: readonly DescriptorRef[];
}

export interface UseCounts {
  readonly descriptors: number;
  readonly workingDirectories: number;
  readonly roots: number;
  readonly maps: number;
  readonly locks: number;
}

export function countUses(user: VolumeUser): UseCounts {
  const descriptors = user.tables.flatMap((table) => table.descriptors);
  return {
    descriptors: descriptors.length,
    workingDirectories: user.folders.filter(({ workingDirectory }) => workingDirectory !== undefined).length,
    roots: user.folders.filter(({ root }) => root !== undefined).length,
    maps: user.maps.length,
    locks: descriptors.reduce((sum, { locks }) => sum + locks.length, 0),
  };
}
