import { parentPort } from 'node:worker_threads';
import { Errno } from '../errno.ts';
import { lastErrno } from '../libc.ts';
import { wakeOnTime } from '../prctl.ts';
import { SyscallError } from '../syscall-error.ts';
import { Answer, type DataPlane, type Handler } from './data-plane.ts';
import { createDataPlane, type WorkerOptions } from './worker-setup.ts';
import { type Delayed, DelayedRequests } from './delayed.ts';
import { handlerOf } from './handlers/table.ts';
import { undoUnheard } from './handlers/unheard.ts';
import type { Interposer, Ruling } from './interposer.ts';
import { Lookout } from './lookout.ts';
import { interruptIn } from './layouts.ts';
import { lock, unlock } from './mutex.ts';
import { UNKNOWN_INTEREST } from './paths.ts';
import { Opcode } from './protocol.ts';
import { isQuick } from './quickness.ts';
import { Request } from './request.ts';
import { Control, INTERRUPT_RING } from './shared-state.ts';
import { Waiting } from './waiting.ts';

/** How long a lock that somebody holds is left alone before it is tried again: at first, and at most. */
const firstRetryMs = 1;
const lastRetryMs = 16;
/** Memory of requests that is larger than this is given back after use. */
const largeRequest = 65_536;
const MADV_DONTNEED = 4;

/** How it ended. */
interface WorkerEnd {
  readonly requests: number;
}

/**
 * Serves a volume until it is unmounted and nobody has a file of it open any more. Blocks the thread.
 *
 * @param options what `startFuseSession` has put into `workerData` as `fuse`
 * @throws SyscallError when the thread cannot be set up, or /dev/fuse fails in a way that it never should
 */
export function serve(options: WorkerOptions, interposer: Interposer): WorkerEnd {
  wakeOnTime();
  const loop = new WorkerLoop(options, interposer);
  tell({ kind: 'serving' });
  return loop.run();
}

/** What a thread says to the main thread while it serves. */
export type WorkerMessage =
  | { readonly kind: 'serving' }
  /** A request was answered with EIO because of it. */
  | { readonly kind: 'failure'; readonly error: Error };

function tell(message: WorkerMessage): void {
  parentPort?.postMessage(message, []);
}

class WorkerLoop {
  private readonly options: WorkerOptions;
  private readonly plane: DataPlane;
  private readonly device: number;
  private readonly lookout: Lookout;
  /** For requests, and in reserve. */
  private readonly waiting: Waiting;
  private readonly resting: Waiting;
  private readonly delayed = new DelayedRequests();
  private readonly spare: Request[] = [];
  private request: Request;
  private interruptsSeen = 0;
  private lookUntilMs = 0;
  private released = false;
  private requests = 0;

  constructor(options: WorkerOptions, interposer: Interposer) {
    const { plane, device } = createDataPlane(options, interposer);
    this.options = options;
    this.plane = plane;
    this.device = device;
    const call = options.wakeFds[options.worker] as number;
    this.lookout = new Lookout({ ...options, shared: plane.shared, calls: plane.calls });
    this.waiting = new Waiting(plane.calls, call, device);
    this.resting = new Waiting(plane.calls, call);
    this.request = new Request(options.agreement.maxWrite);
    this.interruptsSeen = plane.shared.control[Control.INTERRUPTS] as number;
  }

  run(): WorkerEnd {
    const { plane, lookout } = this;
    try {
      while (Atomics.load(plane.shared.control, Control.ENDED) === 0) {
        if (this.delayed.size > 0) this.serveDelayed();
        if (lookout.isMine()) this.look();
        else this.rest();
      }
    } finally {
      // Whatever this thread has read and not answered ends with it.
      lookout.passOn();
      this.waiting.close();
      this.resting.close();
      plane.calls.close(this.device);
    }
    return { requests: this.requests };
  }

  /** Reads a request and serves it, or waits for the next one. */
  private look(): void {
    const { plane, lookout, request } = this;
    const length = plane.calls.read(this.device, request.memory.address, request.capacity);
    if (length > 0) {
      lookout.begin();
      this.begin(request);
      lookout.end();
      this.lookUntilMs = 0;
      return;
    }
    const errno = lastErrno();
    if (errno === Errno.EAGAIN) {
      this.pause();
    } else if (errno === Errno.ENODEV) {
      Atomics.store(plane.shared.control, Control.ENDED, 1);
      lookout.wakeAll();
    } else if (errno !== Errno.EINTR && errno !== Errno.ENOENT) {
      // ENOENT: the request was given up at this very moment.
      throw new SyscallError('read', errno, '/dev/fuse');
    }
  }

  /**
   * There is nothing to do at the moment. Who makes one request after the other makes the next one within microseconds,
   * and being woken for it would take longer than all the rest: so it is looked for a little longer before sleeping.
   */
  private pause(): void {
    const { lookMs } = this.options;
    if (lookMs > 0) {
      const now = performance.now();
      if (this.lookUntilMs === 0) this.lookUntilMs = now + lookMs;
      if (now < this.lookUntilMs) return;
    }
    this.sleep((ms) => {
      this.waiting.wait(ms);
    });
  }

  private rest(): void {
    this.sleep((ms) => {
      this.lookout.inReserve((atMostMs) => {
        this.resting.wait(atMostMs);
      }, ms);
    });
  }

  /** @param wait sleeps for so many ms at most */
  private sleep(wait: (ms: number) => void): void {
    if (this.delayed.size === 0) {
      wait(Infinity);
      return;
    }
    // Whoever interrupts looks at the count after it has written the interruption, and we the other way round.
    this.announceDelayed();
    if (!this.hasNews()) wait(this.delayed.nextDueMs() - performance.now());
  }

  private hasNews(): boolean {
    const { control } = this.plane.shared;
    return (
      Atomics.load(control, Control.INTERRUPTS) !== this.interruptsSeen ||
      (Atomics.load(control, Control.STOPPING) !== 0 && !this.released)
    );
  }

  private announceDelayed(): void {
    Atomics.store(this.plane.shared.control, Control.DELAYED + this.options.worker, this.delayed.size);
  }

  /** Serves a request that was just read, or puts it off. */
  private begin(request: Request): void {
    const { plane } = this;
    this.requests += 1;
    plane.shared.control[Control.REQUESTS + this.options.worker] = this.requests | 0;
    if (request.opcode === Opcode.INTERRUPT) {
      this.interrupt(request);
      return;
    }
    const ruling = this.consult(request);
    const { nameInterest } = plane.interposition;
    plane.descriptors.releaseAll();
    if (ruling === undefined || ruling.delayMs <= 0) {
      this.perform({ request, dueMs: 0, ruling, nameInterest, attempts: 0 });
    } else {
      this.putOff({ request, dueMs: performance.now() + ruling.delayMs, ruling, attempts: 0 });
    }
  }

  private consult(request: Request): Ruling | undefined {
    try {
      return this.plane.interposition.consult(request);
    } catch (error) {
      tell({ kind: 'failure', error: asError(error) });
      return undefined;
    }
  }

  private putOff(delayed: Omit<Delayed, 'nameInterest'>): void {
    // The rules may be others when its time comes.
    this.delayed.add({ ...delayed, nameInterest: UNKNOWN_INTEREST });
    this.announceDelayed();
    if (delayed.request === this.request) this.request = this.spare.pop() ?? new Request(this.plane.agreement.maxWrite);
  }

  /** Does what is asked for, as it is to be different, and answers. */
  private perform(delayed: Delayed): void {
    const { plane, device } = this;
    const { request, ruling, nameInterest, attempts } = delayed;
    plane.ruling = ruling;
    plane.nameInterest = nameInterest;
    plane.attempts = attempts;
    if (!isQuick(request, plane.shared, plane.fileSystems)) this.lookout.passOn();
    const fails = ruling !== undefined && ruling.errno !== 0;
    const result = fails ? this.fail(request, ruling.errno) : this.handle(handlerOf[request.opcode], request);
    plane.descriptors.releaseAll();
    plane.descriptors.trim();
    if (result === Answer.RETRY) {
      const pauseMs = Math.min(firstRetryMs << Math.min(attempts, 10), lastRetryMs);
      this.putOff({ ...delayed, dueMs: performance.now() + pauseMs, attempts: attempts + 1 });
      return;
    }
    if (result !== Answer.NONE && plane.reply.send(device, request, result) < 0) {
      undoUnheard(plane, request, result);
    }
    if (request !== this.request) this.recycle(request);
  }

  private handle(handler: Handler | undefined, request: Request): number {
    if (handler === undefined) return -Errno.ENOSYS;
    try {
      return handler(this.plane, request);
    } catch (error) {
      tell({ kind: 'failure', error: asError(error) });
      return -Errno.EIO;
    }
  }

  /** What closes something is done all the same: the kernel does not ask again. */
  private fail(request: Request, errno: number): number {
    const { opcode } = request;
    const closes = opcode === Opcode.FLUSH || opcode === Opcode.RELEASE || opcode === Opcode.RELEASEDIR;
    if (closes) handlerOf[opcode]?.(this.plane, request);
    return -errno;
  }

  private recycle(request: Request): void {
    const { memory, length } = request;
    if (length > largeRequest) {
      // The first page, where the header is, is not wholly ours.
      const page = 4096;
      const begin = Math.ceil(memory.address / page) * page;
      this.plane.calls.madvise(
        begin,
        Math.floor((memory.address + request.capacity - begin) / page) * page,
        MADV_DONTNEED,
      );
    }
    this.spare.push(request);
  }

  private serveDelayed(): void {
    const { control } = this.plane.shared;
    this.takeInterrupts();
    if (Atomics.load(control, Control.STOPPING) !== 0 && !this.released) this.releaseAll();
    const now = performance.now();
    for (let due = this.delayed.takeDue(now); due !== undefined; due = this.delayed.takeDue(now)) this.perform(due);
    this.announceDelayed();
  }

  /** The end has begun: nobody waits any longer, except for locks that others hold. */
  private releaseAll(): void {
    this.released = true;
    const all: Delayed[] = [];
    for (let next = this.delayed.takeDue(Infinity); next !== undefined; next = this.delayed.takeDue(Infinity)) {
      all.push(next);
    }
    for (const delayed of all) {
      if (delayed.attempts > 0) this.delayed.add(delayed);
      else this.perform({ ...delayed, ruling: undefined });
    }
  }

  /** Somebody does not want to wait any more. Which thread has the request nobody knows, so all are told. */
  private interrupt(request: Request): void {
    const { shared, calls, scratch } = this.plane;
    const { control } = shared;
    lock(control, Control.INTERRUPTS_MUTEX);
    const count = control[Control.INTERRUPTS] as number;
    const at = count & (INTERRUPT_RING - 1);
    shared.interruptsLow[at] = request.u32(interruptIn.unique);
    shared.interruptsHigh[at] = request.u32(interruptIn.unique + 1);
    Atomics.store(control, Control.INTERRUPTS, count + 1);
    unlock(control, Control.INTERRUPTS_MUTEX);
    scratch.region.put64(scratch.argumentWord, 1);
    for (const [worker, wake] of this.options.wakeFds.entries()) {
      const waits = Atomics.load(control, Control.DELAYED + worker) > 0;
      if (waits && worker !== this.options.worker) calls.write(wake, scratch.argument, 8);
    }
  }

  private takeInterrupts(): void {
    const { control, interruptsLow, interruptsHigh } = this.plane.shared;
    const told = Atomics.load(control, Control.INTERRUPTS);
    // While nothing waited nobody has looked; and who is behind by more has lost the older ones.
    if (told - this.interruptsSeen > INTERRUPT_RING) this.interruptsSeen = told - INTERRUPT_RING;
    for (; this.interruptsSeen !== told; this.interruptsSeen = (this.interruptsSeen + 1) | 0) {
      const at = this.interruptsSeen & (INTERRUPT_RING - 1);
      const unique = BigInt(interruptsLow[at] as number) | (BigInt(interruptsHigh[at] as number) << 32n);
      const found = this.delayed.takeByUnique(unique);
      if (found !== undefined) {
        this.plane.reply.send(this.device, found.request, -Errno.EINTR);
        this.recycle(found.request);
      }
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
