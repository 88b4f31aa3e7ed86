import type { Btf } from '../../../linux/btf/btf.ts';
import {
  type CType,
  int,
  type IntegerSize,
  type IntegerType,
  long,
  nameOfType,
  type PointerType,
  type Space,
} from './c-types.ts';
import { type Source, sourceError, type Span } from './source.ts';
import type { Expression } from './syntax.ts';
import type { Typed, ValueType } from './typed.ts';

/*
 * What the parts of the type check have in common.
 */

/** A parameter that a predicate may name. */
export interface Parameter {
  readonly name: string;
  readonly type: CType;
}

export interface Scope {
  readonly btf: Btf;
  readonly source: Source;
  readonly parameters: readonly Parameter[];
}

/** Something in memory. */
export interface Place {
  readonly kind: 'place';
  readonly address: Typed;
  readonly offset: number;
  readonly space: Space;
  readonly type: CType;
  readonly bits: { readonly shift: number; readonly width: number } | undefined;
}

interface Value {
  readonly kind: 'value';
  readonly typed: Typed;
}

export type Operand = Place | Value;

/** What an expression is, whatever is in it: the parts of the check ask each other. */
export interface Checker extends Scope {
  operandOf(expression: Expression): Operand;
  /** Its value: what is in memory is read. */
  evaluate(expression: Expression): Typed;
}

type IntegerTyped = Typed & { readonly type: IntegerType };

export const value = (typed: Typed): Value => ({ kind: 'value', typed });

export function refuse({ source }: Pick<Scope, 'source'>, span: Span, problem: string, hint: string): never {
  throw sourceError(source, span, problem, hint);
}

/** An array stands for the address of its first element, as in C. */
export function rvalue(scope: Scope, operand: Operand, span: Span): Typed {
  if (operand.kind === 'value') return operand.typed;
  const { address, offset, space, type, bits } = operand;
  if (type.kind === 'array') return moved(address, offset, { kind: 'pointer', to: type.element, space });
  if (type.kind !== 'integer' && type.kind !== 'pointer') {
    return refuse(scope, span, `${nameOfType(type)} is no number`, 'name one of its members, or take its address by &');
  }
  const size: IntegerSize = type.kind === 'integer' ? type.size : 8;
  const load: Typed = { kind: 'load', address, offset, size, bits, space, type };
  // As C has it: all values of a small bit-field are values of an int.
  return bits !== undefined && bits.width < 32 && size <= 4 ? { kind: 'convert', operand: load, type: int } : load;
}

export function moved(address: Typed, offset: number, type: PointerType): Typed {
  if (offset === 0) return { kind: 'convert', operand: address, type };
  const right: Typed = { kind: 'constant', value: BigInt(offset), type: long };
  return { kind: 'binary', operator: '+', left: address, right, type };
}

export function integerOf(checker: Checker, expression: Expression): IntegerTyped {
  return asInteger(checker, expression, checker.evaluate(expression));
}

/** The value of an expression, where it must be a number. */
export function asInteger(scope: Scope, expression: Expression, typed: Typed): IntegerTyped {
  if (typed.type.kind === 'integer') return typed as IntegerTyped;
  return refuse(
    scope,
    expression,
    `${nameOfType(typed.type)} is no number`,
    'read what it points to, or cast it to long',
  );
}

export function wrapped(number: bigint, { size, signed }: IntegerType): bigint {
  return signed ? BigInt.asIntN(size * 8, number) : BigInt.asUintN(size * 8, number);
}

/** The same value as another type has it. */
export function converted(typed: Typed, type: ValueType): Typed {
  if (typed.type.kind !== 'integer' || type.kind !== 'integer') return { kind: 'convert', operand: typed, type };
  if (typed.type.size === type.size && typed.type.signed === type.signed) return typed;
  if (typed.kind === 'constant') return { kind: 'constant', value: wrapped(typed.value, type), type };
  return { kind: 'convert', operand: typed, type };
}
