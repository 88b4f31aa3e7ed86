import { FaultlineError } from '../../base/error.ts';

/** How many may wait for their turn unless told otherwise. */
const defaultMaxWaiting = 2_000;

/** Does the work at once or when it is its turn. @throws {FaultlineError} TOO_MANY_REQUESTS: too many are waiting */
export type ConcurrencyLimit = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * At most `max` at a time, the others in the order of their coming, and no more of them than `maxWaiting`: a queue that
 * has no end only hides that the service cannot keep up.
 */
export function concurrencyLimit(max: number, maxWaiting: number = defaultMaxWaiting): ConcurrencyLimit {
  const waiting = new Set<() => void>();
  let running = 0;
  function leave(): void {
    const [next] = waiting;
    if (next === undefined) {
      running -= 1;
      return;
    }
    // The place is handed over, so that nobody who comes just now takes it.
    waiting.delete(next);
    next();
  }
  async function enter(): Promise<void> {
    if (running < max) {
      running += 1;
      return;
    }
    if (waiting.size >= maxWaiting) {
      throw new FaultlineError('TOO_MANY_REQUESTS', `${max} attacks and recoveries are under way, ${maxWaiting} wait`, {
        hint: 'try again in a while, and send fewer at a time',
      });
    }
    await new Promise<void>((resolve) => {
      waiting.add(resolve);
    });
  }
  return async (work) => {
    await enter();
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
