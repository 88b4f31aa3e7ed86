import { closeSync, constants, fstatSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { lockFile } from '../../../linux/flock.ts';
import { isErrno } from '../../../linux/syscall-error.ts';

/*
 * Whether somebody holds the probes of an injection. There is a file for each; who holds the probes has it open with a
 * lock, which goes from the command that attaches them to their holder together with them. So the lock is free when
 * all of them have ended, however they did.
 *
 * A holder that ends by itself writes into it why.
 */

/** Which descriptor it is that a holder inherits, after standard input, output and error. */
export const inheritedHold = 3;

function holdFile(stateDir: string, key: string): string {
  return path.join(stateDir, 'kernel', key);
}

/** Make the file of an injection, and lock it. @returns its descriptor */
export function createHold(stateDir: string, key: string): number {
  const file = holdFile(stateDir, key);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const fd = openSync(file, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600);
  if (!lockFile(fd)) throw new Error('a file that was just made is locked');
  return fd;
}

/**
 * Does somebody hold the probes? If nobody does, nobody ever will.
 */
export function isHeld(stateDir: string, key: string): boolean {
  const file = holdFile(stateDir, key);
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDWR);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
  try {
    if (!lockFile(fd)) return true;
    if (fstatSync(fd).nlink > 0) rmSync(file, { force: true });
    return false;
  } finally {
    closeSync(fd);
  }
}

/** For a holder: why it ends by itself. */
export function writeReason(reason: string): void {
  writeSync(inheritedHold, reason);
}

/** Why the holder has ended by itself; undefined: it lives, or something else has ended it. */
export function readReason(stateDir: string, key: string): string | undefined {
  try {
    return readFileSync(holdFile(stateDir, key), 'utf8') || undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
