import { closeSync } from 'node:fs';
import { isFaultlineError } from '../../../base/error.ts';
import { FUSE_TYPE } from '../../../linux/mount/fuse-mount.ts';
import { detach } from '../../../linux/mount/attach.ts';
import { findMounts, type FoundMount } from '../../../linux/mount/find-mounts.ts';
import { mountOf } from '../../../linux/mount/mount-identity.ts';
import { openFolderOf } from '../../../linux/mount/path-lookup.ts';
import type { RepointReport } from '../../../linux/repoint/repoint.ts';
import { holdUsed } from '../../../linux/repoint/mount-in-use.ts';
import type { DaemonRecord } from './record.ts';
import { type Sender, sendRepointer, type SideRoots } from './send-repointer.ts';

/*
 * The way back: first the mount is taken away, so that nobody begins to use it, then whoever uses it is moved to the
 * original. May be repeated at any time, by anybody, whether the daemon lives or not.
 */

/** How long the threads of a process may take to stop, in milliseconds. */
const deadlineMs = 2_000;

export interface Uncovered {
  /**
   * Holds what is left of the overlay, for the caller to close when all are moved back. It goes with the last who uses
   * it, and the kernel gives the numbers of its mounts and of its file system to the next that is mounted, which may be
   * another volume's: whoever uses that one would be taken for a user of ours. undefined: nothing of it is left.
   */
  readonly held: number | undefined;
  /** Mounts of others that stood on ours, and could not be kept. */
  readonly lost: readonly string[];
  /** The numbers of our mount and of its copies, as far as anybody has to do with them. */
  readonly mountIds: readonly number[];
  /** `major:minor` of its file system; null where nothing of it is left. */
  readonly device: string | null;
}

function uniqueIdOf({ mount, mountNamespace }: FoundMount, record: DaemonRecord | undefined): number | undefined {
  const isOriginal = mount.mountId === record?.mountId && mountNamespace === record.volume.mountNamespace;
  return isOriginal ? (record.uniqueMountId ?? undefined) : undefined;
}

function mountOfRecord({ mountId, uniqueMountId }: DaemonRecord) {
  return { mountId, uniqueMountId: uniqueMountId ?? undefined };
}

/** @returns a descriptor of the mount's root, where it stands; undefined: it is not there any more */
function holdStanding({ pid, mount }: FoundMount): number | undefined {
  let fd: number;
  try {
    fd = openFolderOf(pid, mount.mountPoint);
  } catch {
    return undefined; // whoever saw it is gone, or it is covered, or taken away by now
  }
  if (mountOf(fd).mountId === mount.mountId) return fd;
  closeSync(fd);
  return undefined;
}

/** @returns a descriptor of the overlay, wherever it is; undefined: nothing of it is left */
function hold(found: readonly FoundMount[], record: DaemonRecord | undefined): number | undefined {
  for (const one of found) {
    const fd = holdStanding(one);
    if (fd !== undefined) return fd;
  }
  return record === undefined ? undefined : holdUsed(mountOfRecord(record));
}

async function takeAway(
  found: readonly FoundMount[],
  source: string,
  record: DaemonRecord | undefined,
  served: boolean,
) {
  const lost: string[] = [];
  for (const one of found) {
    const { mountNamespace, pid, mount } = one;
    const identity = { mountId: mount.mountId, uniqueMountId: uniqueIdOf(one, record) };
    try {
      const done = await detach({ pids: [pid], mountNamespace, mount: identity, source, served });
      lost.push(...done.lost);
    } catch (error) {
      // One that is not ours to change must not keep the others. It goes with its namespace, and is served until then.
      if (mountNamespace === record?.volume.mountNamespace || !isFaultlineError(error)) throw error;
    }
  }
  return lost;
}

/**
 * Take the mount away, wherever it stands: namespaces that were made meanwhile have copies of it.
 *
 * @param served somebody answers what is asked of it
 */
export async function uncover(source: string, record: DaemonRecord | undefined, served: boolean): Promise<Uncovered> {
  const found = findMounts(FUSE_TYPE, source);
  const mountIds = new Set(found.map(({ mount }) => mount.mountId));
  const isKnown = record === undefined || mountIds.has(record.mountId);
  const held = hold(found, isKnown ? undefined : record);
  if (!isKnown && held !== undefined) mountIds.add(record.mountId);
  try {
    const lost = await takeAway(found, source, record, served);
    return { held, lost, mountIds: [...mountIds], device: record?.device ?? found[0]?.mount.device ?? null };
  } catch (error) {
    if (held !== undefined) closeSync(held);
    throw error;
  }
}

export interface WayBack {
  readonly sender: Sender;
  readonly mountIds: readonly number[];
  readonly device: string | null;
  /** A process that sees the volume. */
  readonly pid: number;
  readonly mountNamespace: number;
  readonly roots: SideRoots;
  /** Who serves the overlay; null: nobody does. */
  readonly servedBy: number | null;
}

/** Move everybody who uses the overlay back to the original. */
export function moveBack({
  sender,
  mountIds,
  device,
  pid,
  mountNamespace,
  roots,
  servedBy,
}: WayBack): Promise<RepointReport> {
  return sendRepointer(
    sender,
    {
      towards: 'original',
      overlayMountIds: mountIds,
      overlayDevice: device,
      pid,
      mountNamespace,
      pids: null,
      // Who serves it, or holds it, has something of it.
      except: [process.pid],
      servedBy,
      deadlineMs,
    },
    roots,
  );
}

/** Who still uses the overlay after {@link moveBack}, in words. */
export function remaining({ processes }: RepointReport): readonly string[] {
  return processes.flatMap(({ pid, comm, outcome, kept, refusal, error }) => {
    if (outcome === 'gone') return [];
    const why = refusal?.detail ?? error?.message ?? kept[0]?.reason;
    return why === undefined ? [] : [`pid ${pid} (${comm}): ${why}`];
  });
}
