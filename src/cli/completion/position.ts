import type { Command, Option } from 'commander';
import { defaultCommandOf, lineage } from '../command-tree.ts';

/** What may stand where the cursor is. */
export type Expected =
  /** A flag's value; `prefix` is what stands before it in the same word: `--signal=`, `-s`, or nothing. */
  | { readonly what: 'value'; readonly option: Option; readonly prefix: string; readonly typed: string }
  | { readonly what: 'flag'; readonly typed: string }
  /** A command or an argument. */
  | { readonly what: 'operand'; readonly typed: string };

/** Where in the tree of commands the cursor is, and what was given before it. */
export interface Position {
  readonly command: Command;
  readonly expected: Expected;
  /** Flags that were given, with the value given last, or `undefined` for those that take none. */
  readonly flags: ReadonlyMap<Option, string | undefined>;
  readonly operands: readonly string[];
}

interface Walk {
  command: Command;
  /** The flag whose value the next word is. */
  pending: Option | undefined;
  /** After `--` all words are operands. */
  literal: boolean;
  readonly flags: Map<Option, string | undefined>;
  readonly operands: string[];
}

function findOption(command: Command, flag: string): Option | undefined {
  return lineage(command)
    .flatMap(({ options }) => options)
    .find(({ short, long }) => short === flag || long === flag);
}

const takesValue = (option: Option): boolean => option.required || option.optional;

interface FlagWord {
  readonly option: Option | undefined;
  /** The part of the word before the value, where the value is in the same word. */
  readonly prefix: string | undefined;
}

/** `--flag=value`: the flag, and what stands before its value. */
function readLong(command: Command, word: string): FlagWord {
  const equals = word.indexOf('=');
  if (equals === -1) return { option: findOption(command, word), prefix: undefined };
  const option = findOption(command, word.slice(0, equals));
  return { option, prefix: option !== undefined && takesValue(option) ? word.slice(0, equals + 1) : undefined };
}

/** `-x`, `-xvalue`, or several without a value and perhaps one with it: `-Aovalue`. */
function readShort(walk: Walk, word: string): FlagWord {
  for (let at = 1; at < word.length; at += 1) {
    const option = findOption(walk.command, `-${word[at] ?? ''}`);
    if (option === undefined) return { option: undefined, prefix: undefined };
    const last = at === word.length - 1;
    if (takesValue(option) || last) return { option, prefix: last ? undefined : word.slice(0, at + 1) };
    walk.flags.set(option, undefined);
  }
  return { option: undefined, prefix: undefined };
}

function readFlag(walk: Walk, word: string): FlagWord {
  return word.startsWith('--') ? readLong(walk.command, word) : readShort(walk, word);
}

const looksLikeFlag = (word: string): boolean => word.length > 1 && word.startsWith('-');

/** A flag that the command does not have itself is of the one that is meant where none is named. */
function descendFor(walk: Walk, word: string): void {
  const below = walk.operands.length > 0 ? undefined : defaultCommandOf(walk.command);
  if (below !== undefined && readFlag({ ...walk, flags: new Map() }, word).option === undefined) walk.command = below;
}

function passFlag(walk: Walk, word: string): void {
  descendFor(walk, word);
  const { option, prefix } = readFlag(walk, word);
  if (option === undefined) return;
  walk.flags.set(option, prefix === undefined ? undefined : word.slice(prefix.length));
  if (prefix === undefined && takesValue(option)) walk.pending = option;
}

function passOperand(walk: Walk, word: string): void {
  const below = walk.operands.length > 0 ? undefined : walk.command.commands.find((one) => one.name() === word);
  if (below === undefined) walk.operands.push(word);
  else walk.command = below;
}

function pass(walk: Walk, word: string): void {
  const { pending } = walk;
  if (pending !== undefined && (pending.required || !looksLikeFlag(word))) {
    walk.flags.set(pending, word);
    walk.pending = undefined;
  } else if (!walk.literal && word === '--') {
    walk.literal = true;
  } else if (!walk.literal && looksLikeFlag(word)) {
    walk.pending = undefined;
    passFlag(walk, word);
  } else {
    passOperand(walk, word);
  }
}

function expectedAt(walk: Walk, current: string): Expected {
  if (walk.pending !== undefined) return { what: 'value', option: walk.pending, prefix: '', typed: current };
  if (walk.literal || !current.startsWith('-')) return { what: 'operand', typed: current };
  descendFor(walk, current);
  const { option, prefix } = readFlag({ ...walk, flags: new Map() }, current);
  if (option === undefined || prefix === undefined) return { what: 'flag', typed: current };
  return { what: 'value', option, prefix, typed: current.slice(prefix.length) };
}

/**
 * Where the cursor is.
 *
 * @param words what stands before the current word, without the program's name
 * @param current the current word up to the cursor, perhaps empty
 */
export function positionAt(root: Command, words: readonly string[], current: string): Position {
  const walk: Walk = { command: root, pending: undefined, literal: false, flags: new Map(), operands: [] };
  for (const word of words) pass(walk, word);
  const expected = expectedAt(walk, current);
  return { command: walk.command, expected, flags: walk.flags, operands: walk.operands };
}
