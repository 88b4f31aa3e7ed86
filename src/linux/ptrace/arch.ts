/**
 * What differs from processor to processor when a stopped thread makes system calls for us.
 *
 * A thread runs a small constant program, which stands in unused bytes of an executable mapping of its process
 * (`code-cave.ts`). The program makes the calls of a table, or one call whose arguments are in registers, and then
 * tells us by sending its own thread a signal that it has never seen handled; the kernel stops a traced thread for any
 * signal, and we drop it. No breakpoint and no single step is used: the SIGTRAP of those cannot be blocked, and the
 * kernel forgets that a program ignores it.
 *
 * If we are killed while the program runs, nobody takes the signal away. It is one that is ignored by default, so the
 * program goes on behind it, and there it brings its thread home: it gives back the signal mask and all registers from
 * a block of data that stands behind the code. So at no moment is what the thread was known to us alone.
 */
import type { Architecture } from '../arch.ts';

/** The program's code, and what is where in it, in bytes from its beginning. */
export interface Program {
  readonly code: Uint8Array;
  /** Entry: makes the calls of a table. */
  readonly batch: number;
  /** Entry: makes one call. */
  readonly single: number;
  /** Where the thread is when it has told us that it is done. */
  readonly told: number;
  /** Where the block with what the thread was begins. */
  readonly home: number;
  /** All that must be free: code and block. */
  readonly length: number;
  /** The program must begin at a multiple of this. */
  readonly alignment: number;
}

/** A stopped thread as it was: its NT_PRSTATUS, and the signals that it blocks. */
export interface SavedThread {
  readonly tid: number;
  readonly registers: Buffer;
  readonly mask: bigint;
}

/** What the program is to do. */
export type Task =
  /** Make `count` calls of the table at `table`. */
  | { readonly kind: 'batch'; readonly table: number; readonly count: number }
  /** Make one call, arguments in registers; {@link TraceArchitecture.result} is what it returned. */
  | { readonly kind: 'single'; readonly syscall: number; readonly values: readonly number[] };

/** An entry of the table: number, six arguments, result, eight bytes each, on every architecture. */
export const TABLE_ENTRY_BYTES = 64;
export const TABLE_RESULT_AT = 56;

export interface TraceArchitecture {
  readonly name: Architecture;
  /** Length of NT_PRSTATUS. The kernel gives another length for a task of another ABI. */
  readonly registerBytes: number;
  readonly program: Program;

  programCounter(registers: Buffer): number;
  setProgramCounter(registers: Buffer, address: number): void;
  /** The number of the system call that a stop has broken off with EINTR; undefined if it did not. */
  interruptedCall(tid: number, registers: Buffer): number | undefined;
  /**
   * Changes the registers of a thread with an interrupted call so that the call will be made anew.
   *
   * @returns false if that is not to be, because a signal is about to be handled that explains the EINTR
   */
  repeatCall(pid: number, tid: number, registers: Buffer): boolean;
  /** Would a call in which this thread waits lose the time it has waited, if the thread made calls for us? */
  losesTime(tid: number, registers: Buffer): boolean;

  /** The registers with which a thread does a task, from those that it has. */
  registersFor(task: Task, saved: SavedThread, programAt: number, signal: number): Buffer;
  /** What the one call returned, from the registers at `program.told`: 0 or more, an address, or a negative errno. */
  result(registers: Buffer): number;
  /**
   * Writes a thread's registers back, so that the kernel takes them for what they are. @returns a negative errno or 0
   */
  restore(saved: SavedThread): number;
  /** The block behind the code that brings the thread home when nobody else does. @throws SyscallError */
  home(saved: SavedThread, programAt: number): Buffer;
}
