import { mapRegion } from './memory.ts';
import { Control, type SharedState } from './shared-state.ts';
import type { SystemCalls } from './system-calls.ts';

/** What a thread is doing, as far as the others must know. */
const Busy = Object.freeze({ WORKING: 0, IN_RESERVE: 1 });

/** How long the lookout may be at one request before somebody else looks for the next ones. */
const guardMs = 5;
const EVENT_BYTES = 8;

interface Parts {
  readonly shared: SharedState;
  readonly calls: SystemCalls;
  /** Number of the thread, from 0. */
  readonly worker: number;
  readonly wakeFds: readonly number[];
}

/**
 * Which of the threads of a volume looks for requests: the leader of D. C. Schmidt's "Leader/Followers".
 *
 * One thread reads requests and serves them itself as long as they are quick, without a word to the others: waking one
 * of them takes longer than most requests do. Before it does something that may take its time it calls the next one.
 * And if it was wrong about that, the deputy, one of those in reserve, notices within milliseconds and takes its
 * place.
 *
 * Nothing depends on there being only one: two that read at the same time get different requests.
 */
export class Lookout {
  private readonly parts: Parts;
  private readonly control: Int32Array;
  private readonly me: number;
  private readonly event = mapRegion(EVENT_BYTES);
  private isDeputy = false;
  private handledBefore = -1;

  constructor(parts: Parts) {
    this.parts = parts;
    this.control = parts.shared.control;
    this.me = parts.worker + 1;
    this.event.put64(0, 1);
  }

  /** Whether this thread is to look for requests; it takes the place when it is free. */
  isMine(): boolean {
    const { control, me } = this;
    const now = Atomics.load(control, Control.LOOKOUT);
    return now === me || (now === 0 && Atomics.compareExchange(control, Control.LOOKOUT, 0, me) === 0);
  }

  /** A request was read, and is about to be served. */
  begin(): void {
    const { control } = this;
    control[Control.HANDLED] = ((control[Control.HANDLED] as number) + 1) | 0;
    Atomics.store(control, Control.HANDLING, 1);
    if (Atomics.load(control, Control.DEPUTY_SLEEPS) === 0) return;
    Atomics.store(control, Control.DEPUTY_SLEEPS, 0);
    const deputy = Atomics.load(control, Control.DEPUTY);
    if (deputy !== 0) this.wake(deputy - 1);
  }

  /** It was served. */
  end(): void {
    if (Atomics.load(this.control, Control.LOOKOUT) === this.me) Atomics.store(this.control, Control.HANDLING, 0);
  }

  /** What comes next may take long: somebody else is to look for requests meanwhile. */
  passOn(): void {
    const { control, me } = this;
    if (Atomics.load(control, Control.LOOKOUT) !== me) return;
    Atomics.store(control, Control.HANDLING, 0);
    const next = this.anyInReserve();
    Atomics.store(control, Control.LOOKOUT, next);
    if (next !== 0) {
      this.wake(next - 1);
      return;
    }
    // One of them may have come back in between, and have seen that the place was taken.
    const late = this.anyInReserve();
    if (late !== 0 && Atomics.compareExchange(control, Control.LOOKOUT, 0, late) === 0) this.wake(late - 1);
  }

  /** Wakes everybody: the volume has ended. */
  wakeAll(): void {
    for (let worker = 0; worker < this.parts.wakeFds.length; worker += 1) this.wake(worker);
  }

  /**
   * Waits until this thread is called.
   *
   * @param wait sleeps for so many ms at most
   * @param patienceMs when this thread has something to do by itself
   */
  inReserve(wait: (ms: number) => void, patienceMs: number): void {
    const { control, me } = this;
    const state = Control.BUSY + this.parts.worker;
    Atomics.store(control, state, Busy.IN_RESERVE);
    this.isDeputy = Atomics.compareExchange(control, Control.DEPUTY, 0, me) === 0;
    if (Atomics.load(control, Control.LOOKOUT) !== 0) {
      if (this.isDeputy) this.guard(wait, patienceMs);
      else wait(patienceMs);
    }
    if (this.isDeputy) Atomics.store(control, Control.DEPUTY, 0);
    Atomics.store(control, state, Busy.WORKING);
  }

  /** Looks after the lookout while there is something to do, and sleeps when there is not. */
  private guard(wait: (ms: number) => void, patienceMs: number): void {
    const { control, me } = this;
    const handled = Atomics.load(control, Control.HANDLED);
    const same = handled === this.handledBefore;
    this.handledBefore = handled;
    const isStuck = same && Atomics.load(control, Control.HANDLING) !== 0;
    const lookout = Atomics.load(control, Control.LOOKOUT);
    if (isStuck && lookout !== 0 && Atomics.compareExchange(control, Control.LOOKOUT, lookout, me) === lookout) {
      Atomics.store(control, Control.HANDLING, 0);
      return;
    }
    if (!same) {
      wait(Math.min(guardMs, patienceMs));
      return;
    }
    Atomics.store(control, Control.DEPUTY_SLEEPS, 1);
    // Whoever begins a request looks at this after it has counted it.
    if (Atomics.load(control, Control.HANDLED) === handled) wait(patienceMs);
    Atomics.store(control, Control.DEPUTY_SLEEPS, 0);
    this.handledBefore = -1;
  }

  /** One that waits, and rather not the deputy. @returns its number, from 1; 0: there is none */
  private anyInReserve(): number {
    const { control } = this;
    const deputy = Atomics.load(control, Control.DEPUTY);
    for (let worker = 0; worker < this.parts.wakeFds.length; worker += 1) {
      if (worker + 1 !== deputy && this.isInReserve(worker)) return worker + 1;
    }
    return deputy !== 0 && this.isInReserve(deputy - 1) ? deputy : 0;
  }

  private isInReserve(worker: number): boolean {
    return Atomics.load(this.control, Control.BUSY + worker) === Busy.IN_RESERVE;
  }

  private wake(worker: number): void {
    this.parts.calls.write(this.parts.wakeFds[worker] as number, this.event.address, EVENT_BYTES);
  }
}
