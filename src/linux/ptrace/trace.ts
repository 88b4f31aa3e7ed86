import { patience } from './patience.ts';
import { withRemoteThread } from './remote.ts';
import { StoppingProcess, type TracedThread } from './stopping-process.ts';
import { type OpenMemory, openMemory } from './target-memory.ts';
import { killedMeanwhile, notStopped } from './refusals.ts';
import { traceArchitecture } from './trace-architecture.ts';
import type { Remote, RemoteOptions, StopOutcome, TracedProcess, TraceOptions, Tracing } from './traced-process.ts';
import { NT_PRSTATUS, readRegisters } from './requests.ts';

/** After the last word, for threads that are about to stop or to die. */
const RELEASE_MS = 50;

/**
 * Stops processes, lets `body` work with them, and lets them go on, whatever happens in between.
 *
 * Not from a process that is the parent of a target: whoever started it (`node:child_process`) would take its stops for
 * its own business. And not for long: targets stand still meanwhile.
 *
 * @param body must be synchronous
 * @throws FaultlineError ARCHITECTURE_UNSUPPORTED; what `body` throws
 */
export function traceProcesses<T>(options: TraceOptions, body: (tracing: Tracing) => T): T {
  const tracer = new Tracer(options.deadlineMs);
  try {
    return body(tracer);
  } finally {
    tracer.release();
  }
}

class Tracer implements Tracing {
  readonly #deadlineMs: number;
  /** All that we may have a hold on. */
  readonly #processes = new Map<number, StoppingProcess>();
  readonly #stopped = new Map<number, StoppedProcess>();

  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
    traceArchitecture();
  }

  get stopped(): readonly TracedProcess[] {
    return [...this.#stopped.values()];
  }

  get unreleased(): readonly number[] {
    return [...this.#processes.values()]
      .filter(({ pid }) => !this.#stopped.has(pid))
      .flatMap(({ heldThreads }) => heldThreads);
  }

  stop(pids: readonly number[]): readonly StopOutcome[] {
    const outcomes = new Map<number, StopOutcome>();
    const pending = new Set<StoppingProcess>();
    for (const pid of new Set(pids)) {
      const stopped = this.#stopped.get(pid);
      if (stopped !== undefined) outcomes.set(pid, Object.freeze({ kind: 'stopped', pid, process: stopped }));
      else pending.add(this.#begin(pid));
    }
    const waiting = patience(this.#deadlineMs);
    while (pending.size > 0) {
      const before = outcomes.size;
      for (const process of pending) {
        const outcome = this.#look(process, waiting.isTried) ?? (waiting.isOver ? this.#giveUp(process) : undefined);
        if (outcome === undefined) continue;
        outcomes.set(process.pid, outcome);
        pending.delete(process);
      }
      if (outcomes.size === before) waiting.rest();
    }
    return pids.flatMap((pid) => outcomes.get(pid) ?? []);
  }

  #begin(pid: number): StoppingProcess {
    const known = this.#processes.get(pid);
    // What could not be let go of the last time is still ours.
    known?.release();
    const process = known !== undefined && known.heldThreads.length > 0 ? known : new StoppingProcess(pid);
    this.#processes.set(pid, process);
    process.seizeNew();
    return process;
  }

  /** @returns undefined while it does not stand still */
  #look(process: StoppingProcess, thoroughly: boolean): StopOutcome | undefined {
    const { pid } = process;
    if (process.refusal === undefined) {
      if (!process.poll(thoroughly) || process.seizeNew()) return undefined;
      if (process.threads.length === 0) return this.#gone(process);
    }
    if (process.refusal !== undefined) return this.#refuse(process);
    const stopped = new StoppedProcess(process);
    this.#stopped.set(pid, stopped);
    return Object.freeze({ kind: 'stopped', pid, process: stopped });
  }

  #gone(process: StoppingProcess): StopOutcome {
    this.#forgetIfReleased(process);
    return Object.freeze({ kind: 'gone', pid: process.pid });
  }

  #giveUp(process: StoppingProcess): StopOutcome {
    process.refuse(notStopped(process.pid, process.unstopped ?? process.pid, this.#deadlineMs));
    return this.#refuse(process);
  }

  #refuse(process: StoppingProcess): StopOutcome {
    const { pid, refusal } = process;
    process.release();
    this.#forgetIfReleased(process);
    return refusal === undefined
      ? Object.freeze({ kind: 'gone', pid })
      : Object.freeze({ kind: 'refused', pid, error: refusal });
  }

  #forgetIfReleased(process: StoppingProcess): void {
    if (process.heldThreads.length === 0) this.#processes.delete(process.pid);
  }

  /** Lets everything go. What cannot be stays with us until our process ends, and the kernel lets go of it. */
  release(): void {
    const waiting = patience(RELEASE_MS);
    for (const process of this.#processes.values()) process.release();
    for (const stopped of this.#stopped.values()) stopped.close();
    this.#stopped.clear();
    for (;;) {
      for (const process of this.#processes.values()) this.#forgetIfReleased(process);
      if (this.#processes.size === 0 || waiting.isOver) return;
      waiting.rest();
      for (const process of this.#processes.values()) process.release();
    }
  }
}

class StoppedProcess implements TracedProcess {
  readonly #process: StoppingProcess;
  readonly memory: OpenMemory;

  constructor(process: StoppingProcess) {
    this.#process = process;
    this.memory = openMemory(process.pid, process.threads[0]?.tid ?? process.pid);
  }

  get pid(): number {
    return this.#process.pid;
  }

  get threads(): readonly number[] {
    return this.#process.threads.map(({ tid }) => tid);
  }

  get kernelWorkers(): readonly number[] {
    return [...this.#process.kernelWorkers];
  }

  get jobStopped(): boolean {
    return this.#process.jobStopped;
  }

  get repeatedCalls(): number {
    return this.#process.repeatedCalls;
  }

  withRemote<T>(options: RemoteOptions, body: (remote: Remote) => T): T {
    const thread = this.#thread(options.tid);
    return withRemoteThread({ process: this.#process, thread, memory: this.memory }, options, body);
  }

  /** The thread asked for, or the first one for which it does not matter. */
  #thread(tid: number | undefined): TracedThread {
    const usable = this.#process.threads.filter(({ isAstray }) => !isAstray);
    const thread =
      tid === undefined
        ? (usable.find((one) => !losesTime(one.tid)) ?? usable[0])
        : usable.find((one) => one.tid === tid);
    if (thread === undefined) throw killedMeanwhile(this.pid);
    return thread;
  }

  close(): void {
    this.memory.close();
  }
}

function losesTime(tid: number): boolean {
  const registers = readRegisters(tid, NT_PRSTATUS);
  return typeof registers !== 'number' && traceArchitecture().losesTime(tid, registers);
}
