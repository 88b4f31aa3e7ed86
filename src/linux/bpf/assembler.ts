import type { BpfFunction } from './functions.ts';
import { functionNumber } from './functions.ts';
import {
  ATOMIC_FETCH_ADD,
  type ArithmeticOperator,
  arithmetic,
  CALL,
  EXIT,
  type Instruction,
  InstructionClass,
  JUMP_ALWAYS,
  type JumpOperator,
  jumps,
  MemoryMode,
  type MemorySize,
  NEGATE,
  PSEUDO_MAP_FD,
  type Register,
  REGISTER_OPERAND,
  sizeBits,
} from './instruction.ts';

/*
 * Programs by the names of their instructions, with labels to jump to and maps to refer to.
 */

/** A program that is whole: every jump knows where it goes. */
export interface BpfProgram {
  readonly instructions: readonly Instruction[];
  /** For each label, before which instruction it stands. */
  readonly labels: ReadonlyMap<string, number>;
  /** What an instruction, and those after it, are for: by its index. */
  readonly remarks: ReadonlyMap<number, string>;
  /** The names of maps, by the index of the instruction that refers to one. */
  readonly maps: ReadonlyMap<number, string>;
}

/** A register, or a number. */
export type Operand = { readonly register: Register } | number;

/** A map as a program refers to it. Without a descriptor a program can be read, but not loaded. */
export interface MapReference {
  readonly name: string;
  readonly fd: number;
}

/** Each method adds what its name says, and gives the assembler back. */
export interface Assembler {
  /** `dst = operand`, `dst += operand`, …; 64 bits wide. A number has 32 bits, and its sign is extended. */
  compute(dst: Register, operator: ArithmeticOperator, operand: Operand): Assembler;
  /** `dst = -dst` */
  negate(dst: Register): Assembler;
  /** `dst = value`, of 64 bits */
  wide(dst: Register, value: bigint): Assembler;
  /** `dst = map` */
  map(dst: Register, map: MapReference): Assembler;
  /** `dst = *(size *)(base + offset)`, without its sign */
  load(size: MemorySize, dst: Register, base: Register, offset: number): Assembler;
  /** `*(size *)(base + offset) = operand` */
  store(size: MemorySize, base: Register, offset: number, operand: Operand): Assembler;
  /** `operand = *(base + offset), *(base + offset) += operand` at once, of 64 bits. Linux 5.12. */
  fetchAdd(base: Register, offset: number, operand: Register): Assembler;
  jump(label: string): Assembler;
  jumpIf(dst: Register, operator: JumpOperator, operand: Operand, label: string): Assembler;
  /** Here is where jumps to it go. */
  label(name: string): Assembler;
  /** A label that no other is called. */
  fresh(stem: string): string;
  call(name: BpfFunction): Assembler;
  exit(): Assembler;
  /** What the instructions from here on are for; a listing shows it. */
  remark(text: string): Assembler;
  /** @throws {JumpTooFar} the program is too large */
  finish(): BpfProgram;
}

/** A jump has 16 bits: its label is too far away. */
export class JumpTooFar extends Error {}

interface State {
  readonly instructions: Instruction[];
  readonly labels: Map<string, number>;
  readonly jumpsTo: Map<number, string>;
  readonly remarks: Map<number, string>;
  readonly maps: Map<number, string>;
  fresh: number;
}

function finish({ instructions, labels, jumpsTo, remarks, maps }: State): BpfProgram {
  const resolved = instructions.map((instruction, index) => {
    const label = jumpsTo.get(index);
    if (label === undefined) return instruction;
    const target = labels.get(label);
    if (target === undefined) throw new Error(`the label ${label} stands nowhere`);
    const offset = target - index - 1;
    if (Math.abs(offset) >= 0x8000) throw new JumpTooFar('a jump goes no further than 32767 instructions');
    return { ...instruction, offset };
  });
  return Object.freeze({ instructions: resolved, labels, remarks, maps });
}

function parts(operand: Operand): { readonly bit: number; readonly src: number; readonly immediate: number } {
  if (typeof operand === 'object') return { bit: REGISTER_OPERAND, src: operand.register, immediate: 0 };
  if (operand !== (operand | 0)) throw new RangeError(`${operand} is no number of 32 bits with a sign`);
  return { bit: 0, src: 0, immediate: operand };
}

type Add = (opcode: number, dst: Register, src: number, offset: number, immediate: number) => Assembler;

type Computing = Pick<Assembler, 'compute' | 'negate' | 'wide' | 'map' | 'load' | 'store' | 'fetchAdd'>;

function computing({ instructions, maps }: State, add: Add): Computing {
  function wide(dst: Register, src: number, value: bigint): Assembler {
    add(InstructionClass.LD | MemoryMode.IMM | sizeBits[8], dst, src, 0, Number(BigInt.asIntN(32, value)));
    return add(0, 0, 0, 0, Number(BigInt.asIntN(32, value >> 32n)));
  }
  return {
    compute(dst, operator, operand) {
      const { bit, src, immediate } = parts(operand);
      return add(InstructionClass.ALU64 | bit | arithmetic[operator], dst, src, 0, immediate);
    },
    negate: (dst) => add(InstructionClass.ALU64 | NEGATE, dst, 0, 0, 0),
    wide: (dst, value) => wide(dst, 0, value),
    map(dst, { name, fd }) {
      maps.set(instructions.length, name);
      return wide(dst, PSEUDO_MAP_FD, BigInt(fd));
    },
    load: (size, dst, base, offset) =>
      add(InstructionClass.LDX | MemoryMode.MEM | sizeBits[size], dst, base, offset, 0),
    store(size, base, offset, operand) {
      const { src, immediate } = parts(operand);
      const kind = typeof operand === 'object' ? InstructionClass.STX : InstructionClass.ST;
      return add(kind | MemoryMode.MEM | sizeBits[size], base, src, offset, immediate);
    },
    fetchAdd: (base, offset, operand) =>
      add(InstructionClass.STX | MemoryMode.ATOMIC | sizeBits[8], base, operand, offset, ATOMIC_FETCH_ADD),
  };
}

type Flow = Omit<Assembler, keyof Computing>;

function flow(state: State, add: Add, self: () => Assembler): Flow {
  const { instructions, labels, jumpsTo, remarks } = state;
  return {
    jump(label) {
      jumpsTo.set(instructions.length, label);
      return add(InstructionClass.JMP | JUMP_ALWAYS, 0, 0, 0, 0);
    },
    jumpIf(dst, operator, operand, label) {
      const { bit, src, immediate } = parts(operand);
      jumpsTo.set(instructions.length, label);
      return add(InstructionClass.JMP | bit | jumps[operator], dst, src, 0, immediate);
    },
    label(name) {
      if (labels.has(name)) throw new Error(`the label ${name} stands in two places`);
      labels.set(name, instructions.length);
      return self();
    },
    fresh(stem) {
      state.fresh += 1;
      return `${stem}_${state.fresh}`;
    },
    call: (name) => add(InstructionClass.JMP | CALL, 0, 0, 0, functionNumber(name)),
    exit: () => add(InstructionClass.JMP | EXIT, 0, 0, 0, 0),
    remark(text) {
      remarks.set(instructions.length, text);
      return self();
    },
    finish: () => finish(state),
  };
}

/** Begin a program. */
export function assembler(): Assembler {
  const state: State = {
    instructions: [],
    labels: new Map(),
    jumpsTo: new Map(),
    remarks: new Map(),
    maps: new Map(),
    fresh: 0,
  };
  const add: Add = (opcode, dst, src, offset, immediate) => {
    state.instructions.push({ opcode, dst, src, offset, immediate });
    return self;
  };
  const self: Assembler = { ...computing(state, add), ...flow(state, add, () => self) };
  return self;
}
