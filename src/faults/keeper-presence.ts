import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { isLocked, lockShared } from '../linux/shared-lock.ts';
import { isErrno } from '../linux/syscall-error.ts';

/*
 * Is a keeper there? A process of a fault that must not outlive its keeper can ask so without the journal. Each keeper
 * shares a lock on one file, from before it takes office until it ends, however it does. So a keeper that takes over
 * from one that is stopped leaves no gap, no number of a process can be mistaken, and nothing has to be cleaned up.
 */

function presenceFile(stateDir: string): string {
  return path.join(stateDir, 'keeper.lock');
}

/** Be present, as a keeper of this state folder. @returns what ends it */
export function announceKeeper(stateDir: string): () => void {
  const fd = openSync(presenceFile(stateDir), 'a+', 0o600);
  try {
    lockShared(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return () => {
    closeSync(fd);
  };
}

/** Is there a keeper, perhaps one that is only about to take office? Where the folder is gone, nobody keeps it. */
export function keeperIsPresent(stateDir: string): boolean {
  let fd: number;
  try {
    // Opened each time: the folder may have been removed and made anew.
    fd = openSync(presenceFile(stateDir), 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
  try {
    return isLocked(fd);
  } finally {
    closeSync(fd);
  }
}
