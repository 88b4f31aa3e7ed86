/*
 * BTF made by hand, for tests: the same on every kernel, and with what few kernels have.
 */

import { BTF_MAGIC, Kind } from '../format.ts';

interface MemberInput {
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
  readonly bitSize?: number;
}

export interface BtfBuilder {
  int(name: string, size: number, signed: boolean): number;
  pointer(to: number): number;
  array(element: number, length: number): number;
  structure(kind: 'struct' | 'union', name: string, size: number, members: readonly MemberInput[]): number;
  enumeration(name: string, constants: Readonly<Record<string, number>>): number;
  /** Of 64 bits, with a sign. */
  wideEnumeration(name: string, constants: Readonly<Record<string, bigint>>): number;
  named(kind: 'TYPEDEF' | 'CONST' | 'VOLATILE' | 'TYPE_TAG' | 'FWD', name: string, of: number): number;
  function(name: string, parameters: readonly (readonly [name: string, type: number])[]): number;
  bytes(): Buffer;
}

/** The names of a file, each once. */
function nameTable(base: number): { readonly offsetOf: (name: string) => number; readonly bytes: () => Buffer } {
  let strings = '\0';
  return {
    offsetOf(name) {
      if (name === '') return 0;
      const known = strings.indexOf(`\0${name}\0`);
      if (known !== -1) return base + known + 1;
      strings += `${name}\0`;
      return base + strings.length - name.length - 1;
    },
    bytes: () => Buffer.from(strings, 'utf8'),
  };
}

function fileOf(words: readonly number[], names: Buffer): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt16LE(BTF_MAGIC, 0);
  header.writeUInt8(1, 2);
  const types = Buffer.alloc(words.length * 4);
  for (const [index, word] of words.entries()) types.writeUInt32LE(word >>> 0, index * 4);
  for (const [index, word] of [24, 0, types.length, types.length, names.length].entries()) {
    header.writeUInt32LE(word, 4 + index * 4);
  }
  return Buffer.concat([header, types, names]);
}

const kindFlag = 1 << 31;

/** @param first the number of the first type, and where its names begin: for BTF that has another one below it */
export function btfBuilder(first = 1, stringBase = 0): BtfBuilder {
  const words: number[] = [];
  const { offsetOf, bytes } = nameTable(stringBase);
  let next = first;

  function add(kind: number, name: string, info: number, third: number, rest: readonly number[]): number {
    words.push(offsetOf(name), ((kind << 24) | info) >>> 0, third, ...rest);
    next += 1;
    return next - 1;
  }

  return {
    int: (name, size, signed) => add(Kind.INT, name, 0, size, [((signed ? 1 : 0) << 24) | (size * 8)]),
    pointer: (to) => add(Kind.PTR, '', 0, to, []),
    array: (element, length) => add(Kind.ARRAY, '', 0, 0, [element, element, length]),
    structure(kind, name, size, members) {
      const hasBitFields = members.some(({ bitSize }) => bitSize !== undefined);
      const place = ({ bitOffset, bitSize = 0 }: MemberInput): number =>
        hasBitFields ? (bitSize << 24) | bitOffset : bitOffset;
      const rest = members.flatMap((one) => [offsetOf(one.name), one.type, place(one)]);
      const info = (hasBitFields ? kindFlag : 0) | members.length;
      return add(kind === 'struct' ? Kind.STRUCT : Kind.UNION, name, info, size, rest);
    },
    enumeration(name, constants) {
      const rest = Object.entries(constants).flatMap(([constant, value]) => [offsetOf(constant), value >>> 0]);
      return add(Kind.ENUM, name, rest.length / 2, 4, rest);
    },
    wideEnumeration(name, constants) {
      const low = (value: bigint): number => Number(BigInt.asUintN(32, value));
      const rest = Object.entries(constants).flatMap(([one, value]) => [offsetOf(one), low(value), low(value >> 32n)]);
      return add(Kind.ENUM64, name, kindFlag | (rest.length / 3), 8, rest);
    },
    named: (kind, name, of) => add(Kind[kind], name, 0, of, []),
    function(name, parameters) {
      const rest = parameters.flatMap(([parameter, type]) => [offsetOf(parameter), type]);
      return add(Kind.FUNC, name, 0, add(Kind.FUNC_PROTO, '', parameters.length, 0, rest), []);
    },
    bytes: () => fileOf(words, bytes()),
  };
}
