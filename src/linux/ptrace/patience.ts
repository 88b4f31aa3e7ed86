import { bindUnchecked } from '../libc.ts';

const yieldProcessor = bindUnchecked('sched_yield', 'int', []);
const never = new Int32Array(new SharedArrayBuffer(4));

/** Waiting for something that takes microseconds as a rule, and may take for ever. */
export interface Patience {
  /** Waits for a moment, longer the more often it was asked. */
  rest(): void;
  /** Has it been so often that it is worth asking why? */
  readonly isTried: boolean;
  readonly isOver: boolean;
}

/** Rounds in which only the processor is offered to others, then such as sleep for a time, then longer ones. */
const YIELDS = 40;
const SHORT_RESTS = 100;
const SHORT_MS = 0.05;
const LONG_MS = 0.5;

export function patience(timeoutMs: number): Patience {
  const deadline = performance.now() + timeoutMs;
  let rounds = 0;
  return {
    rest() {
      rounds += 1;
      if (rounds <= YIELDS) yieldProcessor();
      else Atomics.wait(never, 0, 0, rounds <= YIELDS + SHORT_RESTS ? SHORT_MS : LONG_MS);
    },
    get isTried() {
      return rounds > YIELDS + 10;
    },
    get isOver() {
      return performance.now() > deadline;
    },
  };
}
