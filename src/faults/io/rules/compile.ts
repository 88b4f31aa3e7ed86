import type { Operation } from '../../../linux/fuse/interposer.ts';
import { type FuseMethod, fuseMethods } from '../../../linux/fuse/methods.ts';
import { counterAt, type RuleCounter } from '../counters.ts';
import { type Glob, parseGlob } from '../glob.ts';
import { unreachableReason } from '../methods.ts';
import type { DisturbanceSpec, IoRule } from '../rule.ts';
import type { SlottedRule } from '../shared-rules.ts';
import { attributes } from './attributes.ts';
import { bandwidth } from './bandwidth.ts';
import type { Disturbance, Draft } from './disturbance.ts';
import { type Chance, chanceOf } from './draw.ts';
import { errno } from './errno.ts';
import { latency } from './latency.ts';
import { mistake } from './mistake.ts';
import { requesterFilter } from './requester.ts';
import { short } from './short.ts';
import { touches, trigger } from './triggers.ts';

/** A rule that can be asked about operations. */
export interface CompiledRule {
  /** Which of `Interposer.interest`'s bits stands for it. */
  readonly bit: number;
  /** Does it make operations fail? Such rules are asked first. */
  readonly fails: boolean;
  /** May something in the file of this path be disturbed? The path as the user sees it. */
  fits(path: string): boolean;
  /**
   * Count the operation and, if it is its turn, add to what is to be different about it.
   *
   * @returns true when it did
   */
  consider(draft: Draft, operation: Operation): boolean;
}

/** What the threads have in common that rules are compiled for. */
export interface Surroundings {
  readonly counters: SharedArrayBuffer;
  /** The monotonic clock in ns, the same for all threads. */
  readonly clockNs: () => bigint;
}

interface Parts {
  readonly rule: IoRule;
  readonly chance: Chance;
  readonly counter: RuleCounter;
  readonly clockNs: () => bigint;
}

function disturbanceOf(spec: DisturbanceSpec, { rule, chance, counter, clockNs }: Parts): Disturbance {
  switch (spec.kind) {
    case 'latency':
      return latency(spec, chance);
    case 'bandwidth':
      return bandwidth(spec, counter.clock, clockNs);
    case 'errno':
      return errno(spec, chance);
    case 'short':
      return short(spec, chance);
    case 'mistake':
      return mistake(spec, rule.offsets, chance);
    case 'attributes':
      return attributes(spec);
  }
}

interface Reach {
  readonly disturbance: Disturbance;
  readonly methods: ReadonlySet<FuseMethod>;
}

/** A disturbance, with those of the rule's methods that it can reach. */
function reachOf(spec: DisturbanceSpec, parts: Parts): Reach {
  const methods = parts.rule.methods.filter((method) => unreachableReason(spec.kind, method) === undefined);
  return { disturbance: disturbanceOf(spec, parts), methods: new Set(methods) };
}

/** By method: the disturbances that can reach it. Asked for each operation. */
function byMethod(reaches: readonly Reach[]): ReadonlyMap<FuseMethod, readonly Disturbance[]> {
  const lists = fuseMethods.map((method) => {
    const able = reaches.filter(({ methods }) => methods.has(method));
    return [method, able.map(({ disturbance }) => disturbance)] as const;
  });
  return new Map(lists.filter(([, able]) => able.length > 0));
}

function record(counter: RuleCounter, before: Draft, after: Draft, operation: Operation): void {
  counter.record({
    time: Date.now(),
    pid: operation.pid,
    method: operation.method,
    path: operation.path(),
    offset: operation.offset,
    size: operation.size,
    errno: after.errno === before.errno ? 0 : after.errno,
    delayMs: after.delayMs - before.delayMs,
    maxBytes: after.maxBytes === before.maxBytes ? null : after.maxBytes,
  });
}

/** @param index the rule's place among those in force, from 0 */
export function compileRule(slotted: SlottedRule, index: number, surroundings: Surroundings): CompiledRule {
  const { rule, slot, seed, number } = slotted;
  const chance = chanceOf(seed, number);
  const counter = counterAt(surroundings.counters, slot);
  const parts: Parts = { rule, chance, counter, clockNs: surroundings.clockNs };
  const reaching = byMethod(rule.disturbances.map((spec) => reachOf(spec, parts)));
  const glob: Glob | undefined = rule.path === null ? undefined : parseGlob(rule.path);
  const isAskedBy = requesterFilter(rule.by);
  const isItsTurn = trigger(rule, chance);

  function consider(draft: Draft, operation: Operation): boolean {
    const able = reaching.get(operation.method);
    if (able === undefined) return false;
    counter.see();
    if (!touches(rule.offsets, operation.offset, operation.size)) return false;
    if (!able.some((disturbance) => disturbance.applies(operation)) || !isAskedBy(operation)) return false;
    const match = counter.match();
    if (!isItsTurn(match)) return false;
    // What fails already, by another rule, is not read or written: there is nothing in it to change.
    const fails = draft.errno !== 0;
    const sensible = able.filter((one) => one.applies(operation) && (one.evenIfItFails || !fails));
    if (sensible.length === 0 || !counter.inject(rule.count)) return false;
    const before = { ...draft };
    for (const disturbance of sensible) disturbance.disturb(draft, operation, match);
    record(counter, before, draft, operation);
    return true;
  }

  return Object.freeze({
    bit: 1 << index,
    fails: rule.disturbances.some(({ kind }) => kind === 'errno'),
    fits: (path: string) => glob === undefined || glob.matches(path),
    consider,
  });
}
