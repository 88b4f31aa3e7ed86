import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { type FuseMethod, fuseMethods } from '../../linux/fuse/methods.ts';
import { nearHint } from '../near.ts';
import type { DisturbanceKind } from './rule.ts';

/*
 * Which operations can be disturbed in which way. What cannot is never dropped silently: it is refused, or, where
 * others beside it can, told.
 */

const dataMethods = ['read', 'write'] as const satisfies readonly FuseMethod[];

/**
 * Those whose answer carries the attributes of the file that is asked for. readdir carries those of others, and the
 * kernel asks for each again.
 */
const attributeMethods = [
  'lookup',
  'getattr',
  'setattr',
  'mknod',
  'mkdir',
  'symlink',
  'link',
  'create',
] as const satisfies readonly FuseMethod[];

/** Why an operation cannot be disturbed at all. */
const unreachable: Partial<Readonly<Record<FuseMethod, string>>> = {
  forget: 'no program waits for forget: the kernel sends it when it likes, and expects no answer',
  access: 'the kernel answers access(2) by itself, by the attributes that it has; use lookup or getattr',
  bmap: 'the kernel asks for bmap only where a FUSE file system lies on a block device',
};

/** Why an errno would be seen by nobody. */
const withoutError: Partial<Readonly<Record<FuseMethod, string>>> = {
  release: 'the kernel sends release after close(2) has answered; use flush, whose errno close(2) returns',
  releasedir: 'the kernel sends releasedir after closedir(3) has answered',
};

const limitedTo: Readonly<
  Record<DisturbanceKind, { readonly methods: readonly FuseMethod[]; readonly reason: string } | undefined>
> = {
  latency: undefined,
  errno: undefined,
  bandwidth: { methods: dataMethods, reason: 'a bandwidth limits read and write' },
  short: { methods: dataMethods, reason: 'only read and write can be short' },
  mistake: { methods: dataMethods, reason: 'only read and write carry the bytes of a file' },
  attributes: { methods: attributeMethods, reason: `only ${attributeMethods.join(', ')} answer with attributes` },
};

/** Why a kind of disturbance cannot reach a method; undefined where it can. */
export function unreachableReason(kind: DisturbanceKind, method: FuseMethod): string | undefined {
  const limit = limitedTo[kind];
  if (limit !== undefined) return limit.methods.includes(method) ? undefined : limit.reason;
  return unreachable[method] ?? (kind === 'errno' ? withoutError[method] : undefined);
}

/** All methods that one of the kinds of disturbance can reach. */
export function reachableMethods(kinds: readonly DisturbanceKind[]): readonly FuseMethod[] {
  return fuseMethods.filter((method) => kinds.some((kind) => unreachableReason(kind, method) === undefined));
}

function isMethod(name: string): name is FuseMethod {
  return fuseMethods.some((method) => method === name);
}

/**
 * Methods by their names, in either case, each once.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID
 */
export function parseMethods(names: readonly string[]): readonly FuseMethod[] {
  const methods = names.map((name) => {
    const method = name.trim().toLowerCase();
    if (isMethod(method)) return method;
    throw new FaultlineError('ARGUMENT_INVALID', `there is no method "${printable(name.slice(0, 40))}"`, {
      hint: nearHint(method, fuseMethods),
    });
  });
  return [...new Set(methods)];
}

/** Sentences about the methods of a rule that cannot be disturbed as it says; the others are. */
export function unreachableNotes(kinds: readonly DisturbanceKind[], methods: readonly FuseMethod[]): readonly string[] {
  return methods.flatMap((method) => {
    const reasons = kinds.map((kind) => unreachableReason(kind, method));
    const [reason] = reasons;
    return reason === undefined || reasons.includes(undefined) ? [] : [`${method} is left alone: ${reason}`];
  });
}
