import type { BpfProgram } from './assembler.ts';
import { functionName } from './functions.ts';
import {
  arithmetic,
  CALL,
  EXIT,
  type Instruction,
  InstructionClass,
  jumps,
  MemoryMode,
  NEGATE,
  PSEUDO_MAP_FD,
  REGISTER_OPERAND,
  sizeBits,
} from './instruction.ts';

/*
 * Programs as text, in the notation of the kernel's verifier, with what each part is for beside it.
 */

function keyOf<Key extends string>(table: Readonly<Record<Key, number>>, value: number): Key | undefined {
  return (Object.keys(table) as Key[]).find((key) => table[key] === value);
}

function typeOf(opcode: number): string {
  const size = keyOf(sizeBits as Readonly<Record<string, number>>, opcode & 0x18);
  return `u${Number(size) * 8}`;
}

function place({ offset }: Instruction, base: number): string {
  return `(r${base} ${offset < 0 ? '-' : '+'} ${Math.abs(offset)})`;
}

function operandOf({ opcode, src, immediate }: Instruction): string {
  return (opcode & REGISTER_OPERAND) === 0 ? String(immediate) : `r${src}`;
}

function memoryText(instruction: Instruction): string {
  const { opcode, dst, src, immediate } = instruction;
  const type = typeOf(opcode);
  switch (opcode & 0x07) {
    case InstructionClass.LDX:
      return `r${dst} = *(${type} *)${place(instruction, src)}`;
    case InstructionClass.ST:
      return `*(${type} *)${place(instruction, dst)} = ${immediate}`;
    default:
      return (opcode & 0xe0) === MemoryMode.ATOMIC
        ? `r${src} = atomic_fetch_add((${type} *)${place(instruction, dst)}, r${src})`
        : `*(${type} *)${place(instruction, dst)} = r${src}`;
  }
}

function arithmeticText(instruction: Instruction): string {
  const { opcode, dst } = instruction;
  if ((opcode & 0xf0) === NEGATE) return `r${dst} = -r${dst}`;
  return `r${dst} ${keyOf(arithmetic, opcode & 0xf0) ?? '?'} ${operandOf(instruction)}`;
}

function jumpText(instruction: Instruction, target: string): string {
  const { opcode, dst, immediate } = instruction;
  const code = opcode & 0xf0;
  if (code === CALL) return `call ${functionName(immediate) ?? immediate}`;
  if (code === EXIT) return 'exit';
  const operator = keyOf(jumps, code);
  return operator === undefined ? `goto ${target}` : `if r${dst} ${operator} ${operandOf(instruction)} goto ${target}`;
}

/** A load of 64 bits takes two instructions; the second has only a number. */
function wideText({ dst, src, immediate }: Instruction, second: Instruction | undefined, map: string | undefined) {
  if (src === PSEUDO_MAP_FD) return `r${dst} = map[${map ?? immediate}]`;
  const high = BigInt(second?.immediate ?? 0) << 32n;
  return `r${dst} = 0x${BigInt.asUintN(64, high | BigInt(immediate >>> 0)).toString(16)} ll`;
}

/** A line for each instruction (its index, its text, and what it and those after it are for) and for each label. */
export function listProgram(program: BpfProgram): readonly string[] {
  const { instructions, labels, remarks, maps } = program;
  const labelsAt = new Map<number, string[]>();
  for (const [name, index] of labels) labelsAt.set(index, [...(labelsAt.get(index) ?? []), name]);
  const nameAt = (index: number): string => labelsAt.get(index)?.[0] ?? String(index);
  const isWide = (one: Instruction | undefined): boolean => one?.opcode === (InstructionClass.LD | sizeBits[8]);
  return instructions.flatMap((instruction, index) => {
    if (isWide(instructions[index - 1])) return [];
    const kind = instruction.opcode & 0x07;
    const text = isWide(instruction)
      ? wideText(instruction, instructions[index + 1], maps.get(index))
      : kind === InstructionClass.JMP
        ? jumpText(instruction, nameAt(index + 1 + instruction.offset))
        : kind === InstructionClass.ALU64
          ? arithmeticText(instruction)
          : memoryText(instruction);
    const remark = remarks.get(index);
    const line = `${String(index).padStart(4)}: ${text}`;
    const shown = remark === undefined ? line : `${line.padEnd(52)} ; ${remark}`;
    return [...(labelsAt.get(index) ?? []).map((name) => `${name}:`), shown];
  });
}
