import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { FOLDER_PATH_FLAGS } from '../mount/path-lookup.ts';
import { statusOf } from './file-status.ts';
import { type VolumeSide, volumeSide } from './volume-side.ts';

/*
 * What runs for the first time takes many times as long: functions are bound and compiled. Nobody should have to stand
 * still for that, so it is done once with a process of our own, a file of which is moved from a folder to that folder.
 */

/** Moves what a process has open in a folder. */
type Move = (from: VolumeSide, to: VolumeSide, pid: number) => void;

const TIMES = 4;
/** Open files, for each of which some things are done. */
const FILES = 8;

let isWarm = false;

/** Practises, once in our life. Nothing depends on whether it succeeds. */
export function warmUp(move: Move): void {
  if (isWarm) return;
  isWarm = true;
  // Any file that is surely there; nothing is read from it.
  const files = Array.from({ length: FILES }, () => openSync(process.execPath, 'r'));
  const folder = openSync(path.dirname(process.execPath), FOLDER_PATH_FLAGS);
  const child = spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', ...files] });
  child.once('error', () => undefined);
  child.unref();
  try {
    const mountIds = [statusOf(folder).mountId];
    const from = volumeSide({ kind: 'original', rootFd: folder, mountIds });
    const to = volumeSide({ kind: 'overlay', rootFd: folder, mountIds });
    for (let i = 0; i < TIMES && child.pid !== undefined; i += 1) move(from, to, child.pid);
  } catch {
    // Who is to be moved will be told why it is not possible.
  } finally {
    child.kill('SIGKILL');
    for (const fd of [...files, folder]) closeSync(fd);
  }
}
