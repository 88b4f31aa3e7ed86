import { type Limiter, limiter } from '../../base/concurrency.ts';
import { FaultlineError } from '../../base/error.ts';

/** How many may wait for their turn unless told otherwise. */
const defaultMaxWaiting = 2_000;

/**
 * At most `max` at a time, the others in the order of their coming, and no more of them than `maxWaiting`: a queue that
 * has no end only hides that the service cannot keep up.
 *
 * @returns what does the work at once or when it is its turn; it throws TOO_MANY_REQUESTS when too many are waiting
 */
export function concurrencyLimit(max: number, maxWaiting: number = defaultMaxWaiting): Limiter {
  return limiter(max, (waiting) => {
    if (waiting < maxWaiting) return;
    throw new FaultlineError('TOO_MANY_REQUESTS', `${max} attacks and recoveries are under way, ${maxWaiting} wait`, {
      hint: 'try again in a while, and send fewer at a time',
    });
  });
}
