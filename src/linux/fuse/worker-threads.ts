import { Worker } from 'node:worker_threads';
import { lastErrno } from '../libc.ts';
import { SyscallError } from '../syscall-error.ts';
import { mapRegion } from './memory.ts';
import type { SystemCalls } from './system-calls.ts';
import type { WorkerMessage } from './worker-loop.ts';
import type { WorkerOptions } from './worker-setup.ts';

/** Something that should not happen, while the volume is still served. */
export interface WorkerFailure {
  readonly worker: number;
  readonly error: Error;
}

interface Parts {
  readonly file: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly count: number;
  readonly calls: SystemCalls;
  readonly fuse: Omit<WorkerOptions, 'worker' | 'wakeFds'>;
  readonly onFailure: (failure: WorkerFailure) => void;
}

/** include/uapi/linux/eventfd.h: EFD_CLOEXEC | EFD_NONBLOCK. */
const EVENT_FLAGS = 0x8_0000 | 0x800;
const EVENT_BYTES = 8;

/** The threads that serve a volume. */
export class WorkerThreads {
  /** Settles when the first one serves; the others follow, so that nobody waits for them. Rejects when it could not. */
  readonly started: Promise<void>;
  /** Settles when all of them have ended because there is nothing to serve; rejects when all have failed. */
  readonly ended: Promise<void>;
  hasEnded = false;
  private readonly parts: Parts;
  private readonly wakeFds: readonly number[];

  constructor(parts: Parts) {
    this.parts = parts;
    this.wakeFds = Array.from({ length: parts.count }, () => this.createEvent());
    const first = this.start(0);
    this.started = first.serving;
    const startOthers = () => this.wakeFds.slice(1).map((_, index) => this.start(index + 1));
    const others = first.serving.then(startOthers, () => []);
    const ends = others.then((threads) => Promise.allSettled([first, ...threads].map(({ ended }) => ended)));
    this.ended = ends.then((results) => {
      this.hasEnded = true;
      for (const wake of this.wakeFds) parts.calls.close(wake);
      const failed = results.filter((result) => result.status === 'rejected');
      if (failed.length === results.length) throw failed[0]?.reason as Error;
    });
    this.ended.catch(() => undefined);
  }

  /** Has all of them look at what has changed. */
  wake(): void {
    if (this.hasEnded) return;
    const memory = mapRegion(EVENT_BYTES);
    memory.put64(0, 1);
    for (const wake of this.wakeFds) this.parts.calls.write(wake, memory.address, EVENT_BYTES);
  }

  private createEvent(): number {
    const event = this.parts.calls.eventfd(0, EVENT_FLAGS);
    if (event < 0) throw new SyscallError('eventfd', lastErrno());
    return event;
  }

  private start(worker: number): { readonly serving: Promise<void>; readonly ended: Promise<void> } {
    const { file, data, fuse, onFailure } = this.parts;
    const options: WorkerOptions = { ...fuse, worker, wakeFds: this.wakeFds };
    const thread = new Worker(file, {
      workerData: { ...data, fuse: options },
      execArgv: [],
      name: `fuse-${worker}`,
      // Otherwise it closes once more what it has opened when it ends: by then somebody else's, under the same number.
      trackUnmanagedFds: false,
    });
    let failure: Error | undefined;
    const ended = new Promise<void>((resolve, reject) => {
      thread.on('error', (error) => {
        failure = error instanceof Error ? error : new Error(String(error));
        onFailure({ worker, error: failure });
      });
      thread.on('exit', () => {
        if (failure === undefined) resolve();
        else reject(failure);
      });
    });
    const serving = new Promise<void>((resolve, reject) => {
      thread.on('message', (message: WorkerMessage) => {
        if (message.kind === 'serving') resolve();
        else onFailure({ worker, error: message.error });
      });
      ended.then(() => {
        reject(new Error(`thread ${worker} has ended before it began`));
      }, reject);
    });
    serving.catch(() => undefined);
    return { serving, ended };
  }
}
