import { FaultlineError } from '../base/error.ts';

/** What is being done for callers: so that a stop can wait for it, though the callers may have gone. */
export interface Work {
  /** Do something, unless the service is stopping. @throws {FaultlineError} SERVER_STOPPING */
  run<Result>(work: () => Promise<Result>): Promise<Result>;
  /** To be asked again by work that had to wait. @throws {FaultlineError} SERVER_STOPPING */
  refuseWhenClosed(): void;
  /** Take on nothing from now on. @returns when all that is under way is over */
  close(): Promise<void>;
}

export function workUnderWay(): Work {
  const underWay = new Set<Promise<unknown>>();
  let closed = false;
  function refuseWhenClosed(): void {
    if (!closed) return;
    throw new FaultlineError('SERVER_STOPPING', 'the service is stopping, and takes on nothing new', {
      hint: 'ask again when it is there again; what is live stays live',
    });
  }
  return Object.freeze<Work>({
    refuseWhenClosed,
    run: async (work) => {
      refuseWhenClosed();
      const doing = work();
      underWay.add(doing);
      try {
        return await doing;
      } finally {
        underWay.delete(doing);
      }
    },
    close: async () => {
      closed = true;
      await Promise.allSettled(underWay);
    },
  });
}
