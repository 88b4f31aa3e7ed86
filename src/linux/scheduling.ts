import { bindUnchecked } from './libc.ts';

const getScheduler = bindUnchecked('sched_getscheduler', 'int', ['int']);
const setScheduler = bindUnchecked('sched_setscheduler', 'int', ['int', 'int', 'pointer']);

/** include/uapi/linux/sched.h */
const SCHED_OTHER = 0;
const SCHED_FIFO = 1;
const SCHED_RESET_ON_FORK = 0x4000_0000;

/** The calling thread: sched_setscheduler(2) takes a thread, not a process. */
const SELF = 0;

/**
 * Runs something for which others stand still before everything else on this processor: sched(7). It must be short, and
 * wait for nothing without giving the processor up. Without CAP_SYS_NICE it runs as ever.
 */
export function withPriority<T>(body: () => T): T {
  const isOrdinary = (getScheduler(SELF) & ~SCHED_RESET_ON_FORK) === SCHED_OTHER;
  const isRaised = isOrdinary && setScheduler(SELF, SCHED_FIFO | SCHED_RESET_ON_FORK, priority(1)) === 0;
  try {
    return body();
  } finally {
    // The flag may be set by anybody, and be taken away only by who has the capability.
    if (isRaised) setScheduler(SELF, SCHED_OTHER | SCHED_RESET_ON_FORK, priority(0));
  }
}

/** struct sched_param */
function priority(level: number): Buffer {
  const parameters = Buffer.alloc(4);
  parameters.writeInt32LE(level, 0);
  return parameters;
}
