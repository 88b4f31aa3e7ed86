import { type Btf, enumerations, findType, nameAt, nameOffsets, wordsAt } from './btf.ts';
import { Kind, kindFlag, kindOf, partsOf, TYPE_WORDS } from './format.ts';

/*
 * One type of BTF as plain data. Types refer to each other by number; 0 is void.
 */

export interface BtfMember {
  /** Empty: a struct or union without a name, whose members count as those of the outer one. */
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
  /** 0: it is no bit-field. */
  readonly bitSize: number;
}

export interface BtfParameter {
  /** Empty where it has none. */
  readonly name: string;
  readonly type: number;
}

export type BtfType =
  | { readonly kind: 'void' }
  | { readonly kind: 'int'; readonly name: string; readonly size: number; readonly signed: boolean }
  | { readonly kind: 'float'; readonly name: string; readonly size: number }
  | { readonly kind: 'pointer'; readonly to: number }
  | { readonly kind: 'array'; readonly element: number; readonly length: number }
  | {
      readonly kind: 'struct' | 'union';
      readonly name: string;
      readonly size: number;
      readonly members: readonly BtfMember[];
    }
  | { readonly kind: 'enum'; readonly name: string; readonly size: number; readonly signed: boolean }
  /** It is declared, and not known what is in it. */
  | { readonly kind: 'forward'; readonly name: string }
  | { readonly kind: 'typedef'; readonly name: string; readonly of: number }
  /** const, volatile, restrict, and tags such as `user`. */
  | { readonly kind: 'qualified'; readonly tag: string; readonly of: number }
  | { readonly kind: 'function'; readonly name: string; readonly prototype: number }
  | { readonly kind: 'prototype'; readonly returns: number; readonly parameters: readonly BtfParameter[] }
  | { readonly kind: 'other'; readonly name: string };

/** Bits of the word after an int. */
const INT_SIGNED = 1 << 24;

/** The word at an index; a file that refers beyond its end has zeros there. */
type Reader = (index: number) => number;

function members(btf: Btf, word: Reader, count: number, hasBitFields: boolean): readonly BtfMember[] {
  return Array.from({ length: count }, (_, index) => {
    const at = TYPE_WORDS + index * 3;
    const offset = word(at + 2);
    return {
      name: nameAt(btf, word(at)),
      type: word(at + 1),
      bitOffset: hasBitFields ? offset & 0xff_ffff : offset,
      bitSize: hasBitFields ? offset >>> 24 : 0,
    };
  });
}

function parameters(btf: Btf, word: Reader, count: number): readonly BtfParameter[] {
  return Array.from({ length: count }, (_, index) => ({
    name: nameAt(btf, word(TYPE_WORDS + index * 2)),
    type: word(TYPE_WORDS + index * 2 + 1),
  }));
}

const qualifiers: ReadonlyMap<number, string> = new Map([
  [Kind.VOLATILE, 'volatile'],
  [Kind.CONST, 'const'],
  [Kind.RESTRICT, 'restrict'],
]);

/** @throws {FaultlineError} HOST_UNSUPPORTED: there is no such type */
export function typeAt(btf: Btf, number: number): BtfType {
  if (number === 0) return { kind: 'void' };
  const { words, at } = wordsAt(btf, number);
  const word: Reader = (index) => words[at + index] ?? 0;
  const info = word(1);
  const name = nameAt(btf, word(0));
  const [kind, count, flag, third] = [kindOf(info), partsOf(info), kindFlag(info), word(2)];
  switch (kind) {
    case Kind.INT:
      return { kind: 'int', name, size: third, signed: (word(3) & INT_SIGNED) !== 0 };
    case Kind.FLOAT:
      return { kind: 'float', name, size: third };
    case Kind.PTR:
      return { kind: 'pointer', to: third };
    case Kind.ARRAY:
      return { kind: 'array', element: word(3), length: word(5) };
    case Kind.STRUCT:
    case Kind.UNION:
      return {
        kind: kind === Kind.STRUCT ? 'struct' : 'union',
        name,
        size: third,
        members: members(btf, word, count, flag),
      };
    case Kind.ENUM:
    case Kind.ENUM64:
      return { kind: 'enum', name, size: third, signed: flag };
    case Kind.FWD:
      return { kind: 'forward', name };
    case Kind.TYPEDEF:
      return { kind: 'typedef', name, of: third };
    case Kind.TYPE_TAG:
      return { kind: 'qualified', tag: name, of: third };
    case Kind.FUNC:
      return { kind: 'function', name, prototype: third };
    case Kind.FUNC_PROTO:
      return { kind: 'prototype', returns: third, parameters: parameters(btf, word, count) };
    default: {
      const tag = qualifiers.get(kind);
      return tag === undefined ? { kind: 'other', name } : { kind: 'qualified', tag, of: third };
    }
  }
}

/** The type behind typedefs and qualifiers. */
export function plainType(btf: Btf, number: number): { readonly number: number; readonly type: BtfType } {
  const type = typeAt(btf, number);
  return type.kind === 'typedef' || type.kind === 'qualified' ? plainType(btf, type.of) : { number, type };
}

/** Where a member is in a struct or union, through those without a name; undefined where it has none of that name. */
export function findMember(btf: Btf, structure: number, name: string): BtfMember | undefined {
  const { type } = plainType(btf, structure);
  if (type.kind !== 'struct' && type.kind !== 'union') return undefined;
  for (const member of type.members) {
    if (member.name === name) return member;
    if (member.name !== '') continue;
    const inner = findMember(btf, member.type, name);
    if (inner !== undefined) return { ...inner, bitOffset: inner.bitOffset + member.bitOffset };
  }
  return undefined;
}

/** The names of all members that {@link findMember} finds. */
export function memberNames(btf: Btf, structure: number): readonly string[] {
  const { type } = plainType(btf, structure);
  if (type.kind !== 'struct' && type.kind !== 'union') return [];
  return type.members.flatMap((member) => (member.name === '' ? memberNames(btf, member.type) : [member.name]));
}

/** A constant of some enumeration. */
export interface EnumConstant {
  readonly value: bigint;
  /** The number of its enumeration. */
  readonly type: number;
}

/** The constants of an enumeration: where the name and the value of each stand. */
function constantIn(btf: Btf, number: number, names: readonly number[]): bigint | undefined {
  const { words, at } = wordsAt(btf, number);
  const info = words[at + 1] ?? 0;
  const isWide = kindOf(info) === Kind.ENUM64;
  const step = isWide ? 3 : 2;
  const end = at + TYPE_WORDS + partsOf(info) * step;
  for (let part = at + TYPE_WORDS; part < end; part += step) {
    if (!names.includes(words[part] ?? 0)) continue;
    const low = BigInt(words[part + 1] ?? 0);
    if (!isWide) return kindFlag(info) ? BigInt.asIntN(32, low) : low;
    const bits = (BigInt(words[part + 2] ?? 0) << 32n) | low;
    return kindFlag(info) ? BigInt.asIntN(64, bits) : bits;
  }
  return undefined;
}

/** The first constant of a name among all enumerations. */
export function findConstant(btf: Btf, name: string): EnumConstant | undefined {
  const names = nameOffsets(btf, name);
  if (names.length === 0) return undefined;
  for (const type of enumerations(btf)) {
    const value = constantIn(btf, type, names);
    if (value !== undefined) return { value, type };
  }
  return undefined;
}

/** Bytes of a value of a type; 0 for what has no size. */
export function sizeOf(btf: Btf, number: number): number {
  const { type } = plainType(btf, number);
  switch (type.kind) {
    case 'int':
    case 'float':
    case 'struct':
    case 'union':
    case 'enum':
      return type.size;
    case 'pointer':
      return 8;
    case 'array':
      return sizeOf(btf, type.element) * type.length;
    default:
      return 0;
  }
}

/** A type as C writes it: `const struct qstr *` */
export function typeName(btf: Btf, number: number): string {
  const type = typeAt(btf, number);
  switch (type.kind) {
    case 'void':
      return 'void';
    case 'pointer': {
      const to = typeName(btf, type.to);
      return to.endsWith('*') ? `${to}*` : `${to} *`;
    }
    case 'array':
      return `${typeName(btf, type.element)}[${type.length}]`;
    case 'struct':
    case 'union':
    case 'enum':
      return type.name === '' ? `${type.kind} { … }` : `${type.kind} ${type.name}`;
    case 'forward':
      return `struct ${type.name}`;
    case 'qualified':
      return typeAt(btf, type.of).kind === 'pointer'
        ? `${typeName(btf, type.of)}${type.tag}`
        : `${type.tag} ${typeName(btf, type.of)}`;
    case 'prototype':
      return `${typeName(btf, type.returns)} (…)`;
    default:
      return type.name;
  }
}

/** What the types of a function's parameters are called, as C writes them; none where there is no such function. */
export function parameterTypeNames(btf: Btf, name: string): readonly string[] {
  const number = findType(btf, name, 'function');
  const type = number === undefined ? undefined : typeAt(btf, number);
  const prototype = type?.kind === 'function' ? typeAt(btf, type.prototype) : undefined;
  return prototype?.kind === 'prototype' ? prototype.parameters.map((one) => typeName(btf, one.type)) : [];
}
