import { type Btf, parseBtf } from '../../../linux/btf/btf.ts';
import { btfBuilder } from '../../../linux/btf/test-support/btf-builder.ts';

/*
 * A kernel's types, in small: the same on every host.
 */

/** What a member of `struct sample` is; those with bits are bit-fields. */
export interface SampleMember {
  readonly name: string;
  /** Bytes of the integer that it is, or that it is in. */
  readonly size: 1 | 2 | 4 | 8;
  readonly signed: boolean;
  readonly bitOffset: number;
  readonly bits?: number;
}

export const sampleMembers: readonly SampleMember[] = [
  { name: 's8', size: 1, signed: true, bitOffset: 0 },
  { name: 'u8', size: 1, signed: false, bitOffset: 8 },
  { name: 's16', size: 2, signed: true, bitOffset: 16 },
  { name: 'u16', size: 2, signed: false, bitOffset: 32 },
  { name: 's32', size: 4, signed: true, bitOffset: 64 },
  { name: 'u32', size: 4, signed: false, bitOffset: 96 },
  { name: 's64', size: 8, signed: true, bitOffset: 128 },
  { name: 'u64', size: 8, signed: false, bitOffset: 192 },
  { name: 'b3', size: 4, signed: false, bitOffset: 256, bits: 3 },
  { name: 'sb5', size: 4, signed: true, bitOffset: 259, bits: 5 },
  { name: 'b24', size: 4, signed: false, bitOffset: 264, bits: 24 },
  { name: 'b40', size: 8, signed: false, bitOffset: 320, bits: 40 },
  // In a union without a name.
  { name: 'whole', size: 8, signed: true, bitOffset: 384 },
  { name: 'half', size: 4, signed: false, bitOffset: 416 },
];

/** Where the other members are, in bytes. */
export const sampleOffsets = { numbers: 56, text: 72, name: 88, next: 96 } as const;
export const sampleBytes = 104;
/** Elements of `numbers`, which are ints, and of `text`, which are chars. */
export const sampleLengths = { numbers: 4, text: 16 } as const;

/**
 * The types, and functions that take them:
 * `look(struct sample *it, int n, unsigned long m, unsigned char c)`, `__x64_sys_look(struct pt_regs *)` and
 * `pass(struct sample whole)`.
 */
export function sampleBtf(): Btf {
  const build = btfBuilder();
  const integers = new Map(
    sampleMembers.map(({ size, signed }): readonly [string, Pick<SampleMember, 'size' | 'signed'>] => [
      `${signed ? 's' : 'u'}${size}`,
      { size, signed },
    ]),
  );
  const names: Readonly<Record<string, string>> = { s1: 'char', s4: 'int', s8: 'long', u8: 'unsigned long' };
  const numbers = new Map<string, number>(
    [...integers].map(([key, { size, signed }]) => [key, build.int(names[key] ?? key, size, signed)]),
  );
  const typeOf = (size: number, signed: boolean): number => numbers.get(`${signed ? 's' : 'u'}${size}`) ?? 0;
  const member = ({ name, size, signed, bitOffset, bits }: SampleMember, base = 0) => ({
    name,
    type: typeOf(size, signed),
    bitOffset: bitOffset - base,
    ...(bits === undefined ? {} : { bitSize: bits }),
  });
  const inUnion = sampleMembers.filter(({ name }) => name === 'whole' || name === 'half');
  const union = build.structure(
    'union',
    '',
    8,
    inUnion.map((one) => member(one, 384)),
  );
  const outside = sampleMembers.filter((one) => !inUnion.includes(one));
  const text = build.pointer(build.named('CONST', '', typeOf(1, true)));
  const array = build.array(typeOf(4, true), sampleLengths.numbers);
  const chars = build.array(typeOf(1, true), sampleLengths.text);
  // The pointer to the structure stands right before it.
  const sample = build.pointer(0) + 2;
  const next = build.pointer(sample);
  build.structure('struct', 'sample', sampleBytes, [
    ...outside.map((one) => member(one)),
    { name: '', type: union, bitOffset: 384 },
    { name: 'numbers', type: array, bitOffset: sampleOffsets.numbers * 8 },
    { name: 'text', type: chars, bitOffset: sampleOffsets.text * 8 },
    { name: 'name', type: text, bitOffset: sampleOffsets.name * 8 },
    { name: 'next', type: next, bitOffset: sampleOffsets.next * 8 },
  ]);
  build.enumeration('sample_kind', { KIND_NONE: 0, KIND_ONE: 1, KIND_FAR: 100_000 });
  const alias = build.named('TYPEDEF', 'sample_t', sample);
  build.named('TYPEDEF', 'u32', typeOf(4, false));
  build.function('look', [
    ['it', next],
    ['n', typeOf(4, true)],
    ['m', typeOf(8, false)],
    ['c', typeOf(1, false)],
  ]);
  build.function('pass', [['whole', alias]]);
  build.function('__x64_sys_look', [['regs', next]]);
  return parseBtf(build.bytes());
}
