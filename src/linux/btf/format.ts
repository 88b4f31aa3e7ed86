/*
 * BTF, the kernel's description of its own types: Documentation/bpf/btf.rst, include/uapi/linux/btf.h. A header, a
 * section of types that are numbered from 1 in the order in which they stand, and a section of NUL-terminated names.
 */

export const BTF_MAGIC = 0xeb9f;

/** struct btf_header, in 32-bit words from its beginning. */
export const HeaderWord = { length: 1, typeOffset: 2, typeLength: 3, stringOffset: 4, stringLength: 5 } as const;

/** BTF_KIND_* */
export const Kind = {
  INT: 1,
  PTR: 2,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  FWD: 7,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  FUNC: 12,
  FUNC_PROTO: 13,
  VAR: 14,
  DATASEC: 15,
  FLOAT: 16,
  DECL_TAG: 17,
  TYPE_TAG: 18,
  ENUM64: 19,
} as const;

/** struct btf_type: three words (name, info, size or type), then as many as the kind has. */
export const TYPE_WORDS = 3;

/** Words after struct btf_type: so many, and so many more for each of its `vlen` parts. */
const extraWords: readonly (readonly [fixed: number, each: number])[] = (() => {
  const words: (readonly [number, number])[] = Array.from({ length: 32 }, () => [0, 0] as const);
  words[Kind.INT] = [1, 0];
  words[Kind.ARRAY] = [3, 0];
  words[Kind.STRUCT] = [0, 3];
  words[Kind.UNION] = [0, 3];
  words[Kind.ENUM] = [0, 2];
  words[Kind.FUNC_PROTO] = [0, 2];
  words[Kind.VAR] = [1, 0];
  words[Kind.DATASEC] = [0, 3];
  words[Kind.DECL_TAG] = [1, 0];
  words[Kind.ENUM64] = [0, 3];
  return words;
})();

export const kindOf = (info: number): number => (info >>> 24) & 0x1f;
export const partsOf = (info: number): number => info & 0xffff;
export const kindFlag = (info: number): boolean => info >>> 31 === 1;

const fixedWords = Uint8Array.from(extraWords, ([fixed]) => fixed);
const eachWords = Uint8Array.from(extraWords, ([, each]) => each);

/** How many words a type takes, by its second word. */
export function wordsOf(info: number): number {
  const kind = kindOf(info);
  return TYPE_WORDS + (fixedWords[kind] ?? 0) + (eachWords[kind] ?? 0) * partsOf(info);
}
