import { closeSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { delay } from '../../../base/delay.ts';
import { asFaultlineError } from '../../../base/error.ts';
import { type JsonObject, toJson } from '../../../base/json.ts';
import { lockFile } from '../../../linux/flock.ts';
import { FOLDER_PATH_FLAGS } from '../../../linux/mount/path-lookup.ts';
import { setProcessName } from '../../../linux/prctl.ts';
import { getReady, repoint } from '../../../linux/repoint/repoint.ts';
import { volumeSide, mountIdsSeenBy } from '../../../linux/repoint/volume-side.ts';

/*
 * A process for one errand: it stops the users of a volume for some milliseconds and moves what they have open from one
 * side of it to the other. A process of its own, because it must be nobody's parent, serve nothing that its targets
 * wait for, and be killed at any moment without harm.
 */

/** What it is asked, on its standard input, as JSON. */
export interface RepointErrand {
  readonly towards: 'original' | 'overlay';
  /** The numbers of the mount that lies over the volume, and of its copies in other namespaces. */
  readonly overlayMountIds: readonly number[];
  /** `major:minor` of its file system; null where that is told by the folder, or not known. */
  readonly overlayDevice: string | null;
  /** A process that sees the original. */
  readonly pid: number;
  readonly mountNamespace: number;
  /** Whose files; null: of everybody in the namespace, or, on the way back, of everybody there is. */
  readonly pids: readonly number[] | null;
  readonly except: readonly number[];
  /** Who serves the overlay; null: nobody does. */
  readonly servedBy: number | null;
  /** Who sends it, and has the folders of the two sides open. */
  readonly sender: number;
  readonly originalRoot: number;
  /** null: there is none to be had. */
  readonly overlayRoot: number | null;
  readonly deadlineMs: number;
  /** A file: a process can be stopped by one at a time, and may use several volumes. */
  readonly turnFile: string;
}

/** How long to wait for one's turn, in milliseconds: longer than it takes, and not for ever if one hangs. */
const turnMs = 10_000;
const pollMs = 5;

/** Wait for one's turn, which ends with this process. */
async function takeTurn({ turnFile }: RepointErrand): Promise<void> {
  const fd = openSync(turnFile, 'a', 0o600);
  const giveUpMs = performance.now() + turnMs;
  while (!lockFile(fd) && performance.now() < giveUpMs) await delay(pollMs);
}

function scopeOf({ towards, pids, mountNamespace, except }: RepointErrand) {
  const others = { except: new Set(except) };
  if (pids !== null) return { kind: 'pids' as const, pids, ...others };
  if (towards === 'original') return { kind: 'all' as const, ...others };
  return { kind: 'namespace' as const, mountNamespace, ...others };
}

/** A folder that another process of ours has open, wherever it stands, and if it stands nowhere any more. */
function folderOf(pid: number, fd: number): number {
  return openSync(`/proc/${pid}/fd/${fd}`, FOLDER_PATH_FLAGS);
}

/** Has nothing of the volume open any more when it comes back: whoever comes next must not take us for a user of it. */
function carryOut(errand: RepointErrand): JsonObject {
  const { sender, originalRoot, overlayRoot } = errand;
  const roots: number[] = [];
  const open = (fd: number): number => {
    const folder = folderOf(sender, fd);
    roots.push(folder);
    return folder;
  };
  try {
    return move(errand, open(originalRoot), overlayRoot === null ? undefined : open(overlayRoot));
  } finally {
    for (const root of roots) closeSync(root);
  }
}

function move(errand: RepointErrand, originalFd: number, overlayFd: number | undefined): JsonObject {
  const { towards, overlayMountIds, overlayDevice, pid, servedBy, deadlineMs } = errand;
  const mountIds = mountIdsSeenBy(pid, overlayMountIds);
  const original = volumeSide({ kind: 'original', rootFd: originalFd, mountIds });
  const overlay = volumeSide({
    kind: 'overlay',
    mountIds: overlayMountIds,
    answers: servedBy !== null,
    ...(overlayFd === undefined ? {} : { rootFd: overlayFd }),
    ...(overlayDevice === null ? {} : { device: overlayDevice }),
  });
  const [from, to] = towards === 'overlay' ? [original, overlay] : [overlay, original];
  const rescuePids = servedBy === null ? [] : [servedBy];
  return toJson(repoint({ from, to, scope: scopeOf(errand), rescuePids, deadlineMs })) as JsonObject;
}

/** Run as that process: the errand on standard input. @returns the report, or what went wrong */
export async function runErrand(): Promise<string> {
  setProcessName('faultline-move');
  // It may have been started before there is an errand.
  getReady();
  const asked = await text(process.stdin);
  if (asked === '') return ''; // there is none
  const errand = JSON.parse(asked) as RepointErrand;
  try {
    await takeTurn(errand);
    return JSON.stringify({ report: carryOut(errand) });
  } catch (error) {
    const { code, message, hint } = asFaultlineError(error);
    return JSON.stringify({ error: { code, message, hint: hint ?? null } });
  }
}
