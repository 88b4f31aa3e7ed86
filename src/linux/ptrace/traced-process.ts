/**
 * What can be done with a process while all of its threads stand still: look at its memory, and have it make system
 * calls. `traceProcesses` in `trace.ts` is the way in.
 *
 * Everything here is synchronous, and must be: ptrace answers only to the thread that traces, and while that thread
 * waits for anything else, targets stand still.
 */
import type { FaultlineError } from '../../base/error.ts';
import type { RemoteSyscall } from './remote-syscalls.ts';

/** Why a process cannot be traced, or its threads cannot make calls for us: `details.reason` of TRACE_REFUSED. */
export type TraceRefusal =
  /** Somebody traces it already; `details.tracerPid` is who. */
  | 'already-traced'
  /** A task of another ABI than ours: 32-bit on a 64-bit kernel. */
  | 'compat-task'
  /** A thread did not stop in time; `details` has `tid`, `waitChannel` and `syscall`. */
  | 'not-stopped'
  /** A capability is missing, or a security module says no. */
  | 'not-permitted'
  /** It has a seccomp filter, and this kernel or our rights do not allow us to lay it aside. */
  | 'seccomp'
  /** Its system calls are redirected to itself (Syscall User Dispatch, as Wine has them). */
  | 'syscall-dispatch'
  /** Its executable mappings have no unused bytes for the few instructions that we need. */
  | 'no-room'
  /** It is the process that traces, whose threads cannot trace each other. */
  | 'ourselves';

export interface TraceOptions {
  /** How long the threads of a process may take to stop, in milliseconds, from the call of `stop` on. */
  readonly deadlineMs: number;
}

/** A hold on processes that stand still, good until `traceProcesses` comes back. */
export interface Tracing {
  /**
   * Stops processes with all of their threads, and comes back when they stand still. Stops overlap, so that many
   * processes stand still little longer than one would.
   *
   * May be called again, for processes that were forked meanwhile. One that is stopped already is not stopped twice.
   * What is refused runs on as if nothing had been. Whether a PID still means the process that was meant is for the
   * caller to see afterwards (its start time): while it is stopped here it cannot end and be another's.
   *
   * @returns what became of each PID, in the order of the question
   */
  stop(pids: readonly number[]): readonly StopOutcome[];
  /** All that are stopped, in the order in which they were. */
  readonly stopped: readonly TracedProcess[];
  /**
   * Threads that were asked to stop, did not in time, and cannot be let go of since: the kernel detaches from a thread
   * only while it is stopped, or when the tracer ends. They run; but should one come to a stop, it stays there until we
   * end. So if this is not empty, the process that traces must end soon.
   */
  readonly unreleased: readonly number[];
}

export type StopOutcome =
  | { readonly kind: 'stopped'; readonly pid: number; readonly process: TracedProcess }
  | { readonly kind: 'gone'; readonly pid: number }
  /** TRACE_REFUSED, with a `TraceRefusal` in `details.reason`. */
  | { readonly kind: 'refused'; readonly pid: number; readonly error: FaultlineError };

/** A process whose threads all stand still. */
export interface TracedProcess {
  readonly pid: number;
  /** Thread IDs, the main thread's first unless it has ended. */
  readonly threads: readonly number[];
  /** Threads that the kernel runs for it and that cannot be stopped: workers of io_uring and vhost. */
  readonly kernelWorkers: readonly number[];
  /** It was stopped by SIGSTOP or its like before, and will be afterwards. */
  readonly jobStopped: boolean;
  /** System calls that our stop broke off with EINTR, and that will be made anew, as if nothing had been. */
  readonly repeatedCalls: number;
  readonly memory: TargetMemory;
  /**
   * Has one of its threads make system calls. The thread gets a table and scratch memory mapped, which are unmapped
   * afterwards, also when `body` throws.
   *
   * @throws FaultlineError TRACE_REFUSED (`no-room`, `seccomp`, `syscall-dispatch`); PROCESS_NOT_FOUND: it was killed
   * @throws SyscallError it may not map memory (ENOMEM)
   */
  withRemote<T>(options: RemoteOptions, body: (remote: Remote) => T): T;
}

/**
 * Memory of a stopped process. Protections do not count: what is mapped can be read and written, as a debugger does.
 */
export interface TargetMemory {
  /** @throws SyscallError EIO: not all of it is mapped */
  read(address: number, length: number): Buffer;
  /** Fills `into` and allocates nothing. @throws SyscallError EIO: not all of it is mapped */
  readInto(address: number, into: Uint8Array): void;
  /** @throws SyscallError EIO: not all of it is mapped, or a shared mapping that is not writable */
  write(address: number, bytes: Uint8Array): void;
}

export interface RemoteOptions {
  /**
   * The thread that makes the calls; by default one that is the least trouble. Give one where threads have tables of
   * open files, or folders, of their own.
   */
  readonly tid?: number;
  /** Scratch memory for what the calls point to, in bytes. By default 16 KiB; `passFds` takes none of it. */
  readonly scratchBytes?: number;
  /** How long a batch may take before it is broken off, in milliseconds. By default 5000. */
  readonly batchTimeoutMs?: number;
}

/**
 * A call by name and up to six arguments; missing ones are 0. Arguments are integers, addresses, or small negatives.
 */
export type RemoteCall = readonly [name: RemoteSyscall, ...values: readonly number[]];

/** One thread of a stopped process that makes system calls for us. */
export interface Remote {
  readonly tid: number;
  /** Scratch memory in the target, readable and writable for it, and zero at first. */
  readonly scratch: { readonly address: number; readonly bytes: number };
  /**
   * Makes calls one after the other, each whatever became of the one before.
   *
   * @returns what each returned: 0 or more, or the negative errno
   * @throws FaultlineError PROCESS_NOT_FOUND: it was killed meanwhile; TRACE_REFUSED `not-stopped`: a call did not come
   *   back in time
   */
  calls(batch: readonly RemoteCall[]): number[];
  /** One call. @throws SyscallError it failed */
  call(...call: RemoteCall): number;
  /**
   * Gives the target descriptors of ours: the same open file descriptions, under the lowest free numbers, closed on
   * exec. Closing them is up to the caller.
   *
   * If its limit on open files (RLIMIT_NOFILE) is too low, that is raised until `withRemote` ends.
   *
   * @returns the numbers in the target, in the order of `fds`; nothing stays open there if it throws
   * @throws SyscallError EMFILE: the limit cannot be raised; EPERM, ESRCH: its descriptors cannot be had
   */
  passFds(fds: readonly number[]): number[];
  /**
   * Sees to it that numbers below `count` may be used for descriptors (dup3 demands it of its second argument), until
   * `withRemote` ends.
   *
   * @throws SyscallError EPERM: the limit cannot be raised
   */
  allowDescriptors(count: number): void;
}
