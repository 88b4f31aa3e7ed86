import type { Command, Option } from 'commander';

/*
 * Reading the tree of commands: for completion, the man page and help, which all tell what `buildProgram` made.
 */

/** The commands below this one that a user is told of. */
export function visibleCommands(command: Command): readonly Command[] {
  return command.createHelp().visibleCommands(command);
}

const defaults = new WeakMap<Command, Command>();

/** The command below this one that is meant where none is named. */
export function setDefaultCommand(command: Command, below: Command): void {
  defaults.set(command, below);
}

export function defaultCommandOf(command: Command): Command | undefined {
  return defaults.get(command);
}

/** The flags of this command that a user is told of, `--help` too. */
export function visibleOptions(command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command);
}

/** The command itself, then what it stands below, up to the program. */
export function lineage(command: Command): readonly Command[] {
  return command.parent === null ? [command] : [command, ...lineage(command.parent)];
}

/** The flags that a command takes from those above it. */
export function inheritedOptions(command: Command): readonly Option[] {
  const own = new Set(command.options.map(({ long }) => long));
  const above = lineage(command).slice(1);
  return above.flatMap(({ options }) => options.filter(({ hidden, long }) => !hidden && !own.has(long)));
}

/** `faultline attack process kill` */
export function pathOf(command: Command): string {
  return lineage(command)
    .map((one) => one.name())
    .reverse()
    .join(' ');
}

/** The arguments as a usage line has them: `[UID...]`. */
export function argumentTerms(command: Command): readonly string[] {
  return command.registeredArguments.map((argument) => {
    const term = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? `<${term}>` : `[${term}]`;
  });
}

/** What stands for a flag's value: `NAME|PID`; undefined for a flag that takes none. */
export function placeholderOf(option: Option): string | undefined {
  return /[<[](.+)[>\]]$/.exec(option.flags)?.[1];
}
