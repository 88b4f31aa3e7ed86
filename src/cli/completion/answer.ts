import type { Command, Option } from 'commander';
import { hasUnprintable, printable } from '../../base/text.ts';
import { inheritedOptions, visibleCommands, visibleOptions } from '../command-tree.ts';
import { connectionFlags } from '../connection-options.ts';
import { type Answer, type Candidate, candidate } from './candidate.ts';
import { type Position, positionAt } from './position.ts';
import { isRepeatable, sourceOfArgument, sourceOfOption } from './sources.ts';
import type { Wanted } from './wanted.ts';

function wantedAt({ flags, expected: { typed } }: Position): Wanted {
  const given = Object.fromEntries([...flags].map(([option, value]) => [option.attributeName(), value]));
  return { typed, stateDir: given['stateDir'], connection: connectionFlags(given) };
}

/** Flags that were not given yet, or may be given again. */
function flagCandidates({ command, flags }: Position): readonly Candidate[] {
  const options = [...visibleOptions(command), ...inheritedOptions(command)];
  const open = options.filter((option) => isRepeatable(option) || !flags.has(option));
  const named = (name: (option: Option) => string | undefined): readonly Candidate[] =>
    open.flatMap((option) => {
      const flag = name(option);
      return flag === undefined ? [] : [candidate(flag, option.description)];
    });
  return [...named(({ long }) => long), ...named(({ short }) => short)];
}

function commandCandidates(command: Command): readonly Candidate[] {
  return visibleCommands(command).map((one) => candidate(one.name(), one.summary() || one.description()));
}

/** `help` takes the names of commands, each below the one before. */
function topicCandidates(root: Command, names: readonly string[]): readonly Candidate[] {
  let topic: Command | undefined = root;
  for (const name of names) topic = topic?.commands.find((one) => one.name() === name);
  return topic === undefined ? [] : commandCandidates(topic);
}

async function argumentAnswer(position: Position): Promise<Answer> {
  const { command, operands } = position;
  const { registeredArguments: places } = command;
  const place = places[operands.length] ?? places.at(-1);
  if (place === undefined || (places.length <= operands.length && !place.variadic)) {
    return { what: 'words', candidates: [] };
  }
  const answer = await sourceOfArgument(command, place)(wantedAt(position));
  if (answer.what !== 'words') return answer;
  return { what: 'words', candidates: answer.candidates.filter(({ value }) => !operands.includes(value)) };
}

/** Commands and arguments; flags only where there are none, or where they were asked for by a dash. */
async function operandAnswer(root: Command, position: Position): Promise<Answer> {
  const { command, operands, expected } = position;
  if (command.name() === 'help') return { what: 'words', candidates: topicCandidates(root, operands) };
  const commands = operands.length === 0 ? commandCandidates(command) : [];
  if (commands.length > 0) return { what: 'words', candidates: commands };
  const hasArguments = command.registeredArguments.length > 0;
  if (hasArguments || expected.typed !== '') return argumentAnswer(position);
  return { what: 'words', candidates: flagCandidates(position) };
}

function answerAt(root: Command, position: Position): Answer | Promise<Answer> {
  const { expected, command } = position;
  if (expected.what === 'flag') return { what: 'words', candidates: flagCandidates(position) };
  if (expected.what === 'operand') return operandAnswer(root, position);
  return sourceOfOption(command, expected.option)(wantedAt(position));
}

/** Nothing that could act on a terminal or break a line gets into a shell; whole words stand for the current one. */
function presentable(candidates: readonly Candidate[], prefix: string): readonly Candidate[] {
  return candidates
    .filter(({ value }) => !hasUnprintable(value))
    .map(({ value, description }) => candidate(prefix + value, printable(description)));
}

/**
 * What the current word may become; the shell chooses among it those that begin with what was typed.
 *
 * @param words what stands before the current word, without the program's name
 * @param current the current word up to the cursor, perhaps empty
 * @throws whatever stands in the way of looking
 */
export async function answer(root: Command, words: readonly string[], current: string): Promise<Answer> {
  const position = positionAt(root, words, current);
  const found = await answerAt(root, position);
  if (found.what !== 'words') return found;
  const prefix = position.expected.what === 'value' ? position.expected.prefix : '';
  return { what: 'words', candidates: presentable(found.candidates, prefix) };
}
