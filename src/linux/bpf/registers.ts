import type { Architecture } from '../arch.ts';

/*
 * Where a kprobe's context has the registers: struct pt_regs of arch/x86/include/asm/ptrace.h, and struct user_pt_regs
 * of arch/arm64/include/uapi/asm/ptrace.h.
 */

export interface RegisterOffsets {
  /** The first six arguments of a function. */
  readonly parameters: readonly number[];
  /** The first six arguments of a system call, in what its caller had in the registers. */
  readonly callParameters: readonly number[];
  readonly stackPointer: number;
  readonly instructionPointer: number;
  /** In the registers of a task that entered the kernel: the number of its system call, 4 bytes; -1: none. */
  readonly callNumber: number;
}

const offsets: Readonly<Record<Architecture, RegisterOffsets>> = {
  x86_64: {
    // di, si, dx, cx, r8, r9; a system call has r10 for cx
    parameters: [112, 104, 96, 88, 72, 64],
    callParameters: [112, 104, 96, 56, 72, 64],
    stackPointer: 152,
    instructionPointer: 128,
    callNumber: 120, // orig_ax
  },
  arm64: {
    parameters: [0, 8, 16, 24, 32, 40],
    callParameters: [0, 8, 16, 24, 32, 40],
    stackPointer: 248,
    instructionPointer: 256,
    callNumber: 280, // syscallno of struct pt_regs, which begins with struct user_pt_regs
  },
};

export function registerOffsets(architecture: Architecture): RegisterOffsets {
  return offsets[architecture];
}
