import { closeSync, fstatSync, openSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { type Mount, readMounts } from '../mount-table.ts';
import { isErrno } from '../syscall-error.ts';
import { mountOf } from './mount-identity.ts';
import { FOLDER_PATH_FLAGS } from './path-lookup.ts';
import { isWithin } from './volume-rules.ts';

/** A folder of this host that has to go on working while there are faults in a volume. */
export interface KeptOut {
  /** Absolute. Need not exist yet. */
  readonly path: string;
  /** As in "the state folder". */
  readonly what: string;
}

interface VolumePlace {
  readonly path: string;
  readonly realPath: string;
  /** The folder, open. */
  readonly fd: number;
  /** What it lies on, as its process sees it. */
  readonly mount: Mount;
}

/** Where a folder lies, whatever it is called and from wherever it is seen. */
interface Place {
  /** Device and inode number of it and of all folders above it, from itself upward. */
  readonly chain: readonly string[];
  /** Its path within its file system, after the device: a bind mount shows it under another name. */
  readonly within: { readonly device: string; readonly path: string } | undefined;
}

/**
 * Refuses a volume that holds one of those folders, or lies in one.
 *
 * Names do not decide, since a bind mount or another mount namespace has others: folders are the same that have the
 * same device and inode number, and so are those that have the same path in the same file system.
 *
 * @throws FaultlineError VOLUME_INVALID
 */
export function refuseKeptOut(volume: VolumePlace, keptOut: readonly KeptOut[]): void {
  if (keptOut.length === 0) return;
  const here: Place = { chain: chainOf(volume.fd), within: pathWithin(volume.realPath, volume.mount) };
  for (const { path: folder, what } of keptOut) {
    const there = placeOf(folder);
    const around = isAround(here, there);
    if (!around && !isAround(there, here)) continue;
    throw new FaultlineError(
      'VOLUME_INVALID',
      `${printable(volume.path)} ${around ? 'holds' : 'lies in'} ${what}, ${printable(folder)}`,
      { hint: 'Faultline needs it to undo what it does: name a folder that does not overlap' },
    );
  }
}

/** Is the second folder the first one, or below it? */
function isAround(outer: Place, inner: Place): boolean {
  const [self] = outer.chain;
  if (self !== undefined && inner.chain.includes(self)) return true;
  if (outer.within === undefined || inner.within === undefined) return false;
  return outer.within.device === inner.within.device && isWithin(inner.within.path, outer.within.path);
}

/** A folder that does not exist yet lies where the last one on its path does that exists; nothing is below it. */
function placeOf(folder: string): Place {
  const { existing, missing } = existingPart(folder);
  const fd = openSync(existing, FOLDER_PATH_FLAGS);
  try {
    const { mountId } = mountOf(fd);
    const mount = readMounts('self')?.find((candidate) => candidate.mountId === mountId);
    const within = mount === undefined ? undefined : pathWithin(existing, mount);
    const chain = chainOf(fd);
    if (missing === '') return { chain, within };
    return {
      chain: [`missing ${folder}`, ...chain],
      within: within && { device: within.device, path: path.posix.join(within.path, missing) },
    };
  } finally {
    closeSync(fd);
  }
}

function existingPart(folder: string): { readonly existing: string; readonly missing: string } {
  for (let part = folder; ; part = path.dirname(part)) {
    try {
      return { existing: realpathSync(part), missing: path.relative(part, folder) };
    } catch (error) {
      if (!isErrno(error, 'ENOENT') || part === '/') throw error;
    }
  }
}

function pathWithin(realPath: string, mount: Mount): Place['within'] {
  if (!isWithin(realPath, mount.mountPoint)) return undefined;
  return {
    device: mount.device,
    path: path.posix.join(mount.root, realPath.slice(mount.mountPoint === '/' ? 0 : mount.mountPoint.length)),
  };
}

/** Upward until it goes no further, which is at the root of the mount namespace. */
function chainOf(fd: number): string[] {
  const chain = [identityOf(fd)];
  let current = openSync(`/proc/self/fd/${fd}`, FOLDER_PATH_FLAGS);
  try {
    for (;;) {
      const parent = openSync(`/proc/self/fd/${current}/..`, FOLDER_PATH_FLAGS);
      closeSync(current);
      current = parent;
      const identity = identityOf(parent);
      if (identity === chain.at(-1)) return chain;
      chain.push(identity);
    }
  } finally {
    closeSync(current);
  }
}

function identityOf(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev}:${ino}`;
}
