import type { Assembler } from '../../../linux/bpf/assembler.ts';
import type { JumpOperator, MemorySize, Register } from '../../../linux/bpf/instruction.ts';
import type { Space } from './c-types.ts';
import type { Stack } from './stack.ts';
import type { Comparison } from './syntax.ts';
import type { Typed, ValueType } from './typed.ts';

/*
 * From a checked predicate to instructions. A value is computed into r7; while the other side of an operator is
 * computed it waits on the stack, for calls keep only r6 to r9 and r6 and r9 belong to the program around.
 */

/** The program that a predicate stands in. */
export interface Surroundings {
  readonly code: Assembler;
  readonly stack: Stack;
  /** Put a parameter of the function into a register, as the processor has it: bits above its type are any. */
  parameter(index: number, dst: Register): void;
  /** Where to go when the predicate does not hold, or something of it cannot be read. */
  readonly otherwise: string;
}

const result: Register = 7;
const second: Register = 8;
const frame: Register = 10;

const isImmediate = (value: bigint): boolean => value === BigInt.asIntN(32, value);

function constant({ code }: Surroundings, dst: Register, value: bigint): void {
  const signed = BigInt.asIntN(64, value);
  if (isImmediate(signed)) code.compute(dst, '=', Number(signed));
  else code.wide(dst, signed);
}

/** Keep the lower bits of a register, and fill those above with the sign or with noughts. */
function narrow({ code }: Surroundings, register: Register, bits: number, signed: boolean): void {
  if (bits === 64) return;
  code.compute(register, '<<=', 64 - bits).compute(register, signed ? 's>>=' : '>>=', 64 - bits);
}

function fit(around: Surroundings, register: Register, type: ValueType): void {
  if (type.kind === 'integer') narrow(around, register, type.size * 8, type.signed);
}

/** Are all values of one type values of another, so that what fills the bits above stays the same? */
function holds(type: ValueType, of: ValueType): boolean {
  if (type.kind !== 'integer' || of.kind !== 'integer') return false;
  return of.size < type.size && (type.signed || !of.signed);
}

/** Read memory at r7 + offset to the stack. */
function readTo(around: Surroundings, to: number, bytes: number, offset: number, space: Space): void {
  const { code, otherwise } = around;
  code.compute(3, '=', { register: result });
  if (offset !== 0) code.compute(3, '+=', offset);
  code.compute(2, '=', bytes).compute(1, '=', { register: frame }).compute(1, '+=', to);
  code.call(space === 'user' ? 'bpf_probe_read_user' : 'bpf_probe_read_kernel').jumpIf(0, '!=', 0, otherwise);
}

function load(around: Surroundings, typed: Typed & { readonly kind: 'load' }): void {
  const { code, stack } = around;
  const { size, bits, type, space, offset } = typed;
  compute(around, typed.address);
  stack.during(8, (slot) => {
    readTo(around, slot, size, offset, space);
    code.load(size, result, frame, slot);
  });
  const signed = type.kind === 'integer' && type.signed;
  if (bits === undefined) {
    if (signed) narrow(around, result, size * 8, true);
  } else {
    if (bits.shift > 0) code.compute(result, '>>=', bits.shift);
    narrow(around, result, bits.width, signed);
  }
}

/** Compute two values; the first one into r7, the other into r8, or nowhere where it is a number that fits. */
function both(around: Surroundings, left: Typed, right: Typed): { readonly register: Register } | number {
  compute(around, left);
  if (right.kind === 'constant' && isImmediate(BigInt.asIntN(64, right.value))) {
    return Number(BigInt.asIntN(64, right.value));
  }
  around.stack.during(8, (slot) => {
    around.code.store(8, frame, slot, { register: result });
    compute(around, right);
    around.code.compute(second, '=', { register: result }).load(8, result, frame, slot);
  });
  return { register: second };
}

/** The processor divides numbers without signs: signs are taken off before and put on after. */
function divideSigned({ code }: Surroundings, operator: '/' | '%'): void {
  const sign: Register = 1; // not lost: nothing is called
  // A quotient is negative where the signs differ, a remainder where the dividend is.
  code.compute(sign, '=', { register: result });
  if (operator === '/') code.compute(sign, '^=', { register: second });
  for (const register of [result, second] as const) {
    const positive = code.fresh('positive');
    code.jumpIf(register, 's>=', 0, positive).negate(register).label(positive);
  }
  const done = code.fresh('divided');
  code.compute(result, operator === '/' ? '/=' : '%=', { register: second });
  code.jumpIf(sign, 's>=', 0, done).negate(result).label(done);
}

function divide(around: Surroundings, typed: Typed & { readonly kind: 'binary' }): void {
  const { code, otherwise } = around;
  const operator = typed.operator === '/' ? '/' : '%';
  const right = both(around, typed.left, typed.right);
  if (typeof right === 'number') code.compute(second, '=', right);
  code.jumpIf(second, '==', 0, otherwise);
  if (typed.type.kind === 'integer' && typed.type.signed) divideSigned(around, operator);
  else code.compute(result, operator === '/' ? '/=' : '%=', { register: second });
}

/** The processor takes a count modulo 64; here it is modulo the width, for what is beyond means nothing in C. */
function shift(around: Surroundings, typed: Typed & { readonly kind: 'binary' }): void {
  const { code } = around;
  const { type } = typed;
  const [mask, signed] = type.kind === 'integer' ? [type.size * 8 - 1, type.signed] : [63, false];
  const count = both(around, typed.left, typed.right);
  if (typeof count === 'object') code.compute(count.register, '&=', mask);
  const operand = typeof count === 'object' ? count : count & mask;
  code.compute(result, typed.operator === '<<' ? '<<=' : signed ? 's>>=' : '>>=', operand);
}

const simple = { '+': '+=', '-': '-=', '*': '*=', '&': '&=', '|': '|=', '^': '^=' } as const;

function binary(around: Surroundings, typed: Typed & { readonly kind: 'binary' }): void {
  const { operator } = typed;
  if (operator === '/' || operator === '%') divide(around, typed);
  else if (operator === '<<' || operator === '>>') shift(around, typed);
  else {
    const right = both(around, typed.left, typed.right);
    around.code.compute(result, simple[operator], right);
  }
  fit(around, result, typed.type);
}

/** A condition as a number. */
function condition(around: Surroundings, typed: Typed): void {
  const { code } = around;
  const [no, end] = [code.fresh('no'), code.fresh('end')];
  branch(around, typed, no, false);
  code.compute(result, '=', 1).jump(end).label(no).compute(result, '=', 0).label(end);
}

/** Compute a value into r7. */
function compute(around: Surroundings, typed: Typed): void {
  const { code } = around;
  switch (typed.kind) {
    case 'constant':
      constant(around, result, typed.value);
      return;
    case 'parameter':
      around.parameter(typed.index, result);
      fit(around, result, typed.type);
      return;
    case 'load':
      load(around, typed);
      return;
    case 'negate':
    case 'invert':
      compute(around, typed.operand);
      if (typed.kind === 'negate') code.negate(result);
      else code.compute(result, '^=', -1);
      fit(around, result, typed.type);
      return;
    case 'convert':
      compute(around, typed.operand);
      if (!holds(typed.type, typed.operand.type)) fit(around, result, typed.type);
      return;
    case 'binary':
      binary(around, typed);
      return;
    default:
      condition(around, typed);
  }
}

const unsignedJumps: Readonly<Record<Comparison, JumpOperator>> = {
  '==': '==',
  '!=': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

const signedJumps: Readonly<Record<Comparison, JumpOperator>> = {
  '==': '==',
  '!=': '!=',
  '<': 's<',
  '<=': 's<=',
  '>': 's>',
  '>=': 's>=',
};

const opposite: Readonly<Record<Comparison, Comparison>> = {
  '==': '!=',
  '!=': '==',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
};

/** Compare the bytes at an address with those of a text, eight at a time. */
function compareText(around: Surroundings, typed: Typed & { readonly kind: 'text' }, differ: string): void {
  const { code, stack, otherwise } = around;
  const { bytes } = typed;
  compute(around, typed.address);
  // One byte more is read than is compared: the NUL that ends what is cut off.
  const room = bytes.length + 1;
  stack.during(room, (buffer) => {
    for (let at = 0; at < room; at += 8) code.store(8, frame, buffer + at, 0);
    code.compute(3, '=', { register: result }).compute(2, '=', room);
    code.compute(1, '=', { register: frame }).compute(1, '+=', buffer);
    code.call(typed.space === 'user' ? 'bpf_probe_read_user_str' : 'bpf_probe_read_kernel_str');
    code.jumpIf(0, 's<', 0, otherwise);
    for (let at = 0; at < bytes.length; ) {
      const size = ([8, 4, 2, 1] as const).find((one) => at + one <= bytes.length) ?? 1;
      compareBytes(around, bytes.subarray(at, at + size), size, buffer + at, differ);
      at += size;
    }
  });
}

function compareBytes(around: Surroundings, bytes: Buffer, size: MemorySize, at: number, differ: string): void {
  const { code } = around;
  code.load(size, result, frame, at);
  if (size === 8) {
    code.wide(second, bytes.readBigInt64LE()).jumpIf(result, '!=', { register: second }, differ);
    return;
  }
  const wanted = bytes.readUIntLE(0, size);
  if (wanted <= 0x7fff_ffff) code.jumpIf(result, '!=', wanted, differ);
  else code.wide(second, BigInt(wanted)).jumpIf(result, '!=', { register: second }, differ);
}

/** Go to a label where a condition is as `when` says, and on to what comes next where it is not. */
function branch(around: Surroundings, typed: Typed, label: string, when: boolean): void {
  const { code } = around;
  switch (typed.kind) {
    case 'not':
      branch(around, typed.operand, label, !when);
      return;
    case 'and':
    case 'or': {
      // What one side decides alone: false for and, true for or.
      const decisive = typed.kind === 'or';
      if (when === decisive) {
        branch(around, typed.left, label, when);
        branch(around, typed.right, label, when);
        return;
      }
      const skip = code.fresh('skip');
      branch(around, typed.left, skip, decisive);
      branch(around, typed.right, label, when);
      code.label(skip);
      return;
    }
    case 'compare': {
      const operator = when ? typed.operator : opposite[typed.operator];
      const right = both(around, typed.left, typed.right);
      code.jumpIf(result, (typed.signed ? signedJumps : unsignedJumps)[operator], right, label);
      return;
    }
    case 'text': {
      if (!when) {
        compareText(around, typed, label);
        return;
      }
      const differ = code.fresh('differ');
      compareText(around, typed, differ);
      code.jump(label).label(differ);
      return;
    }
    default:
      compute(around, typed);
      code.jumpIf(result, when ? '!=' : '==', 0, label);
  }
}

/**
 * Add a predicate to a program: it goes on where the predicate holds, and to `otherwise` where it does not.
 *
 * @throws {StackFull}
 */
export function generatePredicate(around: Surroundings, typed: Typed): void {
  branch(around, typed, around.otherwise, false);
}
