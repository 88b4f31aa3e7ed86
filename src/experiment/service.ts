import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { lockFile } from '../linux/flock.ts';
import { clearServer, readServer, type ServerRecord, setServer } from '../store/latches.ts';
import type { EngineContext } from './context.ts';
import { isUnwritable } from './journal.ts';
import { isRunning } from './ownership.ts';

/*
 * One service a state folder. That there is one is a lock on a file, which the kernel lets go of however the service
 * ends, and which holds across PID namespaces. Who it is and where it answers is a row of the journal, for others to
 * read.
 */

/** The service that works on this state folder now, if one does. */
export function runningService(context: EngineContext): ServerRecord | undefined {
  const server = readServer(context.store);
  return server !== undefined && isRunning(server.identity) ? server : undefined;
}

function running(context: EngineContext): FaultlineError {
  const server = readServer(context.store);
  const who = server === undefined ? 'another process' : `process ${Number(server.identity['pid'])}`;
  const where = server === undefined ? '' : `, on ${server.address}`;
  const hint = server === undefined ? 'end it first' : `end it first (kill ${Number(server.identity['pid'])})`;
  return new FaultlineError(
    'SERVER_RUNNING',
    `${who} is the service of ${printable(context.stateDir)} already${where}`,
    { hint: `${hint}, or give this one a state folder of its own with --state-dir` },
  );
}

/** Locks of this process, by state folder. */
const locks = new Map<string, number>();

/** @returns undefined where there is no room for the file: then only the row tells of a service */
function openLock(stateDir: string): number | undefined {
  try {
    return openSync(join(stateDir, 'service.lock'), 'a', 0o600);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOSPC' || code === 'EROFS' || code === 'EDQUOT') return undefined;
    throw error;
  }
}

/** @throws {FaultlineError} SERVER_RUNNING */
function lock(context: EngineContext): void {
  const { stateDir } = context;
  if (locks.has(stateDir)) return;
  const known = runningService(context); // makes the folder, too, where it is not there yet
  const fd = openLock(stateDir);
  if (fd === undefined) {
    if (known !== undefined) throw running(context);
    return;
  }
  if (!lockFile(fd)) {
    closeSync(fd);
    throw running(context);
  }
  locks.set(stateDir, fd);
}

/**
 * Become this folder's one service, or tell the others another address.
 *
 * @param address where it answers, for whoever is refused
 * @returns why that could not be written down, if so: on a full disk, too, there is much to undo
 * @throws {FaultlineError} SERVER_RUNNING
 */
export async function enterService(context: EngineContext, address: string): Promise<FaultlineError | undefined> {
  lock(context);
  try {
    await context.timeline.write('server', () => {
      setServer(context.store, { identity: { ...context.self }, address });
    });
    return undefined;
  } catch (error) {
    if (isUnwritable(error)) return error;
    throw error;
  }
}

export async function leaveService(context: EngineContext): Promise<void> {
  try {
    await context.timeline.write('server', () => {
      if (readServer(context.store)?.identity['pid'] === context.self.pid) clearServer(context.store);
    });
  } catch (error) {
    // Its identity says that it is gone.
    if (!isUnwritable(error)) throw error;
  } finally {
    const fd = locks.get(context.stateDir);
    if (fd !== undefined) closeSync(fd);
    locks.delete(context.stateDir);
  }
}
