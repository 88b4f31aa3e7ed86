import { lstatSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';

/**
 * Where the journal lives: the given folder, else `FAULTLINE_STATE_DIR`, else `/var/lib/faultline` for root, else
 * `$XDG_STATE_HOME/faultline` (by default `~/.local/state/faultline`; XDG Base Directory Specification 0.8, which has
 * relative paths ignored).
 */
export function resolveStateDir(given: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  const named = given ?? env['FAULTLINE_STATE_DIR'];
  if (named !== undefined && named !== '') return resolve(named);
  if (process.geteuid?.() === 0) return '/var/lib/faultline';
  const xdg = env['XDG_STATE_HOME'];
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.local/state'), 'faultline');
}

/** Folder and files must belong to us or root and be writable by nobody else. */
function refuseUnsafe(path: string, stats: { readonly uid: number; readonly mode: number }): void {
  const self = process.geteuid?.() ?? 0;
  const foreign = stats.uid !== self && stats.uid !== 0;
  if (!foreign && (stats.mode & 0o022) === 0) return;
  const why = foreign ? `belongs to user ${stats.uid}` : 'can be written by other users';
  throw new FaultlineError('STATE_DIR_UNSAFE', `${printable(path)} ${why}`, {
    // The journal names processes to signal and commands to run: who can write it acts with our privileges.
    hint: foreign ? 'run as its owner, or choose another folder with --state-dir' : `chmod go-w ${printable(path)}`,
  });
}

/**
 * Make the state folder (mode 0700) if it is not there, and refuse one that somebody else could write.
 *
 * @throws {FaultlineError} STATE_DIR_UNSAFE, STATE_UNWRITABLE
 */
export function prepareStateDir(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const stats = statSync(path);
    if (!stats.isDirectory()) throw new Error('not a directory');
    refuseUnsafe(path, stats);
  } catch (cause) {
    if (cause instanceof FaultlineError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FaultlineError('STATE_UNWRITABLE', `the state folder ${printable(path)} cannot be made: ${reason}`, {
      hint: 'choose a folder that you can write with --state-dir or FAULTLINE_STATE_DIR',
      cause,
    });
  }
}

function lookedAt(file: string): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch (cause) {
    throw new FaultlineError('STATE_UNWRITABLE', `${printable(file)} cannot be looked at`, {
      hint: 'run as the user it belongs to, or choose another folder with --state-dir',
      cause,
    });
  }
}

/** Refuse a journal file that is no regular file of ours. @returns its size in bytes, or undefined if there is none. */
export function journalFileSize(file: string): number | undefined {
  const stats = lookedAt(file);
  if (stats === undefined) return undefined;
  if (!stats.isFile()) {
    throw new FaultlineError('STATE_DIR_UNSAFE', `${printable(file)} is not a regular file`, {
      hint: 'choose another folder with --state-dir',
    });
  }
  refuseUnsafe(file, stats);
  return stats.size;
}
