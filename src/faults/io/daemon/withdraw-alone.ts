import { closeSync, openSync } from 'node:fs';
import { FaultlineError } from '../../../base/error.ts';
import { delay } from '../../../base/delay.ts';
import { lockFile } from '../../../linux/flock.ts';
import { namespaceMembers } from '../../../linux/mount/namespace-members.ts';
import { FOLDER_PATH_FLAGS, openInRoot } from '../../../linux/mount/path-lookup.ts';
import { sendSignal } from '../../../linux/pidfd.ts';
import type { RepointReport } from '../../../linux/repoint/repoint.ts';
import { closeProcess, openProcess } from '../../../targets/handle.ts';
import type { ProcessIdentity } from '../../../targets/identity.ts';
import type { Site } from '../../fault.ts';
import { type DaemonPlace, daemonPlace, makeDaemonFolder, sourceOf } from './place.ts';
import { readRecord, removeTraces } from './record.ts';
import { moveBack, uncover } from './withdraw.ts';

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

const lockWaitMs = 5_000;
const lockPollMs = 10;
const SIGKILL = 9;

/** @returns the lock that keeps a daemon from starting meanwhile. @throws {FaultlineError} VOLUME_BUSY */
async function lockOut({ lock }: DaemonPlace): Promise<number> {
  const fd = openSync(lock, 'a', 0o600);
  const giveUpMs = performance.now() + lockWaitMs;
  while (!lockFile(fd)) {
    if (performance.now() > giveUpMs) {
      closeSync(fd);
      throw new FaultlineError('VOLUME_BUSY', 'the daemon of the volume does not answer, and does not end', {
        hint: 'try again; ps -e shows it as faultline-volume',
      });
    }
    await delay(lockPollMs);
  }
  return fd;
}

/** A daemon that lives and does not answer serves nobody: it is ended. */
function endDaemon(identity: ProcessIdentity | undefined): void {
  if (identity === undefined) return;
  const opened = openProcess(identity);
  if (opened.state !== 'open') return;
  try {
    sendSignal(opened.handle.pidfd, SIGKILL);
  } finally {
    closeProcess(opened.handle);
  }
}

function openOriginal(pid: number, path: string): number | undefined {
  const root = openSync(`/proc/${pid}/root`, FOLDER_PATH_FLAGS);
  try {
    return openInRoot(root, path, { folder: true });
  } finally {
    closeSync(root);
  }
}

async function withdraw(site: Site, place: DaemonPlace, trace: VolumeTrace): Promise<AloneResult> {
  const record = readRecord(place);
  const { mountIds, lost } = await uncover(sourceOf(trace.key), record, false);
  if (mountIds.length === 0) return { report: null, lost, covered: false };
  const [pid] = namespaceMembers(trace.mountNamespace, [record?.pid ?? trace.pid]);
  if (pid === undefined) return { report: null, lost, covered: true }; // the namespace has ended, and all who were in it
  const original = openOriginal(pid, record?.path ?? trace.path);
  if (original === undefined) return { report: null, lost, covered: true };
  try {
    const sender = { program: site.program, place };
    const { mountNamespace } = trace;
    const roots = { original, overlay: undefined };
    const report = await moveBack({ sender, mountIds, pid, mountNamespace, roots, servedBy: null });
    return { report, lost, covered: true };
  } finally {
    closeSync(original);
  }
}

/**
 * Withdraw a volume without its daemon; one that lives and does not answer is ended first.
 *
 * @throws {FaultlineError} VOLUME_BUSY: it cannot be had now
 */
export async function withdrawAlone(site: Site, trace: VolumeTrace): Promise<AloneResult> {
  const place = daemonPlace(site.stateDir, trace.key);
  makeDaemonFolder(place);
  endDaemon(readRecord(place)?.daemon);
  const lock = await lockOut(place);
  try {
    const result = await withdraw(site, place, trace);
    removeTraces(place);
    return result;
  } finally {
    closeSync(lock);
  }
}
