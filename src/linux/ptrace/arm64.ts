/**
 * Written from the kernel's sources (arch/arm64/kernel: signal.c, ptrace.c, syscall.c) and tested against tables; run
 * on arm64 it was not yet.
 *
 * Other than on x86-64, the kernel prepares to make a call anew before it stops for a tracer: at the stop pc points to
 * `svc` again and x0 holds the first argument again. Whether the call is to go on with the rest of its time is kept in
 * a local variable of the kernel's, and lost once the thread does something else in between (`losesTime`).
 */
import { readFileSync } from 'node:fs';
import { SyscallError } from '../syscall-error.ts';
import type { SavedThread, Task, TraceArchitecture } from './arch.ts';
import { program, signalFrame } from './arm64-program.ts';
import { NT_ARM_SYSTEM_CALL, NT_PRFPREG, NT_PRSTATUS, peek, readRegisters, writeRegisters } from './requests.ts';
import { hasSignalToHandle } from './thread-status.ts';

/** struct user_pt_regs: regs[31], sp, pc, pstate; arch/arm64/include/uapi/asm/ptrace.h. */
const x = (number: number): number => number * 8;
const PC = 256;
const PSTATE = 264;
const REGISTER_BYTES = 272;
/** PSTATE.BTYPE: after an indirect branch, only a landing pad may follow. Our entries are none. */
const PSTATE_BTYPE = 0xc00n;

const EINTR = 4n;
const SVC = 0xd4000001n;
const INSTRUCTION_BYTES = 4;
/** What says in NT_ARM_SYSTEM_CALL that a thread is in no call. */
const NO_SYSCALL = -1;

/** nanosleep, futex, clock_nanosleep: calls that the kernel restarts with the rest of their time. */
const timed: ReadonlySet<number> = new Set([101, 98, 115]);

/** struct fpsimd_context: header and length; then fpsr, fpcr, and v0 to v31. */
const FPSIMD_MAGIC = 0x46508001;
const FPSIMD_BYTES = 528;
const VECTOR_BYTES = 512;
/** Flags of a signal stack that there are not: sigreturn then leaves the one that the thread has. */
const NO_SUCH_STACK = 0x7f;

function get(registers: Buffer, offset: number): bigint {
  return registers.readBigInt64LE(offset);
}

function set(registers: Buffer, offset: number, value: bigint | number): void {
  registers.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)), offset);
}

function instructionAt(tid: number, address: number): bigint | undefined {
  const word = peek(tid, address);
  return word === undefined ? undefined : word & 0xffff_ffffn;
}

function interruptedCall(tid: number, registers: Buffer): number | undefined {
  if (get(registers, x(0)) !== -EINTR) return undefined;
  const before = instructionAt(tid, Number(get(registers, PC)) - INSTRUCTION_BYTES);
  return before === SVC ? Number(get(registers, x(8))) : undefined;
}

function setSyscallNumber(tid: number, number: number): number {
  const value = Buffer.alloc(4);
  value.writeInt32LE(number);
  return writeRegisters(tid, NT_ARM_SYSTEM_CALL, value);
}

/**
 * The result has taken the first argument's place. The kernel keeps that argument, but shows it only in
 * /proc/PID/task/TID/syscall, and there only if the thread is in a call: so for the moment of the look we say it is.
 */
function firstArgument(pid: number, tid: number, syscall: number): bigint | undefined {
  if (setSyscallNumber(tid, syscall) < 0) return undefined;
  try {
    const [number, first] = readFileSync(`/proc/${pid}/task/${tid}/syscall`, 'latin1').split(' ');
    return Number(number) === syscall && first !== undefined ? BigInt(first) : undefined;
  } catch {
    return undefined;
  } finally {
    setSyscallNumber(tid, NO_SYSCALL);
  }
}

/** The kernel's way (see x86-64.ts) is closed here, since it has decided already. */
function repeatCall(pid: number, tid: number, registers: Buffer): boolean {
  if (hasSignalToHandle(pid, tid)) return false;
  const first = firstArgument(pid, tid, Number(get(registers, x(8))));
  if (first === undefined) return false;
  set(registers, x(0), first);
  set(registers, PC, get(registers, PC) - BigInt(INSTRUCTION_BYTES));
  return writeRegisters(tid, NT_PRSTATUS, registers) >= 0;
}

function losesTime(tid: number, registers: Buffer): boolean {
  return timed.has(Number(get(registers, x(8)))) && instructionAt(tid, Number(get(registers, PC))) === SVC;
}

function registersFor(task: Task, saved: SavedThread, programAt: number, signal: number): Buffer {
  const registers = Buffer.from(saved.registers);
  set(registers, PSTATE, get(registers, PSTATE) & ~PSTATE_BTYPE);
  set(registers, x(21), signal);
  if (task.kind === 'batch') {
    set(registers, PC, programAt + program.batch);
    set(registers, x(19), task.table);
    set(registers, x(20), task.count);
  } else {
    set(registers, PC, programAt + program.single);
    set(registers, x(8), task.syscall);
    for (let index = 0; index < 6; index += 1) set(registers, x(index), task.values[index] ?? 0);
  }
  return registers;
}

function restore({ tid, registers }: SavedThread): number {
  const written = writeRegisters(tid, NT_PRSTATUS, registers);
  // Else the kernel might take what is in x0 for the result of our last call, and that for one to be made anew.
  return written < 0 ? written : Math.min(0, setSyscallNumber(tid, NO_SYSCALL));
}

function home({ tid, registers, mask }: SavedThread): Buffer {
  const floats = readRegisters(tid, NT_PRFPREG);
  if (typeof floats === 'number') throw new SyscallError('ptrace', -floats, 'PTRACE_GETREGSET');
  return signalFrameOf(registers, mask, floats);
}

/** The frame from which rt_sigreturn(2) restores a thread. Of SVE registers only the part that is NEON's is kept. */
export function signalFrameOf(registers: Buffer, mask: bigint, floats: Buffer): Buffer {
  const frame = Buffer.alloc(signalFrame.length);
  frame.writeInt32LE(NO_SUCH_STACK, signalFrame.stackFlags);
  frame.writeBigUInt64LE(mask, signalFrame.mask);
  registers.copy(frame, signalFrame.registers, 0, REGISTER_BYTES);
  frame.writeUInt32LE(FPSIMD_MAGIC, signalFrame.fpsimd);
  frame.writeUInt32LE(FPSIMD_BYTES, signalFrame.fpsimd + 4);
  floats.copy(frame, signalFrame.fpsimd + 8, VECTOR_BYTES, VECTOR_BYTES + 8);
  floats.copy(frame, signalFrame.fpsimd + 16, 0, VECTOR_BYTES);
  return frame;
}

export const arm64: TraceArchitecture = Object.freeze({
  name: 'arm64',
  registerBytes: REGISTER_BYTES,
  program,
  programCounter: (registers) => Number(get(registers, PC)),
  setProgramCounter: (registers, address) => set(registers, PC, address),
  interruptedCall,
  repeatCall,
  losesTime,
  registersFor,
  result: (registers) => Number(get(registers, x(23))),
  restore,
  home,
} satisfies TraceArchitecture);
