import { reasonOf } from './reason.ts';
import type { Parts } from './prober.ts';
import { type Plan, type Result, Rounds } from './rounds.ts';

/** A plan for what only looks, one look at a time. */
export function lookEvery(everyMs: number, timeoutMs = Infinity): Plan {
  return { everyMs, timeoutMs, most: 1, whenBusy: 'skip', timed: false };
}

/** Looks again and again by a function whose rejections are failures. */
export function startLooking(
  plan: Plan,
  { clock, report }: Parts,
  look: (timeUp: AbortSignal) => Promise<Result> | Result,
): Rounds {
  return new Rounds(
    plan,
    clock,
    (finish) => {
      const timeUp = new AbortController();
      const fail = (error: unknown): void => finish({ failure: reasonOf(error) });
      new Promise<Result>((resolve) => {
        resolve(look(timeUp.signal));
      }).then(finish, fail);
      return () => timeUp.abort();
    },
    report,
  );
}
