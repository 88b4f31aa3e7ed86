import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { clearServer, readServer, type ServerRecord, setServer } from '../store/latches.ts';
import type { EngineContext } from './context.ts';
import { isRunning } from './ownership.ts';

/** The service that works on this state folder now, if one does. */
export function runningService(context: EngineContext): ServerRecord | undefined {
  const server = readServer(context.store);
  return server !== undefined && isRunning(server.identity) ? server : undefined;
}

/**
 * Become this folder's one service. One that was killed has left its record, which its identity unmasks.
 *
 * @param address where it answers, for whoever is refused
 * @throws {FaultlineError} SERVER_RUNNING
 */
export function enterService(context: EngineContext, address: string): Promise<void> {
  return context.timeline.write('server', () => {
    const server = runningService(context);
    if (server !== undefined && server.identity['pid'] !== context.self.pid) {
      const pid = Number(server.identity['pid']);
      throw new FaultlineError(
        'SERVER_RUNNING',
        `process ${pid} is the service of ${printable(context.stateDir)} already, on ${server.address}`,
        { hint: `end it first (kill ${pid}), or give this one a state folder of its own with --state-dir` },
      );
    }
    setServer(context.store, { identity: { ...context.self }, address });
  });
}

export function leaveService(context: EngineContext): Promise<void> {
  return context.timeline.write('server', () => {
    if (readServer(context.store)?.identity['pid'] === context.self.pid) clearServer(context.store);
  });
}
