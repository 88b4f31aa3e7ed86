/*
 * One eBPF instruction: eight bytes, Documentation/bpf/standardization/instruction-set.rst. Opcodes are put together
 * from the classes and codes of include/uapi/linux/bpf.h and bpf_common.h.
 */

/** r0 is the result, r1 to r5 are arguments and lost in calls, r6 to r9 are kept, r10 is the frame pointer. */
export type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;

export interface Instruction {
  readonly opcode: number;
  readonly dst: Register;
  /** A register; with BPF_LD | BPF_IMM | BPF_DW what the number stands for. */
  readonly src: number;
  /** Signed, 16 bits. */
  readonly offset: number;
  /** Signed, 32 bits. */
  readonly immediate: number;
}

/** The classes: the lowest three bits of an opcode. */
export const InstructionClass = { LD: 0, LDX: 1, ST: 2, STX: 3, ALU: 4, JMP: 5, JMP32: 6, ALU64: 7 } as const;

/** The second operand is a register and not a number: BPF_X. */
export const REGISTER_OPERAND = 0x08;

/** How to address memory: BPF_IMM, BPF_MEM, BPF_ATOMIC. */
export const MemoryMode = { IMM: 0x00, MEM: 0x60, ATOMIC: 0xc0 } as const;

/** The number of a load of 64 bits is the descriptor of a map: BPF_PSEUDO_MAP_FD. */
export const PSEUDO_MAP_FD = 1;

/** BPF_FETCH, BPF_ADD as operations of BPF_ATOMIC. */
export const ATOMIC_FETCH_ADD = 0x01;

/** Sizes of what is loaded and stored, in bytes, as opcodes have them. */
export const sizeBits = { 4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18 } as const;

export type MemorySize = keyof typeof sizeBits;

/** Arithmetic, by the operator that the kernel's own listings print. */
export const arithmetic = {
  '+=': 0x00,
  '-=': 0x10,
  '*=': 0x20,
  '/=': 0x30,
  '|=': 0x40,
  '&=': 0x50,
  '<<=': 0x60,
  '>>=': 0x70,
  '%=': 0x90,
  '^=': 0xa0,
  '=': 0xb0,
  's>>=': 0xc0,
} as const;

export type ArithmeticOperator = keyof typeof arithmetic;

/** BPF_NEG, which has one operand. */
export const NEGATE = 0x80;

/** Comparisons that jump; those with an s look at signed numbers, & asks for common bits. */
export const jumps = {
  '==': 0x10,
  '>': 0x20,
  '>=': 0x30,
  '&': 0x40,
  '!=': 0x50,
  's>': 0x60,
  's>=': 0x70,
  '<': 0xa0,
  '<=': 0xb0,
  's<': 0xc0,
  's<=': 0xd0,
} as const;

export type JumpOperator = keyof typeof jumps;

export const JUMP_ALWAYS = 0x00;
export const CALL = 0x80;
export const EXIT = 0x90;

/** Bytes of an instruction. */
export const instructionSize = 8;

export function encode(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * instructionSize);
  for (const [index, { opcode, dst, src, offset, immediate }] of instructions.entries()) {
    const at = index * instructionSize;
    bytes[at] = opcode;
    bytes[at + 1] = dst | (src << 4);
    bytes.writeInt16LE(offset, at + 2);
    bytes.writeInt32LE(immediate, at + 4);
  }
  return bytes;
}
