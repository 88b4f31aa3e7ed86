import { type Btf, findType, namesOf } from '../../../linux/btf/btf.ts';
import { plainType, typeAt, typeName } from '../../../linux/btf/types.ts';
import { nearHint } from '../../near.ts';
import { type Source, sourceError } from './source.ts';
import type { TypeName } from './type-name.ts';

/*
 * Types of C as far as predicates have values of them.
 */

/** Whose memory a pointer points into. */
export type Space = 'kernel' | 'user';

export type IntegerSize = 1 | 2 | 4 | 8;

export interface IntegerType {
  readonly kind: 'integer';
  readonly name: string;
  readonly size: IntegerSize;
  readonly signed: boolean;
}

export interface PointerType {
  readonly kind: 'pointer';
  readonly to: CType;
  readonly space: Space;
}

export interface StructureType {
  readonly kind: 'structure';
  /** Its number in the BTF. */
  readonly number: number;
  readonly name: string;
  /** 0: what is in it is not known. */
  readonly size: number;
}

export type CType =
  | IntegerType
  | PointerType
  | StructureType
  | { readonly kind: 'array'; readonly element: CType; readonly length: number }
  | { readonly kind: 'void' }
  /** Nothing can be done with it. */
  | { readonly kind: 'opaque'; readonly name: string };

const integer = (name: string, size: IntegerSize, signed: boolean): IntegerType =>
  Object.freeze({ kind: 'integer', name, size, signed });

export const int = integer('int', 4, true);
export const unsignedInt = integer('unsigned int', 4, false);
export const long = integer('long', 8, true);
export const unsignedLong = integer('unsigned long', 8, false);
const bool = integer('bool', 1, false);

/** Numbers of C on 64-bit Linux. */
const numbers: ReadonlyMap<string, IntegerType> = new Map(
  [
    integer('char', 1, true),
    integer('signed char', 1, true),
    integer('unsigned char', 1, false),
    integer('short', 2, true),
    integer('unsigned short', 2, false),
    int,
    unsignedInt,
    long,
    unsignedLong,
    bool,
  ].map((type) => [type.name, type]),
);

function isIntegerSize(size: number): size is IntegerSize {
  return size === 1 || size === 2 || size === 4 || size === 8;
}

/** A type of the kernel. */
export function typeOfNumber(btf: Btf, number: number): CType {
  const type = typeAt(btf, number);
  switch (type.kind) {
    case 'void':
      return { kind: 'void' };
    case 'int':
    case 'enum': {
      const name = type.name === '' ? 'enum' : type.name;
      const signed = type.signed;
      return isIntegerSize(type.size) ? integer(name, type.size, signed) : { kind: 'opaque', name };
    }
    case 'pointer':
      return { kind: 'pointer', to: typeOfNumber(btf, type.to), space: isUser(btf, type.to) ? 'user' : 'kernel' };
    case 'array':
      return { kind: 'array', element: typeOfNumber(btf, type.element), length: type.length };
    case 'struct':
    case 'union':
      return { kind: 'structure', number, name: typeName(btf, number), size: type.size };
    case 'forward':
      return { kind: 'structure', number, name: `struct ${type.name}`, size: 0 };
    case 'typedef':
    case 'qualified':
      return typeOfNumber(btf, type.of);
    default:
      return { kind: 'opaque', name: typeName(btf, number) };
  }
}

/** Compilers that write type tags say which pointers are a process's. */
function isUser(btf: Btf, number: number): boolean {
  const type = typeAt(btf, number);
  return type.kind === 'qualified' && (type.tag === 'user' || isUser(btf, type.of));
}

/** The same type read from a process's memory: whatever it points to is in there, too. */
export function inSpace(type: CType, space: Space): CType {
  if (space === 'kernel') return type;
  switch (type.kind) {
    case 'pointer':
      return { ...type, to: inSpace(type.to, space), space };
    case 'array':
      return { ...type, element: inSpace(type.element, space) };
    default:
      return type;
  }
}

/** Does a word name a type? */
export function isTypedef(btf: Btf, name: string): boolean {
  return findType(btf, name, 'named') !== undefined;
}

const sets = { struct: 'structure', union: 'union', enum: 'enumeration', named: 'named' } as const;

function baseType(btf: Btf, source: Source, { base, pointers, span }: TypeName): CType {
  const { kind, name } = base;
  if (kind === 'named') {
    const known = name === 'void' ? ({ kind: 'void' } as const) : numbers.get(name);
    if (known !== undefined) return known;
  }
  const number = findType(btf, name, sets[kind]);
  if (number !== undefined) return typeOfNumber(btf, number);
  const word = kind === 'named' ? `type ${name}` : `${kind} ${name}`;
  // What only a pointer points to need not be known until something is read of it.
  if (kind !== 'named' && pointers > 0 && name.length < 3) return { kind: 'structure', number: 0, name: word, size: 0 };
  const hint = nearHint(name, namesNear(namesOf(btf, sets[kind]), name));
  throw sourceError(source, span, `the kernel has no ${word}`, hint);
}

/** Names to suggest: of thousands only those that begin alike, so that looking for the nearest is quick. */
function namesNear(names: readonly string[], wanted: string): readonly string[] {
  const alike = names.filter((name) => name.length > 2 && name.slice(0, 2) === wanted.slice(0, 2));
  return [...new Set(alike)].filter((name) => Math.abs(name.length - wanted.length) < 4).slice(0, 2000);
}

/**
 * The type of a name.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID: the kernel has none
 */
export function resolveType(btf: Btf, source: Source, name: TypeName): CType {
  let type = baseType(btf, source, name);
  for (let depth = 0; depth < name.pointers; depth += 1) {
    type = { kind: 'pointer', to: type, space: name.user ? 'user' : 'kernel' };
  }
  return type;
}

export function nameOfType(type: CType): string {
  switch (type.kind) {
    case 'pointer': {
      const to = nameOfType(type.to);
      return to.endsWith('*') ? `${to}*` : `${to} *`;
    }
    case 'array':
      return `${nameOfType(type.element)}[${type.length}]`;
    case 'void':
      return 'void';
    default:
      return type.name;
  }
}

export function sizeOfType(type: CType): number {
  switch (type.kind) {
    case 'integer':
    case 'structure':
      return type.size;
    case 'pointer':
      return 8;
    case 'array':
      return sizeOfType(type.element) * type.length;
    default:
      return 0;
  }
}

/** Are two structures the same, by their names, or one of them not known? */
export function isSameStructure(btf: Btf, left: StructureType, right: StructureType): boolean {
  if (left.number === right.number || left.name === right.name) return true;
  const names = [left, right].map(({ number }) => plainType(btf, number).number);
  return names[0] === names[1];
}

/** C's integer promotion: what is smaller than an int becomes one. */
export function promoted(type: IntegerType): IntegerType {
  return type.size < 4 ? int : type;
}

/** C's usual arithmetic conversions. */
export function commonType(left: IntegerType, right: IntegerType): IntegerType {
  const [a, b] = [promoted(left), promoted(right)];
  if (a.size !== b.size) return a.size > b.size ? a : b;
  return a.signed ? b : a;
}
