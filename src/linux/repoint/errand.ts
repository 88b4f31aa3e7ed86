import { errnoName } from '../errno.ts';
import type { Remote, RemoteCall, TracedProcess } from '../ptrace/traced-process.ts';
import type { Counterpart } from './counterparts.ts';
import type { LockLine } from './descriptor-info.ts';
import { type NoteContent, type NotedLock, writeNote } from './note.ts';
import { copyPrivatePages, saveSharedPages } from './map-pages.ts';
import { isShared, mapLike } from './map-properties.ts';
import type { MapFlags } from './memory-maps.ts';
import type { MappedFile, OpenDescriptor, VolumePlace } from './volume-use.ts';

/*
 * What one stopped thread is asked to do, so that it, and all who share its descriptors, folders and memory, use other
 * files than before. First it is given what it needs, under numbers and addresses of which its program knows nothing;
 * then one batch of system calls puts all of it in its place.
 */

/** A number that is to mean another open file description. */
export interface DescriptorMove {
  readonly descriptor: OpenDescriptor;
  readonly counterpart: Counterpart;
  /** Ours: what it is to mean. */
  readonly file: number;
}

export interface FolderMove {
  readonly file: number;
  /** Ours: where it is now; for going back. */
  readonly back: number;
  readonly place: VolumePlace;
}

export interface MapMove {
  readonly map: MappedFile;
  readonly flags: MapFlags;
  readonly file: number;
  /** Ours: what is mapped now, for going back; undefined where that cannot be opened. */
  readonly back: number | undefined;
  /** The file system below does not answer: what it has not been told is written by us. */
  readonly save: boolean;
}

export interface LockMove {
  readonly fd: number;
  /** What is taken on the other side. */
  readonly lock: LockLine;
  /** It was one for writing, and is to be again as soon as everybody is there. */
  readonly isWeakened?: boolean;
  readonly place: Pick<VolumePlace, 'inode' | 'path'>;
}

/** What a thread was given and has not got rid of. */
export interface LeftBehind {
  /** Descriptors of which its program knows nothing, the note itself among them. */
  readonly descriptors: ReadonlySet<number>;
  readonly maps: NoteContent['maps'];
  /**
   * Locks of the process that it loses by losing these: those of descriptors that need not be moved. And those that
   * were for writing, and are for reading since.
   */
  readonly locks: readonly LockMove[];
}

export interface Errand {
  readonly process: TracedProcess;
  readonly tid: number;
  readonly moves: readonly DescriptorMove[];
  readonly maps: readonly MapMove[];
  readonly executable: { readonly file: number; readonly place: VolumePlace } | undefined;
  readonly root: FolderMove | undefined;
  /** Where `root` is given, this is too: chroot(2) takes the thread out of its working directory. */
  readonly workingDirectory: FolderMove | undefined;
  /** Locks of the process, which it loses on the way. */
  readonly locks: readonly LockMove[];
  /** Of an earlier errand that was broken off: what the thread was given then, and is to lose. */
  readonly leftBehind: LeftBehind | undefined;
  /** Ours: the thread is given this before all else, and it is taken away last. It says what else the thread has. */
  readonly note: number | undefined;
}

/** What the thread has been given. */
export interface Staged {
  /** Its number for each descriptor of ours. */
  readonly numbers: ReadonlyMap<number, number>;
  /** The maps that it was given, and where. */
  readonly maps: readonly { readonly move: MapMove; readonly address: number }[];
  readonly keptMaps: readonly { readonly move: MapMove; readonly detail: string }[];
}

/** Gives the thread what it needs. @throws FaultlineError, SyscallError: then it has nothing of it */
export function stage(remote: Remote, errand: Errand): Staged {
  const files = filesOf(errand);
  const numbers = new Map<number, number>();
  const given = remote.passFds(files);
  for (const [index, file] of files.entries()) numbers.set(file, given[index] ?? -1);
  try {
    takeNote(errand, numbers, []);
    remote.allowDescriptors(errand.moves.reduce((most, { descriptor }) => Math.max(most, descriptor.fd + 1), 0));
    const staged = { numbers, ...stageMaps(remote, errand, numbers) };
    if (staged.maps.length > 0) takeNote(errand, numbers, staged.maps);
    return staged;
  } catch (error) {
    remote.calls(given.map((fd) => ['close', fd]));
    throw error;
  }
}

function takeNote(errand: Errand, numbers: ReadonlyMap<number, number>, maps: Staged['maps']): void {
  const { note, moves, executable, root, workingDirectory } = errand;
  if (note === undefined) return;
  const given = (file: number, { inode }: VolumePlace): { readonly given: number; readonly inode: string } => ({
    given: numbers.get(file) ?? -1,
    inode: String(inode),
  });
  const folders = [executable, root, workingDirectory].filter((one) => one !== undefined);
  writeNote(note, {
    replacements: moves.map(({ file, descriptor }) => ({ fd: descriptor.fd, ...given(file, descriptor) })),
    others: [
      ...folders.map(({ file, place }) => given(file, place)),
      ...errand.maps.map(({ file, map }) => given(file, map)),
    ],
    maps: maps.map(({ move: { map }, address }) => ({
      start: address,
      end: address + map.end - map.start,
      inode: String(map.inode),
    })),
    locks: errand.locks.filter(({ lock }) => lock.mode === 'WRITE').map(noted),
  });
}

function noted({ fd, lock: { start, end }, place: { inode } }: LockMove): NotedLock {
  return { fd, inode: String(inode), start: String(start), end: end === undefined ? null : String(end) };
}

function filesOf(errand: Errand): number[] {
  const files = new Set<number>();
  if (errand.note !== undefined) files.add(errand.note);
  for (const { file } of errand.moves) files.add(file);
  for (const { file } of errand.maps) files.add(file);
  for (const one of [errand.executable, errand.root, errand.workingDirectory]) {
    if (one !== undefined) files.add(one.file);
  }
  return [...files];
}

function stageMaps(
  remote: Remote,
  { process, tid, maps }: Errand,
  numbers: ReadonlyMap<number, number>,
): Pick<Staged, 'maps' | 'keptMaps'> {
  const addresses = remote.calls(maps.map(({ map, flags, file }) => mapLike(map, flags, numbers.get(file) ?? -1)));
  const staged: { move: MapMove; address: number }[] = [];
  const keptMaps: { move: MapMove; detail: string }[] = [];
  for (const [index, move] of maps.entries()) {
    const address = addresses[index] ?? -1;
    const problem = address < 0 ? (errnoName(-address) ?? 'mmap') : fill(process, tid, move, address);
    if (problem === undefined) staged.push({ move, address });
    else keptMaps.push({ move, detail: problem });
    if (problem !== undefined && address >= 0) remote.calls([['munmap', address, move.map.end - move.map.start]]);
  }
  return { maps: staged, keptMaps };
}

/** @returns what went wrong; undefined for nothing */
function fill(
  { memory }: TracedProcess,
  tid: number,
  { map, file, save }: MapMove,
  address: number,
): string | undefined {
  try {
    if (!isShared(map)) copyPrivatePages(memory, tid, map, address);
    else if (save) saveSharedPages(memory, tid, map, file);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Takes away what a thread was given, when it is not to be used. */
export function discard(remote: Remote, { numbers, maps }: Staged): void {
  remote.calls([
    ...[...numbers.values()].map((fd): RemoteCall => ['close', fd]),
    ...maps.map(({ move, address }): RemoteCall => ['munmap', address, move.map.end - move.map.start]),
  ]);
}
