import { statSync } from 'node:fs';
import type { FaultlineError } from '../../base/error.ts';
import { errnoNumber } from '../errno.ts';
import { isEndedState } from '../procfs/stat.ts';
import { listTasks, readTaskStat } from '../procfs/tasks.ts';
import { isErrno } from '../syscall-error.ts';
import { compatTask, seccompInTheWay, whyNotSeized } from './refusals.ts';
import { mayRepeat } from './interrupted-calls.ts';
import { detach, interrupt, NT_PRSTATUS, readRegisters, resume, seize, type Waited, waitedFor } from './requests.ts';
import { traceArchitecture } from './trace-architecture.ts';

/** A thread that we trace. */
export interface TracedThread {
  readonly tid: number;
  isStopped: boolean;
  /** A signal that it is to get when it is let go; it was taken from it while it made calls for us. */
  owedSignal: number;
  /** It is lost in a call of ours, and must not be touched any more: the program brings it home when we end. */
  isAstray: boolean;
}

const ESRCH = errnoNumber('ESRCH');

/** Whether the kernel suspends seccomp filters for us; unknown until it is asked for the first time. */
let suspendsSeccomp = true;

function seizeThread(tid: number): number {
  const seized = seize(tid, suspendsSeccomp);
  if (seized >= 0 || seized === -(ESRCH ?? 0) || !suspendsSeccomp) return seized;
  // Refused for this option's sake, or for the thread's: only without the option that can be told.
  const withoutOption = seize(tid, false);
  if (withoutOption >= 0) suspendsSeccomp = false;
  return withoutOption;
}

/**
 * One process on its way from running to standing still, and back.
 *
 * `seizeNew` asks the threads to stop and does not wait; `poll` looks which have. In between threads may come and go,
 * so the process stands still only when all that are known have stopped and a fresh look shows no other.
 *
 * If we are killed, whenever that is, the kernel detaches from all threads. One that stands still then runs on from
 * where it was; one that is about to stop does not. A signal that a thread was about to take is delivered.
 */
export class StoppingProcess {
  readonly pid: number;
  readonly kernelWorkers = new Set<number>();
  jobStopped = false;
  repeatedCalls = 0;
  readonly #threads = new Map<number, TracedThread>();
  /** Main threads that have ended before the others, of which we are still the tracer. */
  readonly #lingering = new Set<number>();
  #refusal: FaultlineError | undefined;

  constructor(pid: number) {
    this.pid = pid;
  }

  get threads(): readonly TracedThread[] {
    return [...this.#threads.values()];
  }

  /** Threads that we still trace, dead ones among them. */
  get heldThreads(): readonly number[] {
    return [...this.#threads.keys(), ...this.#lingering];
  }

  /** Why it cannot be traced; it is to be let go then. */
  get refusal(): FaultlineError | undefined {
    return this.#refusal;
  }

  /**
   * Takes hold of the threads that are not yet traced, and asks them to stop.
   *
   * @returns whether there were any, or may be: if so, look again when they have stopped
   */
  seizeNew(): boolean {
    const tids = listTasks(this.pid) ?? [];
    let any = false;
    for (const tid of tids) {
      if (this.#threads.has(tid) || this.kernelWorkers.has(tid)) continue;
      any = this.#seize(tid) || any;
      if (this.#refusal !== undefined) return false;
    }
    return any || countTasks(this.pid) !== tids.length;
  }

  #seize(tid: number): boolean {
    const seized = seizeThread(tid);
    if (seized >= 0) {
      this.#threads.set(tid, { tid, isStopped: false, owedSignal: 0, isAstray: false });
      interrupt(tid);
      if (!suspendsSeccomp && this.#threads.size === 1) this.#refusal = seccompInTheWay(this.pid);
      return true;
    }
    if (seized === -(ESRCH ?? 0)) return false;
    const why = whyNotSeized(this.pid, tid);
    if (why === 'kernel-worker') this.kernelWorkers.add(tid);
    else if (why !== 'ended') this.#refusal = why;
    return false;
  }

  /**
   * Looks at the threads that were asked to stop.
   *
   * @param thoroughly also whether one has ended without a word, which costs a look into /proc
   * @returns whether all stand still
   */
  poll(thoroughly: boolean): boolean {
    for (const thread of this.#unstopped()) this.#see(thread, waitedFor(thread.tid));
    if (thoroughly) {
      for (const thread of this.#unstopped()) if (isDead(this.pid, thread.tid)) this.#bury(thread);
    }
    return this.#unstopped().length === 0;
  }

  #unstopped(): readonly TracedThread[] {
    return this.threads.filter(({ isStopped }) => !isStopped);
  }

  #see(thread: TracedThread, waited: Waited): void {
    switch (waited.kind) {
      case 'nothing':
        return;
      case 'lost':
      case 'ended':
        this.#forget(thread);
        return;
      case 'signal':
        // It takes the signal first, be it into a handler or into a stop. Any stop uses up the request, so ask again.
        interrupt(thread.tid);
        resume(thread.tid, waited.signal);
        return;
      case 'stopped':
        thread.isStopped = true;
        if (waited.byJobControl) this.jobStopped = true;
        this.#mendCall(thread);
    }
  }

  #forget(thread: TracedThread): void {
    this.#threads.delete(thread.tid);
  }

  #bury(thread: TracedThread): void {
    this.#forget(thread);
    this.#lingering.add(thread.tid);
  }

  /** Has a call that our stop broke off made anew. */
  #mendCall({ tid }: TracedThread): void {
    const architecture = traceArchitecture();
    const registers = readRegisters(tid, NT_PRSTATUS);
    if (typeof registers === 'number') return;
    if (registers.byteLength !== architecture.registerBytes) {
      this.#refusal ??= compatTask(this.pid, tid);
      return;
    }
    const syscall = architecture.interruptedCall(tid, registers);
    if (syscall === undefined || !mayRepeat(syscall, architecture.name)) return;
    if (architecture.repeatCall(this.pid, tid, registers)) this.repeatedCalls += 1;
  }

  /** A thread that has not stopped yet. */
  get unstopped(): number | undefined {
    return this.#unstopped()[0]?.tid;
  }

  refuse(refusal: FaultlineError): void {
    this.#refusal = refusal;
  }

  /** Lets go of its threads, the main one's last, and forgets them, but for those that this is not possible with. */
  release(): void {
    for (const thread of [...this.#threads.values()].reverse()) if (this.#letGo(thread)) this.#forget(thread);
    for (const tid of this.#lingering) if (waitedFor(tid).kind !== 'nothing') this.#lingering.delete(tid);
  }

  /** A thread was killed while it was stopped. */
  lose(thread: TracedThread): void {
    this.#forget(thread);
  }

  #letGo(thread: TracedThread): boolean {
    if (thread.isAstray) return false;
    if (thread.isStopped && detach(thread.tid, thread.owedSignal) >= 0) return true;
    // It was never seen stopped, or was killed since. A word of it may be waiting, for which it waits, too.
    const waited = waitedFor(thread.tid);
    if (waited.kind === 'nothing') return false;
    if (waited.kind === 'ended' || waited.kind === 'lost') return true;
    return detach(thread.tid, waited.kind === 'signal' ? waited.signal : 0) >= 0;
  }
}

/** How many threads the kernel counts: the links of a folder are its subfolders and two. */
function countTasks(pid: number): number {
  try {
    return statSync(`/proc/${pid}/task`).nlink - 2;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return 0;
    throw error;
  }
}

/** A main thread that ends before the others stays as a zombie, of which waitpid says nothing until they have ended. */
function isDead(pid: number, tid: number): boolean {
  const state = readTaskStat(pid, tid)?.state;
  return state === undefined || isEndedState(state);
}
