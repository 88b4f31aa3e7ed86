import type { FileAttributes, Interposer, Operation, Ruling } from '../../src/linux/fuse/interposer.ts';
import type { FuseMethod } from '../../src/linux/fuse/methods.ts';
import type { RuleChannel } from './fuse-rule-channel.ts';

/** What a test wants to be different. The first rule that is about an operation decides. */
export interface TestRule {
  /** A regular expression of the path. */
  readonly path: string;
  readonly methods: readonly FuseMethod[];
  readonly delayMs?: number;
  readonly errno?: number;
  readonly maxBytes?: number;
  /** All bytes become this one. */
  readonly fill?: number;
  readonly size?: number;
  readonly mode?: number;
  readonly uid?: number;
  /** Whole seconds since 1970. */
  readonly mtime?: number;
  /** Reads and writes are done by the interposer itself, which turns the bytes around; syncs fail with EIO. */
  readonly performs?: boolean;
  /** The interposer has a bug. */
  readonly throws?: boolean;
}

/** `counts[n]` is how often rule n has decided. */
export function createInterposer(channel: RuleChannel): Interposer {
  let known = -1;
  let rules: readonly CompiledRule[] = [];
  const refresh = (): void => {
    const generation = channel.generation();
    if (generation === known) return;
    known = generation;
    rules = ((channel.rules() ?? []) as readonly TestRule[]).map(compile);
  };
  return {
    generation: () => channel.generation(),
    interest: (path) => {
      refresh();
      return rules.reduce((bits, { pattern }, index) => (pattern.test(path) ? bits | (1 << index) : bits), 0);
    },
    rule: (interest, operation) => {
      refresh();
      const index = rules.findIndex((rule, at) => (interest & (1 << at)) !== 0 && rule.methods.has(operation.method));
      const rule = rules[index];
      if (rule === undefined || !isAbout(rule, operation)) return undefined;
      Atomics.add(channel.counts, index, 1);
      if (rule.throws) throw new Error('the interposer has a bug');
      return rule.ruling;
    },
  };
}

interface CompiledRule {
  readonly pattern: RegExp;
  readonly methods: ReadonlySet<FuseMethod>;
  readonly throws: boolean;
  readonly ruling: Ruling;
}

/** The path that the operation tells must be one that interest was asked about. */
function isAbout({ pattern }: CompiledRule, operation: Operation): boolean {
  return pattern.test(operation.path()) || pattern.test(operation.otherPath() ?? '');
}

function compile(rule: TestRule): CompiledRule {
  const { fill, performs = false } = rule;
  const changesAttributes = [rule.size, rule.mode, rule.uid, rule.mtime].some((value) => value !== undefined);
  return {
    pattern: new RegExp(rule.path, 'u'),
    methods: new Set(rule.methods),
    throws: rule.throws ?? false,
    ruling: {
      delayMs: rule.delayMs ?? 0,
      errno: rule.errno ?? 0,
      maxBytes: rule.maxBytes ?? Infinity,
      ...(fill === undefined ? {} : { alterData: (bytes: Uint8Array) => void bytes.fill(fill) }),
      ...(changesAttributes ? { alterAttributes: (attributes: FileAttributes) => alter(attributes, rule) } : {}),
      ...(performs ? { perform: turnAround(rule.methods) } : {}),
    },
  };
}

function alter(attributes: FileAttributes, { size, mode, uid, mtime }: TestRule): void {
  if (size !== undefined) attributes.size = BigInt(size);
  if (mode !== undefined) attributes.mode = (attributes.mode & ~0o7777) | mode;
  if (uid !== undefined) attributes.uid = uid;
  if (mtime !== undefined) attributes.mtimeNs = BigInt(mtime) * 1_000_000_000n;
}

const eio = 5;

function turnAround(methods: readonly FuseMethod[]): NonNullable<Ruling['perform']> {
  if (methods.includes('fsync')) return (backing) => backing.sync(false) || -eio;
  if (methods.includes('read')) {
    return (backing, bytes, offset) => {
      const length = backing.read(bytes, offset);
      bytes.subarray(0, Math.max(0, length)).reverse();
      return length;
    };
  }
  return (backing, bytes, offset) => backing.write(bytes.toReversed(), offset);
}
