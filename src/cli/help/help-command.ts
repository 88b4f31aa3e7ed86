import type { Command } from 'commander';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { pathOf, visibleCommands } from '../command-tree.ts';
import { addExamples } from './examples.ts';

/** The command that a path of names leads to. @throws {FaultlineError} COMMAND_UNKNOWN */
function topicOf(root: Command, names: readonly string[]): Command {
  return names.reduce((command, name) => {
    const next = command.commands.find((one) => one.name() === name);
    if (next !== undefined) return next;
    const known = visibleCommands(command).map((one) => one.name());
    throw new FaultlineError('COMMAND_UNKNOWN', `${pathOf(command)} has no command "${printable(name)}"`, {
      hint: known.length === 0 ? `${pathOf(command)} --help` : `there is: ${known.join(', ')}`,
    });
  }, root);
}

/** commander gives each command that has commands a `help` of its own; there is one `help`, for paths of any length. */
function removeImplicit(command: Command): void {
  command.helpCommand(false);
  for (const below of command.commands) removeImplicit(below);
}

/** `help [COMMAND...]`: what `COMMAND --help` prints. Call it when the tree is whole. */
export function addHelp(root: Command): void {
  removeImplicit(root);
  const command = root
    .command('help')
    .argument('[COMMAND...]', 'the command, with the commands that it stands below')
    .summary('help for a command')
    .description('Help about any command');
  addExamples(command, [], [{ command: 'help attack process kill', does: 'the same as attack process kill --help' }]);
  command.action((names: readonly string[]) => {
    topicOf(root, names).outputHelp();
  });
}
