import { existsSync, readFileSync } from 'node:fs';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { isErrno, toSyscallError } from '../syscall-error.ts';
import { BTF_MAGIC, HeaderWord, Kind, kindOf, wordsOf } from './format.ts';

/*
 * A kernel's or module's BTF as it lies in memory. Opening it notes where each type begins, which for 126,000 types
 * takes a few milliseconds; everything else is read when it is asked for.
 */

export interface Btf {
  /** The numbers that this file adds to those of its base: `first` to `end`, without `end`. */
  readonly first: number;
  readonly end: number;
  /** What a module's types refer to; undefined for the kernel itself. */
  readonly base: Btf | undefined;
  /** The section of types, in 32-bit words. */
  readonly words: Uint32Array;
  /** Where in it each type begins, by its number less `first`. */
  readonly starts: Uint32Array;
  /** The section of names. */
  readonly strings: Buffer;
  /** How many bytes of names the base has; names of this file come after them. */
  readonly stringBase: number;
}

function damaged(what: string): FaultlineError {
  return new FaultlineError('HOST_UNSUPPORTED', `the kernel's types (BTF) cannot be read: ${what}`, {
    hint: 'bpftool btf dump file /sys/kernel/btf/vmlinux shows whether others can',
  });
}

/** Void has the number 0 and does not stand in the file. */
const firstNumber = 1;

function startsOf(words: Uint32Array): Uint32Array {
  // A type has at least three words.
  const starts = new Uint32Array(Math.ceil(words.length / 3));
  let count = 0;
  for (let at = 0; at < words.length; count += 1) {
    starts[count] = at;
    at += wordsOf(words[at + 1] ?? 0);
  }
  return starts.subarray(0, count);
}

/**
 * @param bytes the content of a file of /sys/kernel/btf; not copied
 * @throws {FaultlineError} HOST_UNSUPPORTED: it is no BTF of this byte order
 */
export function parseBtf(bytes: Buffer, base?: Btf): Btf {
  if (bytes.length < 24 || bytes.readUInt16LE(0) !== BTF_MAGIC) throw damaged('it does not begin as BTF does');
  const headerWord = (index: number): number => bytes.readUInt32LE(index * 4);
  const header = headerWord(HeaderWord.length);
  const types = header + headerWord(HeaderWord.typeOffset);
  const typeLength = headerWord(HeaderWord.typeLength);
  const strings = header + headerWord(HeaderWord.stringOffset);
  const stringLength = headerWord(HeaderWord.stringLength);
  if (types + typeLength > bytes.length || strings + stringLength > bytes.length) throw damaged('it is cut off');
  const at = bytes.byteOffset + types;
  const words =
    at % 4 === 0
      ? new Uint32Array(bytes.buffer, at, typeLength / 4)
      : new Uint32Array(Uint8Array.from(bytes.subarray(types, types + typeLength)).buffer);
  const starts = startsOf(words);
  const first = base?.end ?? firstNumber;
  return Object.freeze({
    first,
    end: first + starts.length,
    base,
    words,
    starts,
    strings: bytes.subarray(strings, strings + stringLength),
    stringBase: base === undefined ? 0 : base.stringBase + base.strings.length,
  });
}

const folder = '/sys/kernel/btf';
let kernel: Btf | undefined;

/** Does the running kernel show its types? Without reading them, which takes a while. */
export function hasBtf(): boolean {
  return kernel !== undefined || existsSync(`${folder}/vmlinux`);
}

/**
 * The types of the running kernel, or of one of its modules (`ext4`); the kernel's are read once.
 *
 * @throws {FaultlineError} HOST_UNSUPPORTED: the kernel does not show them
 */
export function readBtf(module?: string): Btf {
  if (module === undefined) {
    kernel ??= parseBtf(readBtfFile('vmlinux'));
    return kernel;
  }
  return parseBtf(readBtfFile(module), readBtf());
}

function readBtfFile(name: string): Buffer {
  try {
    return readFileSync(`${folder}/${name}`);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw toSyscallError(error);
    throw new FaultlineError('HOST_UNSUPPORTED', `there are no types (BTF) of ${printable(name)}`, {
      hint: 'the kernel needs CONFIG_DEBUG_INFO_BTF (and CONFIG_DEBUG_INFO_BTF_MODULES for modules)',
    });
  }
}

/** The file that has a type, or a name: the file itself, or its base. */
function fileOf(btf: Btf, number: number): Btf {
  if (number >= btf.end) throw damaged(`there is no type ${number}`);
  return number < btf.first && btf.base !== undefined ? fileOf(btf.base, number) : btf;
}

/** The words of a type: the section that it is in, and where it begins. */
export function wordsAt(btf: Btf, number: number): { readonly words: Uint32Array; readonly at: number } {
  const file = fileOf(btf, number);
  return { words: file.words, at: file.starts[number - file.first] ?? 0 };
}

export function nameAt(btf: Btf, offset: number): string {
  if (offset < btf.stringBase && btf.base !== undefined) return nameAt(btf.base, offset);
  const start = offset - btf.stringBase;
  return btf.strings.toString('utf8', start, btf.strings.indexOf(0, start));
}

/** Where a name stands; every name stands once. */
function offsetOf({ strings, stringBase }: Btf, name: string): number | undefined {
  const found = strings.indexOf(`\0${name}\0`, 0, 'utf8');
  return found === -1 ? undefined : stringBase + found + 1;
}

/** Where a name stands in a file and its base; it may stand once in each. */
export function nameOffsets(btf: Btf, name: string): readonly number[] {
  return [btf, btf.base].flatMap((file) => (file === undefined ? [] : (offsetOf(file, name) ?? [])));
}

/** All kinds together that a word of C may mean in one place. */
export const kindSets = {
  structure: [Kind.STRUCT],
  union: [Kind.UNION],
  enumeration: [Kind.ENUM, Kind.ENUM64],
  named: [Kind.TYPEDEF, Kind.INT, Kind.FLOAT],
  function: [Kind.FUNC],
} as const;

export type KindSet = keyof typeof kindSets;

/**
 * The number of the first type of a name.
 *
 * @returns undefined where there is none
 */
export function findType(btf: Btf, name: string, set: KindSet): number | undefined {
  let known = foundTypes.get(btf);
  if (known === undefined) {
    known = new Map();
    foundTypes.set(btf, known);
  }
  const key = `${set} ${name}`;
  if (!known.has(key)) known.set(key, searchType(btf, name, set));
  return known.get(key);
}

/** What was looked for: each look goes through all types, and most are asked for several times. */
const foundTypes = new WeakMap<Btf, Map<string, number | undefined>>();

function searchType(btf: Btf, wanted: string, set: KindSet): number | undefined {
  const inBase = btf.base === undefined ? undefined : findType(btf.base, wanted, set);
  if (inBase !== undefined) return inBase;
  const [one, other = one] = nameOffsets(btf, wanted);
  if (one === undefined) return undefined;
  const kinds: readonly number[] = kindSets[set];
  const { words, starts, first } = btf;
  for (let index = 0; index < starts.length; index += 1) {
    const at = starts[index] ?? 0;
    const name = words[at];
    if (name !== one && name !== other) continue;
    if (kinds.includes(kindOf(words[at + 1] ?? 0))) return first + index;
  }
  return undefined;
}

/** All names of functions, or of types, for whoever looks for a near one. */
export function namesOf(btf: Btf, set: KindSet): readonly string[] {
  const kinds: readonly number[] = kindSets[set];
  const { words, starts } = btf;
  const names: string[] = [];
  for (const at of starts) {
    if (kinds.includes(kindOf(words[at + 1] ?? 0))) names.push(nameAt(btf, words[at] ?? 0));
  }
  return btf.base === undefined ? names : [...namesOf(btf.base, set), ...names];
}

/** Every enumeration's number, for whoever looks for a constant. */
export function enumerations(btf: Btf): readonly number[] {
  const { words, starts, first } = btf;
  const kinds: readonly number[] = kindSets.enumeration;
  const own: number[] = [];
  for (let index = 0; index < starts.length; index += 1) {
    if (kinds.includes(kindOf(words[(starts[index] ?? 0) + 1] ?? 0))) own.push(first + index);
  }
  return btf.base === undefined ? own : [...enumerations(btf.base), ...own];
}
