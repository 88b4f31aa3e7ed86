import { constants } from 'node:fs';
import { isErrno, SyscallError, toSyscallError } from '../syscall-error.ts';
import { closeAnyhow, O_PATH, openAgain, openBelow } from './descriptor-calls.ts';
import { type FileStatus, statusOf } from './file-status.ts';
import type { InodeIndex } from './inode-index.ts';
import { type Obstacle, obstacle } from './kept.ts';
import type { VolumeSide } from './volume-side.ts';
import type { VolumePlace } from './volume-use.ts';

/** The way from one side to the other. */
export interface Door {
  readonly from: VolumeSide;
  readonly to: VolumeSide;
  readonly rescue: InodeIndex | undefined;
}

/**
 * Opens a file of one side on the other side, and sees that it is the same.
 *
 * @param askInode its true number: the one that the kernel remembers may be what a fault made of it
 */
export function reopen(door: Door, place: VolumePlace, flags: number, askInode?: () => bigint): number | Obstacle {
  let why = obstacle(place.deleted ? 'unlinked' : 'not-found');
  // What looks as if it was removed may only be called so.
  for (const relative of place.deleted ? [`${place.relative} (deleted)`, place.relative] : [place.relative]) {
    // First only its name, since opening another thing that is there now may do something to that.
    const found = openSame(door, { ...place, relative }, O_PATH | constants.O_NOFOLLOW, askInode);
    if (typeof found === 'number') {
      closeAnyhow(found);
      return openSame(door, { ...place, relative }, flags, askInode);
    }
    if (found.reason === 'not-opened' && found.detail !== 'ENOENT') why = found;
  }
  const link = door.rescue?.find(place.inode);
  return link === undefined ? why : attempt(() => openAgain(link, flags));
}

function openSame(
  door: Door,
  place: VolumePlace,
  flags: number,
  askInode: (() => bigint) | undefined,
): number | Obstacle {
  const { rootFd } = door.to;
  if (rootFd === undefined) throw new Error('the side to move to has no descriptor of its folder');
  const fd = attempt(() => openBelow(rootFd, place.relative, flags));
  if (typeof fd !== 'number' || isSameFile(door, place, statusOf(fd), askInode)) return fd;
  closeAnyhow(fd);
  return obstacle('not-found');
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
export function attempt(open: () => number): number | Obstacle {
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
