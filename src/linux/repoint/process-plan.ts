import { capabilityNames } from '../capabilities.ts';
import { readStatus } from '../procfs/status.ts';
import type { TracedProcess } from '../ptrace/traced-process.ts';
import type { Counterpart, Counterparts } from './counterparts.ts';
import { O_PATH } from './descriptor-calls.ts';
import type { DescriptorMove, Errand, FolderMove, LeftBehind, LockMove, MapMove } from './errand.ts';
import { shares } from './kcmp.ts';
import {
  executableObstacle,
  folderObstacle,
  isObstacle,
  type Kept,
  type KeptThing,
  kept,
  mapObstacle,
  type Obstacle,
  obstacle,
  programFiles,
} from './kept.ts';
import { findLeftBehind } from './leftovers.ts';
import { processLocks } from './locks.ts';
import { needsWriting, specialMapObstacle } from './map-properties.ts';
import { readMaps } from './mapped-files.ts';
import type { MapFlags } from './memory-maps.ts';
import { O_RDONLY, O_RDWR, type OtherFiles } from './other-files.ts';
import type { OverlayLocks } from './overlay-locks.ts';
import type { VolumeSide } from './volume-side.ts';
import type { FileTable, FolderUse, MappedFile, OpenDescriptor, VolumePlace, VolumeUser } from './volume-use.ts';

/** What is to be done with a process. */
export interface UserPlan {
  readonly user: VolumeUser;
  readonly errands: readonly Omit<Errand, 'process'>[];
  readonly kept: readonly Kept[];
}

/** What is to be done with one that stands still. */
export interface ProcessPlan extends UserPlan {
  readonly process: TracedProcess;
  readonly errands: readonly Errand[];
}

/** What plans are made from. */
export interface Planning {
  readonly from: VolumeSide;
  readonly to: VolumeSide;
  readonly counterparts: Counterparts;
  readonly others: OtherFiles;
  /** Where fdinfo does not show them. */
  readonly overlayLocks: OverlayLocks | undefined;
  /** The properties of a process's maps of the volume, by first address. */
  mapFlags(user: VolumeUser): ReadonlyMap<number, MapFlags>;
  /** Threads whose memory is taken care of: a child of vfork(2) shares its parent's. */
  readonly memories: number[];
}

type Keep = (what: KeptThing, tid: number, number: number, place: VolumePlace, why: Obstacle) => void;

/** Decides what is moved and what stays, with the process as it is now. Opens what is not open yet. */
export function planUser(planning: Planning, user: VolumeUser): UserPlan {
  const stays: Kept[] = user.registered.map((file) =>
    kept('registered-file', user.pid, file.fd, file, obstacle('io-uring')),
  );
  const keep: Keep = (what, tid, number, place, why) => {
    stays.push(kept(what, tid, number, place, why));
  };
  const main = user.mainTid;
  const tables = new Map(user.tables.map((table) => [table.tid, table]));
  const folders = new Map(user.folders.map((folder) => [folder.tid, folder]));
  const tids = new Set([main, ...tables.keys(), ...folders.keys(), ...user.notes.map(({ tid }) => tid)]);
  const errands = [...tids].flatMap((tid): UserPlan['errands'] => {
    const leftBehind = planLeftBehind(planning, user, tid);
    const table = withLocks(planning, user.pid, withoutLeftBehind(tables.get(tid), leftBehind));
    const use = folders.get(tid);
    const mayLeave = use?.root === undefined || mayChangeRoot(tid);
    const errand: Omit<Errand, 'process'> = {
      tid,
      moves: table === undefined ? [] : planTable(planning, table, mayLeave, keep),
      locks: [...(table === undefined ? [] : locksIn(table)), ...(leftBehind?.locks ?? [])],
      ...planFolders(planning, user.pid, use, mayLeave, keep),
      ...(tid === main
        ? planMemory(planning, withoutMaps(user, leftBehind), tid, keep)
        : { maps: [], executable: undefined }),
      leftBehind,
      note: undefined,
    };
    return isEmpty(errand) ? [] : [errand];
  });
  return { user, errands, kept: stays };
}

function isEmpty({ moves, maps, executable, root, workingDirectory, leftBehind }: Omit<Errand, 'process'>): boolean {
  return moves.length + maps.length === 0 && (executable ?? root ?? workingDirectory ?? leftBehind) === undefined;
}

function planLeftBehind(planning: Planning, user: VolumeUser, tid: number): LeftBehind | undefined {
  if (!user.notes.some((note) => note.tid === tid)) return undefined;
  const found = findLeftBehind(planning, planning.counterparts, user, tid);
  if (found.maps.length === 0) return found;
  const mapped = [...user.maps, ...readMaps(planning.to, user.pid, tid)];
  return { ...found, maps: found.maps.filter((one) => mapped.some((map) => isSameMap(map, one))) };
}

function isSameMap(map: MappedFile, { start, end, inode }: LeftBehind['maps'][number]): boolean {
  return map.start === start && map.end === end && String(map.inode) === inode;
}

function withoutLeftBehind(table: FileTable | undefined, left: LeftBehind | undefined): FileTable | undefined {
  if (table === undefined || left === undefined) return table;
  return { ...table, descriptors: table.descriptors.filter(({ fd }) => !left.descriptors.has(fd)) };
}

/** With the locks that are held through the overlay. */
function withLocks(
  { counterparts, from, overlayLocks }: Planning,
  pid: number,
  table: FileTable | undefined,
): FileTable | undefined {
  if (table === undefined || overlayLocks === undefined || from.kind !== 'overlay') return table;
  const counterpartOf = (one: OpenDescriptor): Counterpart | undefined => {
    const counterpart = counterparts.of(table.tid, one);
    return isObstacle(counterpart) || counterpart.pathOnly ? undefined : counterpart;
  };
  const locks = overlayLocks(pid, table.descriptors, (one) => counterpartOf(one)?.present);
  if (locks.size === 0) return table;
  const descriptors = table.descriptors.map((one) => {
    const held = locks.get(one.fd);
    const counterpart = held === undefined ? undefined : counterpartOf(one);
    if (held === undefined || counterpart === undefined) return one;
    const locked = { ...one, locks: held };
    counterparts.remember(locked, counterpart);
    return locked;
  });
  return { ...table, descriptors };
}

/**
 * Who has its root in the volume is locked up only as long as its root and the folders that it has open are of the same
 * mount: from a folder of another one `..` leads out. So if the root has to stay, folders stay as well.
 */
function mayChangeRoot(tid: number): boolean {
  return capabilityNames(readStatus(tid)?.effectiveCapabilities ?? 0n).has('CAP_SYS_CHROOT');
}

const lockedUp = obstacle('not-allowed', 'its root may not be moved: CAP_SYS_CHROOT');

function planTable(
  { counterparts }: Planning,
  { tid, descriptors }: FileTable,
  mayLeave: boolean,
  keep: Keep,
): DescriptorMove[] {
  return descriptors.flatMap((one): DescriptorMove[] => {
    const counterpart = counterparts.of(tid, one);
    // Whoever shares it shares its being kept.
    if (!mayLeave && one.kind === 'directory' && !isObstacle(counterpart)) counterpart.obstacle ??= lockedUp;
    if (!isObstacle(counterpart)) return [{ descriptor: one, counterpart, file: counterpart.fresh }];
    keep('descriptor', tid, one.fd, one, counterpart);
    return [];
  });
}

/** All of them; which the process would lose is seen when it is settled what is moved. */
function locksIn({ descriptors }: FileTable): LockMove[] {
  return descriptors.flatMap((one) => processLocks(one.locks).map((lock) => ({ fd: one.fd, lock, place: one })));
}

function withoutMaps(user: VolumeUser, left: LeftBehind | undefined): VolumeUser {
  if (left === undefined) return user;
  return { ...user, maps: user.maps.filter((map) => !left.maps.some((one) => isSameMap(map, one))) };
}

function planFolders(
  planning: Planning,
  pid: number,
  use: FolderUse | undefined,
  mayLeave: boolean,
  keep: Keep,
): Pick<Errand, 'root' | 'workingDirectory'> {
  if (use === undefined) return { root: undefined, workingDirectory: undefined };
  const { tid } = use;
  const link = (name: string): string => `/proc/${pid}/task/${tid}/${name}`;
  const move = (what: 'root' | 'working-directory', name: string, place?: VolumePlace): FolderMove | undefined => {
    if (place === undefined) return undefined;
    const found = (mayLeave ? undefined : lockedUp) ?? folderObstacle(place) ?? planning.others.folder(place);
    const back = planning.others.current(place, link(name), O_PATH);
    if (!isObstacle(found) && back !== undefined) return { file: found.fd, back: back.fd, place };
    keep(what, tid, 0, place, isObstacle(found) ? found : obstacle('not-opened'));
    return undefined;
  };
  const root = move('root', 'root', use.root);
  const moved = move('working-directory', 'cwd', use.workingDirectory);
  const workingDirectory = root === undefined ? moved : (moved ?? stayingPut(planning, root, tid, link('cwd')));
  if (root === undefined || workingDirectory !== undefined) return { root, workingDirectory };
  keep('root', tid, 0, root.place, obstacle('not-opened', 'its working directory'));
  return { root: undefined, workingDirectory };
}

/** Whose root is moved must be put back into the working directory that it has, wherever that is. */
function stayingPut(planning: Planning, root: FolderMove, tid: number, link: string): FolderMove | undefined {
  const place = { ...root.place, mountId: -1, inode: BigInt(tid), path: NOWHERE, relative: '' };
  const current = planning.others.current(place, link, O_PATH);
  return current === undefined ? undefined : { file: current.fd, back: current.fd, place };
}

/** The path of a working directory that is not in the volume, and is not moved. */
export const NOWHERE = '';

function planMemory(
  planning: Planning,
  user: VolumeUser,
  tid: number,
  keep: Keep,
): Pick<Errand, 'maps' | 'executable'> {
  const { to, others, memories } = planning;
  if (user.maps.length === 0 && user.executable === undefined) return { maps: [], executable: undefined };
  if (memories.some((other) => shares('memory', tid, other))) return { maps: [], executable: undefined };
  memories.push(tid);
  const flags = planning.mapFlags(user);
  const programs = programFiles(user);
  const maps = user.maps.flatMap((map): MapMove[] => {
    const move = mapObstacle(map, to.kind, programs) ?? planMap(planning, user.pid, map, flags.get(map.start));
    if (!('reason' in move)) return [move];
    keep('map', tid, map.start, map, move);
    return [];
  });
  const { executable } = user;
  if (executable === undefined) return { maps, executable: undefined };
  const file = executableObstacle(executable, to.kind) ?? others.mappable(executable, false);
  if (!isObstacle(file)) return { maps, executable: { file: file.fd, place: executable } };
  keep('executable', tid, 0, executable, file);
  return { maps, executable: undefined };
}

function planMap(
  { from, others }: Planning,
  pid: number,
  map: MappedFile,
  flags: MapFlags | undefined,
): MapMove | Obstacle {
  if (flags === undefined) return obstacle('special-map', 'its VmFlags are not known');
  const special = specialMapObstacle(flags);
  if (special !== undefined) return special;
  const writable = needsWriting(map, flags);
  const found = others.mappable(map, writable);
  if (isObstacle(found)) return found;
  const link = `/proc/${pid}/map_files/${map.start.toString(16)}-${map.end.toString(16)}`;
  const back = others.current(map, link, writable ? O_RDWR : O_RDONLY);
  return { map, flags, file: found.fd, back: back?.fd, save: writable && !from.answers };
}
