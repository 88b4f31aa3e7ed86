import { readlinkSync } from 'node:fs';
import { readMounts } from '../mount-table.ts';
import type { ProcessRef } from '../procfs/read.ts';
import { statusOf } from './file-status.ts';

/*
 * A volume while a fault is injected into it has two sides: the original folder, and the mount that lies over it. Both
 * show the same files under the same paths, so only the mounts tell them apart.
 */

export type SideKind = 'original' | 'overlay';

/** One side of a volume. */
export interface VolumeSide {
  readonly kind: SideKind;
  /** The volume's folder on this side, opened with O_PATH; undefined where nothing has to be opened through it. */
  readonly rootFd: number | undefined;
  /**
   * What the links of /proc show for the folder, one character a byte; `/` for a mount that stands nowhere any more.
   */
  readonly path: string;
  /** Is the mount of this side? As /proc/PID/mountinfo and fdinfo number them. */
  readonly shows: (mountId: number) => boolean;
  /**
   * `major:minor` of the folder; undefined where it is not known. All of an overlay has this one, and nothing else has:
   * the number of a copy of its mount may have been given to another mount meanwhile.
   */
  readonly device: string | undefined;
  /**
   * What tells the volume from others, the same for both sides. Only with it are processes seen that were left with
   * something when somebody who moved them was killed.
   */
  readonly volumeId?: string;
  /** Its file system answers. False for a FUSE mount whose server is dead: then nothing is asked of it. */
  readonly answers: boolean;
}

export interface SideOptions {
  readonly kind: SideKind;
  /** Those of this side. */
  readonly mountIds: Iterable<number>;
  readonly rootFd?: number;
  /** For a side without a descriptor: `major:minor` of its file system, where it has one of its own. */
  readonly device?: string;
  /** For a side without a descriptor: the path of the folder. By default it is taken to stand nowhere any more. */
  readonly path?: string;
  readonly answers?: boolean;
}

/**
 * Describes a side. The descriptor stays the caller's to close, after its last use.
 *
 * Of the original, `mountIds` may be all mounts of the namespace but the overlay's ({@link mountIdsSeenBy}): what is
 * not below the volume's path does not count. Of the overlay it is the one FUSE mount.
 *
 * @throws SyscallError EBADF
 */
export function volumeSide(options: SideOptions): VolumeSide {
  const { kind, rootFd, answers = true } = options;
  const link = rootFd === undefined ? undefined : readlinkSync(`/proc/self/fd/${rootFd}`, 'latin1');
  const given = options.path === undefined ? '/' : Buffer.from(options.path).toString('latin1');
  const mounts = new Set(options.mountIds);
  return Object.freeze({
    kind,
    rootFd,
    path: link ?? given,
    shows: (mountId: number) => mounts.has(mountId),
    device: rootFd === undefined ? options.device : statusOf(rootFd).device,
    answers,
  });
}

/**
 * The side that is moved to, which shows whatever the other one does not: who has seen its mounts may be gone, and what
 * is there has to be told from what is on the overlay only.
 */
export function otherThan(from: VolumeSide, to: VolumeSide): VolumeSide {
  return to.kind === 'overlay' ? to : { ...to, shows: (mountId) => !from.shows(mountId) };
}

/** What tells a volume from others, by its sides. */
export function volumeIdOf(one: VolumeSide, other: VolumeSide): string {
  const original = one.kind === 'original' ? one : other;
  if (original.rootFd === undefined) return Buffer.from(original.path, 'latin1').toString('base64url');
  const { device, inode } = statusOf(original.rootFd);
  return `${device}.${inode}`;
}

/** The ids of the mounts that a process sees, but for some; empty when it is gone. @throws SyscallError EACCES */
export function mountIdsSeenBy(process: ProcessRef, except: Iterable<number> = []): Set<number> {
  const ids = new Set(readMounts(process)?.map(({ mountId }) => mountId));
  for (const id of except) ids.delete(id);
  return ids;
}

/** The path of what a link of /proc shows, from the volume's folder: '' for itself; undefined when it is not below. */
export function pathInVolume(side: VolumeSide, link: string): string | undefined {
  if (side.path === '/') return link.startsWith('/') ? link.slice(1) : undefined;
  if (!link.startsWith(side.path)) return undefined;
  if (link.length === side.path.length) return '';
  return link.charCodeAt(side.path.length) === SLASH ? link.slice(side.path.length + 1) : undefined;
}

const SLASH = 0x2f;

/** A path of one character a byte, as people and JSON want it. */
export function displayPath(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
