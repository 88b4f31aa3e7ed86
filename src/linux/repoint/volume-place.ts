import { readlinkSync } from 'node:fs';
import { isErrno, toSyscallError } from '../syscall-error.ts';
import { statusAt } from './file-status.ts';
import { pathInVolume, type VolumeSide } from './volume-side.ts';
import type { VolumePlace } from './volume-use.ts';

const DELETED = ' (deleted)';

/** What a link of /proc shows, one character a byte; undefined when it is gone. @throws SyscallError EACCES */
export function readLink(link: string): string | undefined {
  return unlessGone(() => readlinkSync(link, 'latin1'));
}

/**
 * Where in the volume a link of /proc leads; undefined when it leads elsewhere, to the other side, or is gone.
 *
 * @param target what the link shows, where it is known already
 * @throws SyscallError EACCES
 */
export function placeAt(side: VolumeSide, link: string, target = readLink(link)): VolumePlace | undefined {
  if (target === undefined || pathInVolume(side, target) === undefined) return undefined;
  const status = statusAt(link);
  if (status === undefined || !side.shows(status.mountId)) return undefined;
  if (side.kind === 'overlay' && side.device !== undefined && side.device !== status.device) return undefined;
  // A file may be called so; but a file that has a name and is called so is found under it later on.
  const deleted = target.endsWith(DELETED);
  const path = deleted ? target.slice(0, -DELETED.length) : target;
  const { kind, inode, device, links, mountId } = status;
  return { path, relative: pathInVolume(side, path) ?? '', deleted, mountId, inode, device, kind, links };
}

/** Runs something that reads /proc; undefined when what it reads is gone. @throws SyscallError for all else */
export function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw toSyscallError(error);
  }
}
