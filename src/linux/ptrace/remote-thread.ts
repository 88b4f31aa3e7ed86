import type { SavedThread, Task, TraceArchitecture } from './arch.ts';
import { findCave, writeCave } from './code-cave.ts';
import { patience } from './patience.ts';
import { callHangs, killedMeanwhile, noRoom, syscallsRedirected } from './refusals.ts';
import {
  interrupt,
  NT_PRSTATUS,
  readRegisters,
  readSiginfo,
  readSignalMask,
  redirectsSyscalls,
  resume,
  type Waited,
  waitedFor,
  writeRegisters,
  writeSiginfo,
  writeSignalMask,
} from './requests.ts';
import { abortSequence } from './restartable-sequence.ts';
import type { StoppingProcess, TracedThread } from './stopping-process.ts';
import type { OpenMemory } from './target-memory.ts';
import { caughtSignals } from './thread-status.ts';
import { traceArchitecture } from './trace-architecture.ts';

const SIGSTOP = 19;
const SIGURG = 23;
const SIGWINCH = 28;

/** siginfo_t: si_code, and what it is for a signal that a thread sent itself or another. */
const SI_CODE_AT = 8;
const SI_TKILL = -6;

const ALL_SIGNALS = 0xffff_ffff_ffff_ffffn;
/** After a call was broken off. */
const GRACE_MS = 1000;

/** What is known of the process whose thread is to make calls. */
export interface RemoteTarget {
  readonly process: StoppingProcess;
  readonly thread: TracedThread;
  readonly memory: OpenMemory;
}

/**
 * One thread of a stopped process that runs our program (`arch.ts`).
 *
 * Killed at any moment, we leave the thread in one of these ways, and each is harmless:
 *
 * 1. Stopped, with its own registers and mask: before and after each run. It runs on.
 * 2. Stopped with the program's registers: after they were written and before they are taken back. It runs the program,
 *    whose calls are made, and comes home. That is why registers are written before the mask, and taken back after it:
 *    the other way round its mask would be lost.
 * 3. Running the program: the same.
 *
 * In ways 2 and 3 scratch memory stays mapped, and the signal that tells of the end may reach a handler, if the program
 * has one both for SIGURG and SIGWINCH. The one exception: a seccomp filter is in force again from that moment on, so
 * if it kills for one of the calls, it kills. That is a risk of the microseconds that a run takes.
 */
export class RemoteThread {
  readonly #process: StoppingProcess;
  readonly #thread: TracedThread;
  readonly #architecture: TraceArchitecture = traceArchitecture();
  readonly #saved: SavedThread;
  readonly #signal: number;
  readonly #timeoutMs: number;
  readonly #memory: OpenMemory;
  #programAt = 0;
  /** siginfo_t of a signal of the same number that was meant for the program. */
  #owed: Buffer | undefined;

  /**
   * Makes a stopped thread ready; nothing of it has changed yet.
   *
   * @throws FaultlineError TRACE_REFUSED syscall-dispatch; PROCESS_NOT_FOUND
   */
  constructor({ process, thread, memory }: RemoteTarget, timeoutMs: number) {
    this.#process = process;
    this.#thread = thread;
    this.#memory = memory;
    this.#timeoutMs = timeoutMs;
    const { tid } = thread;
    const registers = readRegisters(tid, NT_PRSTATUS);
    const mask = readSignalMask(tid);
    const caught = caughtSignals(process.pid, tid);
    if (typeof registers === 'number' || typeof mask === 'number' || caught === undefined) {
      throw killedMeanwhile(process.pid);
    }
    this.#saved = Object.freeze({ tid, registers: Buffer.from(registers), mask });
    if (redirectsSyscalls(tid)) throw syscallsRedirected(process.pid, tid);
    abortSequence(tid, this.#architecture, this.#saved.registers);
    this.#signal = handles(caught, SIGURG) && !handles(caught, SIGWINCH) ? SIGWINCH : SIGURG;
    this.#takeOverDebt();
  }

  get tid(): number {
    return this.#thread.tid;
  }

  get architecture(): TraceArchitecture {
    return this.#architecture;
  }

  get isAstray(): boolean {
    return this.#thread.isAstray;
  }

  /** A signal that an earlier run has kept from it. */
  #takeOverDebt(): void {
    if (this.#thread.owedSignal === 0) return;
    const siginfo = readSiginfo(this.tid);
    if (typeof siginfo !== 'number') this.#owed = Buffer.from(siginfo);
    this.#thread.owedSignal = 0;
  }

  /** Puts the program into the process. @throws FaultlineError TRACE_REFUSED no-room */
  install(): void {
    const { program } = this.#architecture;
    const cave = findCave(this.#process.pid, this.tid, this.#memory, program);
    if (cave === undefined) throw noRoom(this.#process.pid);
    this.#programAt = cave;
    const home = this.#architecture.home(this.#saved, cave);
    writeCave(this.tid, this.#memory, cave, Buffer.concat([program.code, home], program.length));
  }

  /** Takes the program out again, and leaves what there was. */
  remove(): void {
    if (this.#thread.isAstray) return;
    if (this.#programAt !== 0) {
      writeCave(this.tid, this.#memory, this.#programAt, new Uint8Array(this.#architecture.program.length));
    }
    this.#programAt = 0;
    if (this.#owed !== undefined && writeSiginfo(this.tid, this.#owed) >= 0) this.#thread.owedSignal = this.#signal;
  }

  /**
   * Has the thread do a task, and puts it back to where it was.
   *
   * @returns its registers at the end of the program
   * @throws FaultlineError PROCESS_NOT_FOUND; TRACE_REFUSED not-stopped: a call hangs
   */
  run(task: Task): Buffer {
    const registers = this.#architecture.registersFor(task, this.#saved, this.#programAt, this.#signal);
    this.#demand(writeRegisters(this.tid, NT_PRSTATUS, registers));
    try {
      this.#demand(writeSignalMask(this.tid, ALL_SIGNALS & ~bit(this.#signal)));
      this.#demand(resume(this.tid, 0));
      return this.#awaitEnd();
    } finally {
      this.#bringBack();
    }
  }

  #bringBack(): void {
    if (this.#thread.isAstray) return;
    // Failing means that it was killed: there is nothing else that these could fail of.
    writeSignalMask(this.tid, this.#saved.mask);
    this.#architecture.restore(this.#saved);
  }

  #demand(result: number): void {
    if (result >= 0) return;
    if (waitedFor(this.tid).kind === 'ended') this.#process.lose(this.#thread);
    throw killedMeanwhile(this.#process.pid);
  }

  #awaitEnd(): Buffer {
    const waiting = patience(this.#timeoutMs);
    for (;;) {
      const waited = waitedFor(this.tid);
      if (waited.kind === 'nothing') {
        if (waiting.isOver) return this.#breakOff();
        waiting.rest();
        continue;
      }
      if (waited.kind === 'signal' && waited.signal === this.#signal && this.#isOver()) {
        return this.#registers();
      }
      this.#goOn(waited);
    }
  }

  /** It stopped for our signal: at the end of the program, or has somebody else sent one? */
  #isOver(): boolean {
    const siginfo = readSiginfo(this.tid);
    const isOurs = typeof siginfo !== 'number' && siginfo.readInt32LE(SI_CODE_AT) === SI_TKILL;
    if (!isOurs && typeof siginfo !== 'number') this.#owed = Buffer.from(siginfo);
    return this.#architecture.programCounter(this.#registers()) === this.#programAt + this.#architecture.program.told;
  }

  #registers(): Buffer {
    const registers = readRegisters(this.tid, NT_PRSTATUS);
    if (typeof registers === 'number') throw killedMeanwhile(this.#process.pid);
    return Buffer.from(registers);
  }

  /** Stops that have nothing to do with our program. */
  #goOn(waited: Exclude<Waited, { readonly kind: 'nothing' }>): void {
    switch (waited.kind) {
      case 'ended':
      case 'lost':
        this.#process.lose(this.#thread);
        throw killedMeanwhile(this.#process.pid);
      case 'stopped':
        if (waited.byJobControl) this.#process.jobStopped = true;
        resume(this.tid, 0);
        return;
      case 'signal':
        // SIGSTOP cannot be blocked. It takes it, its process counts as stopped from now on, and it makes our calls.
        if (waited.signal !== SIGSTOP && waited.signal !== this.#signal) {
          throw new Error(`thread ${this.tid} took signal ${waited.signal} while it made calls for us`);
        }
        resume(this.tid, waited.signal === SIGSTOP ? SIGSTOP : 0);
    }
  }

  #breakOff(): never {
    const hangs = callHangs(this.#process.pid, this.tid, this.#timeoutMs);
    interrupt(this.tid);
    const waiting = patience(GRACE_MS);
    while (!waiting.isOver) {
      const waited = waitedFor(this.tid);
      if (waited.kind === 'stopped' || (waited.kind === 'signal' && waited.signal !== SIGSTOP)) throw hangs;
      if (waited.kind !== 'nothing') this.#goOn(waited);
      waiting.rest();
    }
    this.#thread.isAstray = true;
    throw hangs;
  }
}

function bit(signal: number): bigint {
  return 1n << BigInt(signal - 1);
}

function handles(caught: bigint, signal: number): boolean {
  return (caught & bit(signal)) !== 0n;
}
