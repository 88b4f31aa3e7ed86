import type { MessagePort } from 'node:worker_threads';
import type { ProbeSource } from '../../experiment.ts';

/** What a thread is told to probe. */
export interface ProbeOrder {
  readonly source: ProbeSource;
  /** Zero of the run's clock, on that of `hrtimeMs`. */
  readonly epochMs: number;
  /** The PID of the command that runs, which leads a group, or 0: whoever ends the thread has to end that, too. */
  readonly leader: Int32Array;
  /** Outcomes go out here; any message that comes in says that it is over. */
  readonly port: MessagePort;
}

/** Milliseconds of CLOCK_MONOTONIC: the same in all threads. */
export function hrtimeMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
