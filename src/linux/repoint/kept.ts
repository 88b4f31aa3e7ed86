import { constants } from 'node:fs';
import { O_PATH } from './descriptor-calls.ts';
import { displayPath, type SideKind } from './volume-side.ts';
import type { MappedFile, OpenDescriptor, VolumePlace, VolumeUser } from './volume-use.ts';

/*
 * What stays where it is, and why. Part of it can be told before anything is touched.
 */

export const keptReasons = {
  unlinked: 'it has no name any more by which it could be opened again',
  fifo: 'what is in a FIFO, and who is at its other end, cannot be taken along',
  socket: 'a socket is bound to its place',
  device: 'opening a device again may do something to it',
  lease: 'it has a lease, which opening it again would break',
  'folder-cursor': 'the folder was read from, and where reading goes on means something on that side alone',
  program: 'the program runs from it; a fault in its pages would kill it',
  'special-map': 'the map has properties that another one could not be given',
  'io-uring': 'it is registered with an io_uring, which uses it without a descriptor',
  'not-found': 'its path leads to another file on the other side',
  'not-opened': 'it could not be opened on the other side',
  'lock-conflict': 'on the other side somebody else holds a lock that it has on this one',
  shared: 'it is shared with a process that is not moved',
  'not-allowed': 'the process may not have it moved',
} as const;

export type KeptReason = keyof typeof keptReasons;

export type KeptThing = 'descriptor' | 'working-directory' | 'root' | 'executable' | 'map' | 'registered-file';

/** Something that a process goes on using on the side where it was. */
export interface Kept {
  readonly what: KeptThing;
  readonly tid: number;
  /** The descriptor, or the map's first address; 0 for the others. */
  readonly number: number;
  /** The whole path, as text. */
  readonly path: string;
  readonly reason: KeptReason;
  /** More about it, such as the name of an errno; '' for nothing. */
  readonly detail: string;
}

/** Why something cannot be moved. */
export interface Obstacle {
  readonly reason: KeptReason;
  readonly detail: string;
}

export function isObstacle(found: object): found is Obstacle {
  return 'reason' in found;
}

export function obstacle(reason: KeptReason, detail = ''): Obstacle {
  return Object.freeze({ reason, detail });
}

const { O_DIRECTORY } = constants;

/**
 * Why a descriptor is not moved to the other side, as far as it shows; undefined when it may be.
 *
 * Towards the original all is moved that can be, for what is not holds on to a mount that is to go. A folder's cursor
 * was passed through by the overlay as it is, and so it means the same there. Towards the overlay it stays: nothing is
 * gained by moving who is half way through a folder.
 *
 * @param rescuable files without a name can be had all the same, from whoever serves the overlay
 */
export function descriptorObstacle(one: OpenDescriptor, towards: SideKind, rescuable = false): Obstacle | undefined {
  if (one.links === 0 && !rescuable) return obstacle('unlinked');
  if ((one.flags & O_PATH) !== 0) return undefined;
  if (one.kind === 'fifo' || one.kind === 'socket') return obstacle(one.kind);
  if (one.kind !== 'regular' && one.kind !== 'directory') return obstacle('device');
  if (one.locks.some(({ type }) => type === 'LEASE' || type === 'DELEG')) return obstacle('lease');
  const isFolder = (one.flags & O_DIRECTORY) !== 0 || one.kind === 'directory';
  if (isFolder && one.position !== 0n && towards === 'overlay') return obstacle('folder-cursor');
  return undefined;
}

/** Files of which a process runs code: faults in them would kill it. */
export function programFiles(user: Pick<VolumeUser, 'executable' | 'maps'>): ReadonlySet<bigint> {
  const code = user.maps.filter(({ permissions }) => permissions[2] === 'x').map(({ inode }) => inode);
  return new Set(user.executable === undefined ? code : [user.executable.inode, ...code]);
}

export function mapObstacle(map: MappedFile, towards: SideKind, programs: ReadonlySet<bigint>): Obstacle | undefined {
  if (map.links === 0) return obstacle('unlinked');
  if (map.kind !== 'regular') return obstacle('device');
  if (towards === 'overlay' && programs.has(map.inode)) return obstacle('program');
  return undefined;
}

export function executableObstacle(executable: VolumePlace, towards: SideKind): Obstacle | undefined {
  if (executable.links === 0) return obstacle('unlinked');
  return towards === 'overlay' ? obstacle('program') : undefined;
}

export function folderObstacle(folder: VolumePlace): Obstacle | undefined {
  return folder.links === 0 ? obstacle('unlinked') : undefined;
}

export function kept(
  what: KeptThing,
  tid: number,
  number: number,
  { path }: { readonly path: string },
  { reason, detail }: Obstacle,
): Kept {
  return Object.freeze({ what, tid, number, path: displayPath(path), reason, detail });
}

/** What of a process would surely stay where it is: for telling beforehand. */
export function foreseeKept(user: VolumeUser, towards: SideKind): Kept[] {
  const programs = programFiles(user);
  const [tid] = [user.pid];
  const found: (Kept | undefined)[] = [
    ...user.tables.flatMap((table) =>
      table.descriptors.map((one) => told('descriptor', table.tid, one.fd, one, descriptorObstacle(one, towards))),
    ),
    ...user.folders.flatMap((folder) => [
      folder.workingDirectory &&
        told('working-directory', folder.tid, 0, folder.workingDirectory, folderObstacle(folder.workingDirectory)),
      folder.root && told('root', folder.tid, 0, folder.root, folderObstacle(folder.root)),
    ]),
    user.executable && told('executable', tid, 0, user.executable, executableObstacle(user.executable, towards)),
    ...user.maps.map((map) => told('map', tid, map.start, map, mapObstacle(map, towards, programs))),
    ...user.registered.map((file) => told('registered-file', tid, file.fd, file, obstacle('io-uring'))),
  ];
  return found.filter((one) => one !== undefined);
}

function told(
  what: KeptThing,
  tid: number,
  number: number,
  place: { readonly path: string },
  why: Obstacle | undefined,
): Kept | undefined {
  return why === undefined ? undefined : kept(what, tid, number, place, why);
}
