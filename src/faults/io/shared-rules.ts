import { FaultlineError } from '../../base/error.ts';
import { clearCounter, counterSlots, createCounters, readCounts, type RuleCounts } from './counters.ts';
import type { IoRule } from './rule.ts';

/*
 * The rules in force, in memory that the control thread writes and the threads of the data plane read: as JSON, with a
 * generation that tells when to read it again. Rules change in the middle of everything, without a second mount.
 */

/** What is in force. */
export interface RuleSet {
  /** The folder as its users see it: `/data`. Rules' paths begin with it. */
  readonly volume: string;
  readonly rules: readonly SlottedRule[];
  /** They are known, so that files are opened as they ask for, and nothing is disturbed yet. */
  readonly paused: boolean;
}

/** A rule, where its counters are, and what chance depends on: the seed and number within its injection. */
export interface SlottedRule {
  readonly slot: number;
  readonly injection: number;
  readonly seed: string;
  readonly number: number;
  readonly rule: IoRule;
}

/** The rules of one injection. Several may be in force on a volume. */
export interface InjectionRules {
  readonly injection: number;
  /** What chance depends on. */
  readonly seed: string;
  readonly rules: readonly IoRule[];
}

/** What the threads share; goes to a worker as it is. */
export interface SharedRules {
  readonly rules: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
}

/**
 * 32-bit words: the generation, how long each of two texts is, and the texts, which are JSON in UTF-8. Of generation n
 * the text n modulo 2 is in force, so that the next one can be written while it is read: whoever reads never waits for
 * a writer that was put to sleep in the middle.
 */
const word = { generation: 0, lengths: 1, texts: 3 } as const;

/** Far more than the rules that a request may hold: 31 with a path of 4,096 characters each. */
const capacityBytes = 1024 * 1024;

function wordsOf(memory: SharedArrayBuffer): Int32Array {
  return new Int32Array(memory);
}

/** What reads the generation: another number whenever the rules have changed. */
export function generationReader(shared: SharedRules): () => number {
  const words = wordsOf(shared.rules);
  return () => Atomics.load(words, word.generation);
}

const textAt = (generation: number): number => word.texts + (generation & 1) * (capacityBytes / 4);

function write(memory: SharedArrayBuffer, text: Uint8Array): void {
  const words = wordsOf(memory);
  const generation = Atomics.load(words, word.generation) + 1;
  const start = textAt(generation);
  Atomics.store(words, word.lengths + (generation & 1), text.length);
  for (let at = 0; at < text.length; at += 4) {
    const [a = 0, b = 0, c = 0, d = 0] = text.subarray(at, at + 4);
    Atomics.store(words, start + at / 4, a | (b << 8) | (c << 16) | (d << 24));
  }
  Atomics.store(words, word.generation, generation);
}

/** The rules in force, for a worker. Read again if they changed meanwhile: the text may then be half another one. */
export function readRules(shared: SharedRules): { readonly generation: number; readonly set: RuleSet } {
  const words = wordsOf(shared.rules);
  for (;;) {
    const generation = Atomics.load(words, word.generation);
    const start = textAt(generation);
    const text = Buffer.alloc(Atomics.load(words, word.lengths + (generation & 1)));
    for (let at = 0; at < text.length; at += 1) {
      text[at] = Atomics.load(words, start + (at >> 2)) >>> ((at & 3) * 8);
    }
    if (Atomics.load(words, word.generation) !== generation) continue;
    return { generation, set: JSON.parse(text.toString('utf8')) as RuleSet };
  }
}

/** Which rules are in force, and what became of them: the control thread's end. */
export interface RuleBoard {
  readonly shared: SharedRules;
  /**
   * Put these rules in force, in place of those before. A rule that the same injection had in force already, word by
   * word, keeps its counters; the others begin at nought. `paused` ones are known, and disturb and count nothing until
   * they are published without it.
   *
   * @throws {FaultlineError} ARGUMENT_INVALID: they are too long to be shared
   */
  publish(injections: readonly InjectionRules[], options?: { readonly paused: boolean }): void;
  /** For each rule of an injection that is in force, in order. */
  counts(injection: number): readonly RuleCounts[];
}

/** What tells a rule from others, also from the same words in another injection. */
function identityOf({ injection, rule }: Pick<SlottedRule, 'injection' | 'rule'>): string {
  return `${injection} ${JSON.stringify(rule)}`;
}

/** Where each rule's counters are to be: where they were, or in a slot that has been free for the longest time. */
function slotsFor(
  rules: readonly Omit<SlottedRule, 'slot'>[],
  before: readonly SlottedRule[],
  free: number[],
): readonly SlottedRule[] {
  const left = before.map((one) => ({ slot: one.slot, identity: identityOf(one) }));
  const kept = rules.map((rule) => {
    const identity = identityOf(rule);
    const same = left.findIndex((one) => one.identity === identity);
    return same === -1 ? undefined : left.splice(same, 1)[0]?.slot;
  });
  const slotted = rules.map((rule, index) => ({ ...rule, slot: kept[index] ?? free.shift() ?? 0 }));
  free.push(...left.map(({ slot }) => slot));
  return slotted;
}

/** A board without rules. */
export function createRuleBoard(volume: string): RuleBoard {
  const shared: SharedRules = Object.freeze({
    rules: new SharedArrayBuffer(word.texts * 4 + 2 * capacityBytes),
    counters: createCounters(),
  });
  let free = Array.from({ length: counterSlots }, (_, slot) => slot);
  let current: readonly SlottedRule[] = [];

  function publish(injections: readonly InjectionRules[], { paused } = { paused: false }): void {
    const rules = injections.flatMap((one) =>
      one.rules.map((rule, number) => ({ injection: one.injection, seed: one.seed, number, rule })),
    );
    const stillFree = [...free];
    const slotted = slotsFor(rules, current, stillFree);
    const text = Buffer.from(JSON.stringify({ volume, rules: slotted, paused } satisfies RuleSet));
    if (text.length > capacityBytes) {
      throw new FaultlineError('ARGUMENT_INVALID', `the rules are longer than ${capacityBytes} bytes`, {
        hint: 'give fewer rules, or shorter lists in them',
      });
    }
    const inUse = new Set(current.map(({ slot }) => slot));
    for (const { slot } of slotted) if (!inUse.has(slot)) clearCounter(shared.counters, slot);
    free = stillFree;
    current = slotted;
    write(shared.rules, text);
  }

  publish([]);
  return Object.freeze({
    shared,
    publish,
    counts: (injection: number) =>
      current.filter((one) => one.injection === injection).map(({ slot }) => readCounts(shared.counters, slot)),
  });
}
