import { parseDuration } from '../../base/duration.ts';
import { FaultlineError } from '../../base/error.ts';
import type { JsonObject } from '../../base/json.ts';
import { checkProperty, parseInput } from '../../base/schema.ts';
import type { Static } from '../../base/schema-types.ts';
import { parseSize } from '../../base/size.ts';
import { printable } from '../../base/text.ts';
import type { FuseMethod } from '../../linux/fuse/methods.ts';
import { userId } from '../../linux/users.ts';
import { parseAttributes } from './attribute-changes.ts';
import { parseErrnos } from './errnos.ts';
import { parseGlob } from './glob.ts';
import { parseMethods, reachableMethods, unreachableReason } from './methods.ts';
import type { Distribution, DisturbanceSpec, IoRule, LatencySpec, OffsetRange } from './rule.ts';
import { type RuleAction, ruleSchemas } from './schema.ts';

/*
 * From what a person says of one rule to the rule with every default filled in.
 */

type Filters = Static<(typeof ruleSchemas)['latency']>;

function refuse(sentence: string, hint: string): never {
  throw new FaultlineError('ARGUMENT_INVALID', sentence, { hint });
}

/** A delay; what is not above zero is refused in words that fit it. */
function milliseconds(text: string, what: string): number {
  if (!text.trim().startsWith('-')) return parseDuration(text.replaceAll(' ', ''), what);
  throw new FaultlineError('DURATION_INVALID', `${what} "${printable(text.slice(0, 80))}" is negative`, {
    hint: 'write a time above zero with its unit, such as 10ms or 1.5s',
  });
}

function distributionOf(given: Distribution | undefined, jitterMs: number): Distribution {
  if (jitterMs === 0 && given !== undefined && given !== 'constant') {
    refuse(`--distribution ${given} says how a delay varies, but not how much`, 'add --jitter');
  }
  if (jitterMs > 0 && given === 'constant') {
    refuse('a constant delay has no jitter', 'leave --jitter out, or give --distribution uniform, normal or pareto');
  }
  return given ?? (jitterMs > 0 ? 'uniform' : 'constant');
}

function latencyOf(delay: string, { jitter, distribution }: Filters): LatencySpec {
  const jitterMs = jitter === undefined ? 0 : checkProperty('jitter', () => milliseconds(jitter, '--jitter'));
  return {
    kind: 'latency',
    delayMs: checkProperty('delay', () => milliseconds(delay, '--delay')),
    jitterMs,
    distribution: checkProperty('distribution', () => distributionOf(distribution, jitterMs)),
  };
}

/** Bytes of a flag that are at least one: a number, or text with a unit. */
function bytesOf(given: string | number, what: string): number {
  const bytes = parseSize(String(given).replace(/\/s$/u, ''), what);
  return bytes > 0 ? bytes : refuse(`${what} must be at least one byte`, 'write a number above zero');
}

async function latencyDisturbances(input: JsonObject): Promise<readonly DisturbanceSpec[]> {
  const given = await parseInput(ruleSchemas.latency, input);
  const { delay, bandwidth, jitter, distribution } = given;
  if (delay === undefined && (jitter !== undefined || distribution !== undefined)) {
    refuse('--jitter and --distribution say how a delay varies, and there is none', 'add --delay');
  }
  if (delay === undefined && bandwidth === undefined) {
    refuse('nothing says how slow it is to be', 'give --delay 10ms, --bandwidth 1M, or both');
  }
  return [
    ...(delay === undefined ? [] : [latencyOf(delay, given)]),
    ...(bandwidth === undefined
      ? []
      : [{ kind: 'bandwidth', bytesPerSecond: bytesOf(bandwidth, '--bandwidth') } as const]),
  ];
}

async function faultDisturbances(input: JsonObject): Promise<readonly DisturbanceSpec[]> {
  const { errno, short } = await parseInput(ruleSchemas.fault, input);
  if (errno !== undefined && short !== undefined) {
    refuse('what fails is not also short', 'give --errno or --short; for both, two rules');
  }
  if (errno !== undefined) return [checkProperty('errno', () => parseErrnos(errno))];
  if (short === undefined) refuse('nothing says what is to fail', 'give --errno EIO, or --short 100');
  return [{ kind: 'short', maxBytes: short === 'random' ? null : bytesOf(short, '--short') }];
}

async function attributeDisturbances(input: JsonObject): Promise<readonly DisturbanceSpec[]> {
  const { attr } = await parseInput(ruleSchemas['attr-override'], input);
  return [{ kind: 'attributes', attr: checkProperty('attr', () => parseAttributes(attr)) }];
}

async function mistakeDisturbances(input: JsonObject): Promise<readonly DisturbanceSpec[]> {
  const { filling = 'random', maxOccurrences = 1, maxLength = 1 } = await parseInput(ruleSchemas.mistake, input);
  return [{ kind: 'mistake', filling, maxOccurrences, maxLength }];
}

const disturbancesOf: Readonly<Record<RuleAction, (input: JsonObject) => Promise<readonly DisturbanceSpec[]>>> = {
  latency: latencyDisturbances,
  fault: faultDisturbances,
  'attr-override': attributeDisturbances,
  mistake: mistakeDisturbances,
};

/** `0-4K`: from the first byte up to, and without, the second. */
function offsetsOf(text: string | undefined): OffsetRange | null {
  if (text === undefined) return null;
  const [, from, to] = /^([^-]+)-([^-]*)$/u.exec(text.trim()) ?? [];
  if (from === undefined || to === undefined) {
    refuse(`--offset-range "${printable(text.slice(0, 80))}" is no range`, 'write 0-4K, or 1M- for all from there on');
  }
  const range = {
    from: parseSize(from, '--offset-range'),
    to: to === '' ? null : parseSize(to, '--offset-range'),
  };
  if (range.to !== null && range.to <= range.from) {
    refuse(`--offset-range ${printable(text)} is empty`, 'it goes up to, and without, its second number');
  }
  return range;
}

const dataMethods: readonly FuseMethod[] = ['read', 'write'];

function methodsOf(
  given: readonly string[] | undefined,
  disturbances: readonly DisturbanceSpec[],
  offsets: OffsetRange | null,
): readonly FuseMethod[] {
  const kinds = disturbances.map(({ kind }) => kind);
  if (given === undefined) {
    const reachable = reachableMethods(kinds);
    if (offsets === null) return reachable;
    const withOffset = reachable.filter((method) => dataMethods.includes(method));
    if (withOffset.length === 0) {
      refuse('--offset-range means nothing for this fault', 'only read and write have an offset');
    }
    return withOffset;
  }
  const methods = parseMethods(given);
  for (const kind of kinds) {
    const reasons = methods.map((method) => unreachableReason(kind, method));
    const [reason] = reasons;
    if (reason !== undefined && !reasons.includes(undefined)) {
      refuse(`this fault cannot reach ${methods.join(', ')}: ${reason}`, `it can reach: ${all([kind])}`);
    }
  }
  const without = offsets === null ? undefined : methods.find((method) => !dataMethods.includes(method));
  if (without !== undefined) {
    refuse(`--offset-range means nothing for ${without}`, 'only read and write have an offset: --methods read,write');
  }
  return methods;
}

const all = (kinds: readonly DisturbanceSpec['kind'][]): string => reachableMethods(kinds).join(', ');

/**
 * The kernel gives up a file whose type changes under it (fuse_make_bad of fs/fuse/dir.c): whoever uses it gets EIO,
 * even when it has its old type again. So another type must be there from the first look on, for all.
 */
function refuseChangingKind(input: JsonObject, disturbances: readonly DisturbanceSpec[]): void {
  if (!disturbances.some((one) => one.kind === 'attributes' && one.attr.kind !== undefined)) return;
  const selective = ['methods', 'by-pid', 'by-comm', 'by-user', 'after', 'nth', 'every', 'count'];
  const given = selective.find((flag) => input[flag.replaceAll(/-(.)/gu, (_, letter: string) => letter.toUpperCase())]);
  const partly = typeof input['percent'] === 'number' && input['percent'] < 100 ? 'percent' : given;
  if (partly === undefined) return;
  refuse(
    `the kind of a file is overridden for all operations or for none, so --${partly} cannot go with it`,
    'the kernel gives up a file whose type changes; leave the option out, or override something else',
  );
}

function refuseUnreachable(path: string | undefined, volume: string): void {
  if (path === undefined || parseGlob(path).reachesInto(volume)) return;
  refuse(
    `--path ${printable(path.slice(0, 200))} matches nothing in the volume ${printable(volume)}`,
    `begin it with the volume: ${printable(volume)}/**`,
  );
}

/**
 * Check what is given for one rule, and fill in its defaults.
 *
 * @param input as flags or the fields of a body say it, without what is about the place
 * @param volume as its users see it, without a slash at the end
 * @throws {FaultlineError} ARGUMENT_INVALID, DURATION_INVALID, USER_UNKNOWN
 */
export async function parseRule(action: RuleAction, input: JsonObject, volume: string): Promise<IoRule> {
  const disturbances = await disturbancesOf[action](input);
  const filters = input as Filters;
  checkProperty('path', () => refuseUnreachable(filters.path, volume));
  refuseChangingKind(input, disturbances);
  if (filters.nth !== undefined && filters.every !== undefined) {
    refuse('--nth and --every exclude each other', 'give one of them');
  }
  const offsets = checkProperty('offsetRange', () => offsetsOf(filters.offsetRange));
  return Object.freeze({
    path: filters.path ?? null,
    methods: checkProperty('methods', () => methodsOf(filters.methods, disturbances, offsets)),
    by: {
      pids: filters.byPid ?? [],
      comms: filters.byComm ?? [],
      uids: checkProperty('byUser', () => (filters.byUser ?? []).map((user) => userId(String(user)))),
    },
    offsets,
    after: filters.after ?? 0,
    nth: filters.nth ?? [],
    every: filters.every ?? 1,
    percent: filters.percent ?? 100,
    count: filters.count ?? null,
    disturbances,
  });
}
