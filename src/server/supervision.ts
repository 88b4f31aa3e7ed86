import type { FastifyBaseLogger } from 'fastify';
import { FaultlineError } from '../base/error.ts';
import type { Engine } from '../experiment/engine.ts';

/** How often the service looks for what others have left behind, in milliseconds. */
const periodMs = 1_000;

export interface Supervision {
  /** Resolves when what is being repaired is repaired. */
  stop(): Promise<void>;
}

async function superviseOnce(engine: Engine, log: FastifyBaseLogger): Promise<void> {
  try {
    for (const { uid, reason, outcome } of await engine.supervise()) {
      if (outcome instanceof FaultlineError) log.warn({ uid, reason, code: outcome.code }, outcome.message);
      else log.info({ uid, reason, state: outcome.record.state }, 'repaired what was left behind');
    }
  } catch (error) {
    // The journal may be out of reach for a while; the service goes on looking.
    log.error({ err: error }, 'looking for what was left behind has failed');
  }
}

/**
 * While the service runs, nothing stays behind: leases that have ended, injections whose command has died, and leases
 * whose keeper has died are looked for again and again, the first time at once.
 */
export function startSupervision(engine: Engine, log: FastifyBaseLogger): Supervision {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let turn = Promise.resolve();
  function next(): void {
    turn = superviseOnce(engine, log).finally(() => {
      if (!stopped) timer = setTimeout(next, periodMs);
    });
  }
  next();
  return Object.freeze({
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      return turn;
    },
  });
}
