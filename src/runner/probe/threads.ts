import { Worker } from 'node:worker_threads';
import { threadFile } from '../../linux/thread.ts';
import type { ProbeSource } from '../experiment.ts';
import type { ProbeOrder } from './thread/order.ts';

/** A thread that probes, for as long as anybody has something for it to do. */
export interface ProbeThread {
  start(order: ProbeOrder): void;
  /** What has ended it, if so: a bug. */
  failure(): Error | undefined;
  /** Ends it, unless another probe is in it. */
  leave(): Promise<void>;
}

interface Running {
  readonly worker: Worker;
  users: number;
  failure: Error | undefined;
}

/**
 * What measures time is apart from what looks through processes and starts programs, which takes milliseconds. That is
 * all: one thread serves thousands of requests a second.
 */
type Name = 'timing' | 'looking';

const running = new Map<Name, Running>();

function nameFor(kind: ProbeSource['kind']): Name {
  return kind === 'http' || kind === 'tcp' ? 'timing' : 'looking';
}

function launch(name: Name): Running {
  const worker = new Worker(threadFile('probe-thread'), {
    name: `probe-${name}`,
    workerData: name,
    // Flags of Node are for the program, not for this.
    execArgv: [],
    // Descriptors of bindings are closed by whoever opened them.
    trackUnmanagedFds: false,
  });
  const launched: Running = { worker, users: 0, failure: undefined };
  const onEnd = (failure: Error): void => {
    launched.failure ??= failure;
    if (running.get(name) === launched) running.delete(name);
  };
  worker.on('error', (error) => onEnd(error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', () => onEnd(new Error('the thread of the probes has ended')));
  running.set(name, launched);
  return launched;
}

/** The thread for a kind of probe. Leave it when done. */
export function enterThread(kind: ProbeSource['kind']): ProbeThread {
  const name = nameFor(kind);
  const thread = running.get(name) ?? launch(name);
  thread.users++;
  return {
    start: (order) => thread.worker.postMessage(order, [order.port]),
    failure: () => thread.failure,
    leave: async () => {
      if (--thread.users > 0) return;
      if (running.get(name) === thread) running.delete(name);
      await thread.worker.terminate();
    },
  };
}
