import { type Command, CommanderError } from 'commander';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { interruption } from './interruption.ts';
import type { ProgramName } from './invocation.ts';
import { exitCodeOf, remarkError } from './output/errors.ts';
import { type Format, isFormat } from './output/format.ts';
import { programFor } from './program.ts';

/** What commander throws when it has shown help or a version: all is well. */
const finished = new Set(['commander.help', 'commander.helpDisplayed', 'commander.version']);

/** The commands that the arguments name, as far as there are such: `attack process kill`. */
function commandPath(root: Command, args: readonly string[]): readonly string[] {
  const path: string[] = [];
  let command = root;
  for (const arg of args) {
    const next = command.commands.find((one) => one.name() === arg);
    if (next === undefined) break;
    path.push(arg);
    command = next;
  }
  return path;
}

/** A mistake in the arguments, in our words. */
function fromCommander(error: CommanderError, program: ProgramName, path: readonly string[]): FaultlineError {
  const sentence = printable(error.message.replace(/^error: /, '').replaceAll('\n', ' '));
  const hint = `${[program, ...path].join(' ')} --help`;
  if (error.code === 'commander.unknownOption') return new FaultlineError('OPTION_UNKNOWN', sentence, { hint });
  if (error.code === 'commander.unknownCommand') return new FaultlineError('COMMAND_UNKNOWN', sentence, { hint });
  return new FaultlineError('ARGUMENT_INVALID', sentence, { hint });
}

/** The format that was asked for, for errors found before the arguments were understood. */
function roughFormat(args: readonly string[]): Format {
  const index = args.findIndex((arg) => arg === '-o' || arg === '--output');
  const word = index === -1 ? args.find((arg) => arg.startsWith('--output='))?.slice(9) : args[index + 1];
  return word !== undefined && isFormat(word) ? word : 'text';
}

/**
 * Run one command. The exit code is 0, 1 for a failure, 128 for arguments that cannot work, 128 + n when a signal
 * ended it.
 */
export async function main(program: ProgramName, args: readonly string[] = process.argv.slice(2)): Promise<void> {
  const root = programFor(program, args);
  try {
    await root.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && finished.has(error.code)) return;
    const known = error instanceof CommanderError ? fromCommander(error, program, commandPath(root, args)) : error;
    remarkError(known, roughFormat(args));
    process.exitCode = interruption().exitCode() ?? exitCodeOf(known);
  }
}
