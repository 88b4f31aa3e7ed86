import type { Interposer, Operation, Ruling } from '../../../linux/fuse/interposer.ts';
import { generationReader, readRules, type RuleSet, type SharedRules } from '../shared-rules.ts';
import { type CompiledRule, compileRule, type Surroundings } from './compile.ts';
import { clearDraft, type Draft, emptyDraft } from './disturbance.ts';

/*
 * Rules as the data plane asks for them. Where several fall upon one operation:
 *
 * 1. Rules with an errno are asked first, in their order. The first that fires stands; the others count the operation
 *    as matched, and do nothing.
 * 2. The others are asked in their order. Delays add up, also before a failure. Of several limits of bytes the smallest
 *    stands. Data and attributes go through each rule in turn. To an operation that fails nothing else is done.
 */

interface Compiled {
  readonly volume: string;
  readonly rules: readonly CompiledRule[];
  readonly paused: boolean;
}

function compile(set: RuleSet, surroundings: Surroundings): Compiled {
  const rules = set.rules.map((rule, index) => compileRule(rule, index, surroundings));
  const { volume, paused } = set;
  return { volume, paused, rules: [...rules.filter(({ fails }) => fails), ...rules.filter(({ fails }) => !fails)] };
}

function rulingOf({ delayMs, errno, maxBytes, alterData, alterAttributes }: Draft): Ruling {
  return {
    delayMs,
    errno,
    maxBytes,
    ...(alterData === undefined ? {} : { alterData }),
    ...(alterAttributes === undefined ? {} : { alterAttributes }),
  };
}

/**
 * What disturbs the operations of a volume as its rules say: one for each thread of the data plane. All that they share
 * is in `shared`.
 *
 * @param clockNs a monotonic clock that is the same for all threads
 */
export function interposerOf(shared: SharedRules, clockNs: () => bigint = () => process.hrtime.bigint()): Interposer {
  const latest = generationReader(shared);
  const surroundings = { counters: shared.counters, clockNs };
  let generation = -1;
  let compiled: Compiled = { volume: '', rules: [], paused: true };
  /** One for all operations: most are asked about in vain. */
  const draft = emptyDraft();

  function refresh(): number {
    const read = readRules(shared);
    compiled = compile(read.set, surroundings);
    generation = read.generation;
    return generation;
  }

  function interest(path: string): number {
    const seen = path === '/' ? compiled.volume : compiled.volume + path;
    return compiled.rules.reduce((bits, rule) => (rule.fits(seen) ? bits | rule.bit : bits), 0);
  }

  /** A rename or a link falls under the rules of both its paths. */
  function concerns(given: number, operation: Operation): number {
    const other = operation.otherPath();
    return other === undefined ? given : given | interest(other);
  }

  function rule(given: number, operation: Operation): Ruling | undefined {
    if (compiled.paused) return undefined;
    const bits = concerns(given, operation);
    if (bits === 0) return undefined;
    clearDraft(draft);
    let disturbed = false;
    for (const one of compiled.rules) {
      if ((bits & one.bit) !== 0 && one.consider(draft, operation)) disturbed = true;
    }
    return disturbed ? rulingOf(draft) : undefined;
  }

  refresh();
  return Object.freeze({ generation: () => (latest() === generation ? generation : refresh()), interest, rule });
}
