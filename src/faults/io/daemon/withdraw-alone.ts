import { closeSync, openSync } from 'node:fs';
import { lockFile } from '../../../linux/flock.ts';
import { findMounts } from '../../../linux/mount/find-mounts.ts';
import { FUSE_TYPE } from '../../../linux/mount/fuse-mount.ts';
import { someoneIn } from '../../../linux/mount/namespace-members.ts';
import { openFolderOf } from '../../../linux/mount/path-lookup.ts';
import { sendSignal } from '../../../linux/pidfd.ts';
import type { RepointReport } from '../../../linux/repoint/repoint.ts';
import { closeProcess, openProcess } from '../../../targets/handle.ts';
import type { Site } from '../../fault.ts';
import { type DaemonPlace, daemonPlace, makeDaemonFolder, sourceOf } from './place.ts';
import { type DaemonRecord, readRecord, removeTraces, writeRecord } from './record.ts';
import { moveBack, remaining, uncover, type Uncovered } from './withdraw.ts';

/*
 * The way back when the daemon is dead, or does not answer: whoever recovers does what it would have done. The mount
 * answers nobody any more; all that is needed is told by /proc, the mount table and the daemon's record.
 */

/** What the journal keeps of a volume, for finding it again. */
export interface VolumeTrace {
  readonly key: string;
  /** From the root of the process. */
  readonly path: string;
  readonly pid: number;
  readonly mountNamespace: number;
}

export interface AloneResult {
  /** null: nobody was found on it. */
  readonly report: RepointReport | null;
  readonly lost: readonly string[];
  /** Was there anything to withdraw? */
  readonly covered: boolean;
}

const SIGKILL = 9;

/** @returns the lock that keeps a daemon from starting meanwhile; undefined while there is one */
function lockOut({ lock }: DaemonPlace): number | undefined {
  const fd = openSync(lock, 'a', 0o600);
  if (lockFile(fd)) return fd;
  closeSync(fd);
  return undefined;
}

/** End a daemon that lives and does not answer: it serves nobody. */
export function endDaemon(site: Site, { key }: VolumeTrace): void {
  const identity = readRecord(daemonPlace(site.stateDir, key))?.daemon;
  if (identity === undefined) return;
  const opened = openProcess(identity);
  if (opened.state !== 'open') return;
  try {
    sendSignal(opened.handle.pidfd, SIGKILL);
  } finally {
    closeProcess(opened.handle);
  }
}

/**
 * Where the mount stands is where the folder below is found, whatever was renamed since. Written down, for whoever has
 * to try again when the mount is gone.
 */
function follow(place: DaemonPlace, record: DaemonRecord | undefined): DaemonRecord | undefined {
  if (record === undefined) return undefined;
  const { source, volume } = record;
  const standing = findMounts(FUSE_TYPE, source).find(({ mountNamespace }) => mountNamespace === volume.mountNamespace);
  if (standing === undefined) return record;
  const { pid, mount } = standing;
  const followed = { ...record, volume: { ...volume, path: mount.mountPoint, pid } };
  writeRecord(place, followed);
  return followed;
}

async function withdraw(site: Site, place: DaemonPlace, trace: VolumeTrace): Promise<AloneResult> {
  const record = follow(place, readRecord(place));
  const { held, mountIds, device, lost } = await uncover(sourceOf(trace.key), record, false);
  try {
    // With a record there may be something left with somebody whom a process that was killed was just moving.
    if (record === undefined && mountIds.length === 0) return { report: null, lost, covered: false };
    const report = await moveUsersBack(site, place, trace, { record, mountIds, device });
    return { report, lost, covered: true };
  } finally {
    if (held !== undefined) closeSync(held);
  }
}

interface Overlay extends Pick<Uncovered, 'mountIds' | 'device'> {
  readonly record: DaemonRecord | undefined;
}

async function moveUsersBack(
  { program }: Site,
  place: DaemonPlace,
  { mountNamespace, path, pid: planned }: VolumeTrace,
  { record, mountIds, device }: Overlay,
): Promise<RepointReport | null> {
  const pid = someoneIn(mountNamespace, record?.volume.pid ?? planned);
  // Otherwise the namespace has ended, and with it all who were in it.
  if (pid === undefined) return null;
  const original = openFolderOf(pid, record?.volume.path ?? path);
  try {
    const sender = { program, place };
    const roots = { original, overlay: undefined };
    return await moveBack({ sender, mountIds, device, pid, mountNamespace, roots, servedBy: null });
  } finally {
    closeSync(original);
  }
}

/**
 * Withdraw a volume that has no daemon any more.
 *
 * @returns undefined while there is one: it may be starting, or ending
 * @throws {FaultlineError} VOLUME_BUSY: it cannot be had now
 */
export async function withdrawAlone(site: Site, trace: VolumeTrace): Promise<AloneResult | undefined> {
  const place = daemonPlace(site.stateDir, trace.key);
  makeDaemonFolder(place);
  const lock = lockOut(place);
  if (lock === undefined) return undefined;
  try {
    const result = await withdraw(site, place, trace);
    // Whoever tries again needs to know what to look for.
    if (result.report === null || remaining(result.report).length === 0) removeTraces(place);
    return result;
  } finally {
    closeSync(lock);
  }
}
