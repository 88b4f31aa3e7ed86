import { isErrno, SyscallError, toSyscallError } from '../syscall-error.ts';
import { descriptionSet } from './description-set.ts';
import { closeAnyhow, fetchDescriptor, O_PATH, openAgain, openBelow, openThread } from './descriptor-calls.ts';
import type { DescriptorInfo } from './descriptor-info.ts';
import { type FileStatus, statusOf } from './file-status.ts';
import type { DescriptorRef } from './kcmp.ts';
import type { InodeIndex } from './inode-index.ts';
import { descriptorObstacle, type Obstacle, obstacle } from './kept.ts';
import type { VolumeSide } from './volume-side.ts';
import type { OpenDescriptor, VolumePlace } from './volume-use.ts';

/*
 * For each open file description on one side of the volume, one on the other side that can take its place. They are
 * opened in this process, so that nothing has to be done in the targets for it, which may have no right to open them,
 * and so that one description serves all who share one.
 */

/** An open file description of ours that is to take the place of one that processes have. As a ref it is the latter. */
export interface Counterpart extends DescriptorRef {
  /** Our descriptor of the description that processes have now. */
  readonly present: number;
  /** Our descriptor of the one on the other side. */
  readonly fresh: number;
  /** It was opened by somebody before us, and may be in use. */
  readonly adopted: boolean;
  /** The description is a handle only (O_PATH): it has no position and no locks. */
  readonly pathOnly: boolean;
  /** As the link of /proc showed it. */
  readonly path: string;
  /** As it was opened: F_SETFL may change some of them. */
  flags: number;
  /** What has turned up that speaks against it. */
  obstacle: Obstacle | undefined;
}

/** A descriptor of ours, opened for a folder or a map. */
export interface Opened {
  readonly fd: number;
}

export function isObstacle(found: Counterpart | Opened | Obstacle): found is Obstacle {
  return 'reason' in found;
}

export interface Counterparts {
  /** The counterpart of a descriptor's description, the same for all who share it; opened when it is first asked for. */
  of(tid: number, one: OpenDescriptor): Counterpart | Obstacle;
  /** The counterpart that was made for a descriptor's description, if one was. */
  known(ref: DescriptorRef, file: FileKey): Counterpart | undefined;
  /** A descriptor of ours for the description of somebody's, to be closed by the caller. */
  fetch(ref: DescriptorRef): Opened | Obstacle;
  /** Takes a description that somebody has as the counterpart of another. */
  adopt(present: DescriptorRef, info: DescriptorInfo, fresh: DescriptorRef): void;
  /** The same folder on the other side, with O_PATH. */
  folder(place: VolumePlace): Opened | Obstacle;
  /** The same file on the other side, for mapping it. */
  mappable(place: VolumePlace, writable: boolean): Opened | Obstacle;
  /** What a link of /proc means now, for going back; undefined where it cannot be opened again. */
  current(place: VolumePlace, link: string, flags: number): Opened | undefined;
  readonly all: readonly Counterpart[];
  /** Closes all descriptors. */
  close(): void;
}

export interface FileKey {
  readonly mountId: number;
  readonly inode: bigint;
}

function keyOf({ mountId, inode }: FileKey): string {
  return `${mountId}:${inode}`;
}

/**
 * @param rescue where files without a name are open, by inode: whoever serves the overlay
 * @throws Error (a mistake of the caller's): there is no descriptor of the other side's folder
 */
export function openCounterparts(from: VolumeSide, to: VolumeSide, rescue?: InodeIndex): Counterparts {
  const threads = new Map<number, number>();
  const descriptions = descriptionSet<Counterpart>();
  const opened = openedOnce();
  const door = { from, to, rescue };

  const fetch = ({ tid, fd }: DescriptorRef): number | Obstacle =>
    attempt(() => {
      const threadFd = threads.get(tid) ?? openThread(tid);
      threads.set(tid, threadFd);
      return fetchDescriptor(threadFd, fd);
    });
  const create = (tid: number, one: OpenDescriptor): Counterpart | Obstacle => {
    const present = fetch({ tid, fd: one.fd });
    if (typeof present !== 'number') return present;
    const fresh = reopen(door, one, one.flags, () => statusOf(present, { ask: true }).inode);
    if (typeof fresh === 'number') return add({ present, fresh }, one, one.path, false);
    closeAnyhow(present);
    return fresh;
  };
  const add = (
    files: Pick<Counterpart, 'present' | 'fresh'>,
    info: FileKey & { readonly flags: number },
    path: string,
    adopted: boolean,
  ): Counterpart => {
    const { flags } = info;
    const pathOnly = (flags & O_PATH) !== 0;
    const ref = { tid: process.pid, fd: files.present };
    const made = { ...ref, ...files, adopted, pathOnly, path, flags, obstacle: undefined };
    const present = descriptions.add(made, keyOf(info));
    if (present !== made) closeAll(files);
    return present;
  };

  return {
    of(tid, one) {
      const obstacle = descriptorObstacle(one, to.kind, rescue?.has(one.inode));
      if (obstacle !== undefined) return obstacle;
      return descriptions.find({ tid, fd: one.fd }, keyOf(one)) ?? create(tid, one);
    },
    known: (ref, file) => descriptions.find(ref, keyOf(file)),
    fetch(ref) {
      const fd = fetch(ref);
      return typeof fd === 'number' ? { fd } : fd;
    },
    adopt(ref, { inode, mountId, flags }, freshRef) {
      const present = fetch(ref);
      const fresh = fetch(freshRef);
      if (typeof present === 'number' && typeof fresh === 'number' && inode !== undefined) {
        add({ present, fresh }, { inode, mountId, flags }, '', true);
        return;
      }
      for (const fd of [present, fresh]) if (typeof fd === 'number') closeAnyhow(fd);
    },
    folder: (place) => opened.get(`folder ${keyOf(place)}`, () => reopen(door, place, O_PATH)),
    mappable(place, writable) {
      const [name, flags] = writable ? (['rw', O_RDWR] as const) : (['ro', O_RDONLY] as const);
      return opened.get(`${name} ${keyOf(place)}`, () => reopen(door, place, flags));
    },
    current(place, link, flags) {
      // A file system that is dead opens nothing, but says where it is.
      if (!from.answers && (flags & O_PATH) === 0) return undefined;
      const found = opened.get(`current ${flags} ${keyOf(place)}`, () => attempt(() => openAgain(link, flags)));
      return isObstacle(found) ? undefined : found;
    },
    all: descriptions.items,
    close() {
      for (const one of descriptions.items) closeAll(one);
      opened.close();
      for (const fd of threads.values()) closeAnyhow(fd);
    },
  };
}

function closeAll({ present, fresh }: Pick<Counterpart, 'present' | 'fresh'>): void {
  closeAnyhow(present);
  closeAnyhow(fresh);
}

/** Descriptors that are opened when they are first asked for. What could not be opened is tried again. */
function openedOnce(): {
  get(key: string, open: () => number | Obstacle): Opened | Obstacle;
  close(): void;
} {
  const opened = new Map<string, Opened>();
  return {
    get(key, open) {
      const known = opened.get(key);
      if (known !== undefined) return known;
      const result = open();
      if (typeof result !== 'number') return result;
      const made = Object.freeze({ fd: result });
      opened.set(key, made);
      return made;
    },
    close() {
      for (const { fd } of opened.values()) closeAnyhow(fd);
    },
  };
}

export const O_RDONLY = 0;
export const O_RDWR = 2;

interface Door {
  readonly from: VolumeSide;
  readonly to: VolumeSide;
  readonly rescue: InodeIndex | undefined;
}

/**
 * Opens a file of one side on the other side, and sees that it is the same.
 *
 * @param askInode its true number: the one that the kernel remembers may be what a fault made of it
 */
function reopen(door: Door, place: VolumePlace, flags: number, askInode?: () => bigint): number | Obstacle {
  const { to, rescue } = door;
  const { rootFd } = to;
  if (rootFd === undefined) throw new Error('the side to move to has no descriptor of its folder');
  let why = obstacle(place.deleted ? 'unlinked' : 'not-found');
  // What looks as if it was removed may only be called so.
  for (const relative of place.deleted ? [`${place.relative} (deleted)`, place.relative] : [place.relative]) {
    // First only its name, since opening another thing that is there now may do something to that.
    for (const cautious of [O_PATH, flags]) {
      const fd = attempt(() => openBelow(rootFd, relative, cautious));
      if (typeof fd !== 'number') {
        if (fd.detail !== 'ENOENT') why = fd;
        break;
      }
      const isSame = isSameFile(door, place, statusOf(fd), askInode);
      if (isSame && cautious === flags) return fd;
      closeAnyhow(fd);
      if (!isSame) break;
    }
  }
  const link = rescue?.find(place.inode);
  return link === undefined ? why : attempt(() => openAgain(link, flags));
}

/**
 * The overlay shows the inode numbers of the original, but its own device. Under the same path the same number is the
 * same file, unless it was replaced meanwhile by one that got its number.
 */
function isSameFile({ from, to }: Door, place: VolumePlace, found: FileStatus, askInode?: () => bigint): boolean {
  if (found.kind !== place.kind) return false;
  if (from.device === to.device && found.device !== place.device) return false;
  if (found.inode === place.inode) return true;
  return askInode !== undefined && from.answers && found.inode === askInode();
}

/** @returns the descriptor, or why there is none */
function attempt(open: () => number): number | Obstacle {
  for (let tries = 1; ; tries += 1) {
    try {
      return open();
    } catch (error) {
      const failure = toSyscallError(error);
      if (!(failure instanceof SyscallError)) throw failure;
      // A rename somewhere in the tree breaks off a lookup that must not leave the folder: openat2(2).
      if (!isErrno(failure, 'EAGAIN') || tries === 5) return obstacle('not-opened', failure.errno);
    }
  }
}
