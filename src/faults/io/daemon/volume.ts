import { closeSync, constants, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultlineError } from '../../../base/error.ts';
import { type FuseSession, startFuseSession } from '../../../linux/fuse/session.ts';
import { attach, type Attachment } from '../../../linux/mount/attach.ts';
import { createFuseMount } from '../../../linux/mount/fuse-mount.ts';
import { mountOf } from '../../../linux/mount/mount-identity.ts';
import { openFolderOf } from '../../../linux/mount/path-lookup.ts';
import { resolveVolume, type Volume } from '../../../linux/mount/volume.ts';
import { statusOf } from '../../../linux/repoint/file-status.ts';
import type { RepointReport } from '../../../linux/repoint/repoint.ts';
import { threadFile } from '../../../linux/thread.ts';
import type { ProcessIdentity } from '../../../targets/identity.ts';
import { type VolumePlan, witnessOf } from '../volume-plan.ts';
import type { IoRule } from '../rule.ts';
import type { SharedRules } from '../shared-rules.ts';
import { type DaemonPlace, sourceOf } from './place.ts';
import { writeRecord } from './record.ts';
import { sendRepointer, type Standby } from './send-repointer.ts';
import { unreachedFiles } from './unreached.ts';
import { moveBack, uncover } from './withdraw.ts';

/*
 * A volume that is covered: the mount, who serves it, and the way onto it and back.
 */

/** How long the threads of a process may take to stop, in milliseconds. */
const deadlineMs = 2_000;

/** How long the last open files may take to go when everybody was moved back, in milliseconds. */
const closingMs = 2_000;

/** What every volume of this daemon works with. */
export interface VolumeSetting {
  readonly place: DaemonPlace;
  readonly program: readonly string[];
  readonly standby: Standby;
  readonly self: ProcessIdentity;
  readonly rules: SharedRules;
  readonly onFailure: (failure: unknown) => void;
}

/** Whose open files. */
type VolumeUsers = Pick<VolumePlan, 'pids' | 'exclude'>;

export interface CoveredVolume {
  readonly mountId: number;
  readonly passthrough: boolean;
  /** How many open files these rules are about do not reach: see {@link unreachedFiles}. */
  unreached(rules: readonly IoRule[]): number;
  /** Rules have changed: the kernel forgets what it was told. */
  rulesChanged(): Promise<void>;
  /** Move onto the mount those who have files of it open and are meant by a plan. */
  moveOnto(whose: VolumeUsers): Promise<RepointReport>;
  /** Let go of what waits, take the mount away, and move everybody back. May be repeated. */
  withdraw(): Promise<{ readonly report: RepointReport; readonly lost: readonly string[] }>;
  /** @returns whether nobody uses it any more; waits a moment for that */
  ended(): Promise<boolean>;
  /** Settles when nobody uses it any more, whoever brought that about. */
  readonly over: Promise<unknown>;
}

/** The folder that was planned, and no other. @throws {FaultlineError} VOLUME_BUSY */
function sameVolume(plan: VolumePlan): Volume {
  const { path, mountNamespace, mountId, inode } = plan;
  const volume = resolveVolume({ path, pid: witnessOf(plan), keepOut: [] });
  if (volume.mountNamespace === mountNamespace && volume.mountId === mountId && String(volume.inode) === inode) {
    return volume;
  }
  throw new FaultlineError('VOLUME_BUSY', `${path} is not the folder any more that it was`, {
    hint: 'something was mounted there, or it was replaced, a moment ago: try again',
  });
}

interface Parts {
  readonly setting: VolumeSetting;
  readonly plan: VolumePlan;
  readonly source: string;
  readonly session: FuseSession;
  readonly attachment: Attachment;
  /** `major:minor` of the mount. */
  readonly device: string;
  /** The folder below. */
  readonly original: number;
  /** The root of the mount; undefined from when it is to end: that is a use of it, too. */
  overlay: number | undefined;
  /** The folder below is not open any more. */
  isClosed: boolean;
}

function moveOnto(
  { setting, plan, attachment, original, overlay }: Parts,
  { pids, exclude }: VolumeUsers,
): Promise<RepointReport> {
  const { mountNamespace } = plan;
  return sendRepointer(
    setting,
    {
      towards: 'overlay',
      overlayMountIds: [attachment.mountId],
      overlayDevice: null,
      pid: witnessOf(plan),
      mountNamespace,
      pids,
      except: [...exclude, process.pid],
      servedBy: process.pid,
      deadlineMs,
    },
    { original, overlay },
  );
}

async function withdraw({ setting, plan, source, session, attachment, device, original, overlay }: Parts) {
  await session.stop();
  const { mountId, uniqueMountId = null, mountNamespace } = attachment;
  const record = { daemon: setting.self, volume: plan, mountId, device, uniqueMountId, source };
  const { held, lost, mountIds } = await uncover(source, record, true);
  try {
    const roots = { original, overlay };
    const pid = witnessOf(plan);
    const whose = { sender: setting, mountIds, device, pid, mountNamespace, roots, servedBy: process.pid };
    return { report: await moveBack(whose), lost };
  } finally {
    if (held !== undefined) closeSync(held);
  }
}

async function ended(parts: Parts): Promise<boolean> {
  const { session, original, overlay } = parts;
  parts.overlay = undefined;
  if (overlay !== undefined) closeSync(overlay);
  const over = await Promise.race([session.over.then(() => true), sleep(closingMs, false, { ref: false })]);
  if (over && !parts.isClosed) {
    parts.isClosed = true;
    closeSync(original);
  }
  return over;
}

function coveredVolume(parts: Parts): CoveredVolume {
  const { session, attachment, plan } = parts;
  return Object.freeze({
    mountId: attachment.mountId,
    passthrough: session.agreement.passthrough,
    unreached: (rules: readonly IoRule[]) => unreachedFiles(session.passed(), plan.path, rules),
    rulesChanged: () => session.rulesChanged(),
    moveOnto: (whose: VolumeUsers) => moveOnto(parts, whose),
    withdraw: () => withdraw(parts),
    ended: () => ended(parts),
    over: session.over.catch(() => undefined),
  });
}

/**
 * Cover a volume with a mount that serves it as it is, but for the rules. What to look for is written down first.
 *
 * @throws {FaultlineError} VOLUME_…, HOST_UNSUPPORTED; SyscallError: nothing is covered then
 */
export async function coverVolume(setting: VolumeSetting, plan: VolumePlan): Promise<CoveredVolume> {
  const volume = sameVolume(plan);
  const source = sourceOf(plan.key);
  const original = openFolderOf(volume.pid, volume.realPath);
  const fuseFd = openSync('/dev/fuse', constants.O_RDWR | constants.O_NONBLOCK);
  const { mode: rootMode, attributes } = volume;
  const mountFd = createFuseMount({ fuseFd, source, rootMode, attributes });
  try {
    const identity = mountOf(mountFd);
    const { self: daemon, place, rules, onFailure } = setting;
    const uniqueMountId = identity.uniqueMountId ?? null;
    const { device } = statusOf(mountFd);
    writeRecord(place, { daemon, volume: plan, mountId: identity.mountId, device, uniqueMountId, source });
    // Served before it stands there: nobody has to wait.
    const session = await startFuseSession({
      fuseFd,
      rootFd: original,
      workerFile: threadFile('io-thread'),
      workerData: { rules },
      onFailure,
    });
    const attachment = await attach({ pid: volume.pid, path: plan.path, mountFd, expected: volume });
    closeSync(attachment.rootFd);
    return coveredVolume({
      setting,
      plan,
      source,
      session,
      attachment,
      device,
      original,
      overlay: mountFd,
      isClosed: false,
    });
  } catch (error) {
    closeSync(mountFd); // a mount that stands nowhere goes with it, and the session is over
    throw error;
  }
}
