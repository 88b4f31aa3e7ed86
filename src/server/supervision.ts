import type { FastifyBaseLogger } from 'fastify';
import { FaultlineError } from '../base/error.ts';
import type { Engine } from '../experiment/engine.ts';
import type { Repair } from '../experiment/repair.ts';
import { leftNoTrace } from '../experiment/supervise.ts';

/** How often the service looks for what others have left behind, in milliseconds. */
const periodMs = 1_000;

/** How long an injection is left alone whose repair left no trace in the journal, in milliseconds. */
const pauseMs = 15_000;

export interface Supervision {
  /** Resolves when what is being repaired is repaired. */
  stop(): Promise<void>;
}

function tell(log: FastifyBaseLogger, { uid, reason, outcome }: Repair): void {
  if (outcome instanceof FaultlineError) log.warn({ uid, reason, code: outcome.code }, outcome.message);
  else log.info({ uid, reason, state: outcome.record.state }, 'repaired what was left behind');
}

/** uids that are left alone until a moment, on the clock of `performance.now`. */
function pauses() {
  const untilMs = new Map<string, number>();
  return {
    add: (uid: string) => untilMs.set(uid, performance.now() + pauseMs),
    current: (): ReadonlySet<string> => {
      for (const [uid, ms] of untilMs) if (ms <= performance.now()) untilMs.delete(uid);
      return new Set(untilMs.keys());
    },
  };
}

/**
 * While the service runs, nothing stays behind: leases that have ended, injections whose command has died, and leases
 * whose keeper has died are looked for again and again, the first time at once.
 */
export function startSupervision(engine: Engine, log: FastifyBaseLogger): Supervision {
  const paused = pauses();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let turn = Promise.resolve();

  async function look(): Promise<void> {
    try {
      for (const repair of await engine.supervise(paused.current())) {
        tell(log, repair);
        if (leftNoTrace(repair)) paused.add(repair.uid);
      }
    } catch (error) {
      // The journal may be out of reach for a while; the service goes on looking.
      log.error({ err: error }, 'looking for what was left behind has failed');
    }
  }
  function next(): void {
    turn = look().finally(() => {
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
