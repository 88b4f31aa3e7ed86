import type { Command, Option } from 'commander';
import {
  argumentTerms,
  inheritedOptions,
  pathOf,
  placeholderOf,
  visibleCommands,
  visibleOptions,
} from '../command-tree.ts';
import { isConnectionOption } from '../connection-options.ts';
import { presentationOf, schemaOfOption } from '../schema-options.ts';
import { helpTextsOf, wrapped } from './examples.ts';

/*
 * Help as chaosd prints it, whose layout is that of Go's cobra (`usageTemplate` in spf13/cobra's command.go, and
 * `FlagUsages` in spf13/pflag). Scripts and people compare the two.
 */

/** Of the flags that are good for every command, those that chaosd has; the program's own help lists the others. */
const chaosdGlobalFlags: ReadonlySet<string | undefined> = new Set(['--log-level']);

/** Go's words for the types of values. */
const goTypes: Readonly<Record<string, string>> = { N: 'int', P: 'float', TIME: 'duration' };

/** cobra's least width of the column of names. */
const minNameWidth = 11;

interface FlagLine {
  readonly name: string;
  readonly term: string;
  readonly text: string;
}

/** Is this an attack of chaosd's? Then its page lists what chaosd lists, and nothing else; all else works, too. */
function isChaosdAttack(command: Command): boolean {
  return command.options.some((option) => chaosdPresentation(option) !== undefined);
}

function chaosdPresentation(option: Option): { readonly type: string; readonly text: string } | undefined {
  const schema = schemaOfOption(option);
  return schema === undefined ? undefined : presentationOf(schema).chaosd;
}

function goType(option: Option): string | undefined {
  const placeholder = placeholderOf(option);
  return placeholder === undefined ? undefined : (goTypes[placeholder] ?? 'string');
}

function defaultText(option: Option, type: string | undefined): string {
  const value: unknown = option.defaultValue;
  if (typeof value !== 'string' && typeof value !== 'number') return '';
  return type === 'string' ? ` (default ${JSON.stringify(value)})` : ` (default ${value})`;
}

function flagLine(command: Command, option: Option): FlagLine {
  const { type = goType(option), text = `${option.description}${defaultText(option, type)}` } =
    chaosdPresentation(option) ?? {};
  const short = option.short === undefined ? '    ' : `${option.short}, `;
  return {
    name: option.name(),
    term: `  ${short}${option.long ?? ''}${type === undefined ? '' : ` ${type}`}`,
    text: option.long === '--help' ? `help for ${command.name()}` : text,
  };
}

function flagList(lines: readonly FlagLine[]): string {
  const width = Math.max(...lines.map(({ term }) => term.length));
  return lines
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ term, text }) => `${term.padEnd(width)}   ${text}`)
    .join('\n');
}

function listedFlags(command: Command): readonly Option[] {
  const options = visibleOptions(command).filter((option) => !isConnectionOption(option));
  if (!isChaosdAttack(command)) return options;
  return options.filter((option) => option.long === '--help' || chaosdPresentation(option) !== undefined);
}

/** Beside attacks that chaosd has, those that it does not have are not listed: its page is the one that is known. */
function listedCommands(command: Command): readonly Command[] {
  const below = visibleCommands(command);
  const chaosds = below.filter(isChaosdAttack);
  return chaosds.length > 0 ? chaosds : below;
}

function usage(command: Command): string {
  const path = pathOf(command);
  if (command.commands.length > 0) return `  ${path} [command]`;
  return `  ${[path, ...argumentTerms(command), '[flags]'].join(' ')}`;
}

function commandList(commands: readonly Command[]): string {
  const width = Math.max(minNameWidth, ...commands.map((command) => command.name().length));
  return commands
    .toSorted((one, other) => (one.name() < other.name() ? -1 : 1))
    .map((command) => `  ${command.name().padEnd(width)} ${command.summary() || command.description()}`)
    .join('\n');
}

function exampleList(command: Command): string {
  const [program = ''] = pathOf(command).split(' ');
  return helpTextsOf(command)
    .examples.map(({ command: line, does }) => `  # ${does}\n  ${program} ${line}`)
    .join('\n');
}

function titled(title: string, text: string): readonly string[] {
  return text === '' ? [] : [`${title}:\n${text}`];
}

function chaosdPage(command: Command): string {
  const brief = isChaosdAttack(command);
  const commands = listedCommands(command);
  const flags = listedFlags(command).map((option) => flagLine(command, option));
  const globals = inheritedOptions(command).filter(({ long }) => chaosdGlobalFlags.has(long));
  const more = `Use "${pathOf(command)} [command] --help" for more information about a command.`;
  const blocks = [
    command.description(),
    ...(brief ? [] : helpTextsOf(command).details.map((paragraph) => wrapped(paragraph))),
    ...titled('Usage', usage(command)),
    ...titled('Examples', brief ? '' : exampleList(command)),
    ...titled('Available Commands', commands.length === 0 ? '' : commandList(commands)),
    ...titled('Flags', flagList(flags)),
    ...titled('Global Flags', globals.length === 0 ? '' : flagList(globals.map((one) => flagLine(command, one)))),
    ...(commands.length === 0 ? [] : [more]),
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** Print the help of a command, and of every command below it, as chaosd would. Call it when the tree is whole. */
export function chaosdHelp(command: Command): void {
  command.configureHelp({ ...command.configureHelp(), formatHelp: chaosdPage });
  for (const below of command.commands) chaosdHelp(below);
}
