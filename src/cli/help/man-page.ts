import type { Argument, Command, Option } from 'commander';
import { version } from '../../base/version.ts';
import { pathOf, placeholderOf, visibleCommands, visibleOptions } from '../command-tree.ts';
import { helpTextsOf } from './examples.ts';
import { type Definition, description, environment, exitStatus, files, safety, seeAlso } from './man-sections.ts';
import { bold, definition, filled, inline, italic, literal, paragraph, section, subsection } from './roff.ts';

/** Every command that does something itself, in the order of the tree. */
function doers(command: Command): readonly Command[] {
  const below = visibleCommands(command);
  return below.length === 0 ? [command] : below.flatMap(doers);
}

function hasFlags(command: Command): boolean {
  return visibleOptions(command).some(({ long }) => long !== '--help');
}

function synopsisLine(command: Command): string {
  const flags = hasFlags(command) ? [`[${italic('flags')}]`] : [];
  return [bold(pathOf(command)), ...flags, ...command.registeredArguments.map(argumentTerm)].join(' ');
}

function argumentTerm(argument: Argument): string {
  const term = `${italic(argument.name())}${argument.variadic ? ' ...' : ''}`;
  return argument.required ? term : `[${term}]`;
}

function flagTerm(option: Option): string {
  const names = [option.short, option.long].filter((name) => name !== undefined).map(bold);
  const placeholder = placeholderOf(option);
  return `${names.join(', ')}${placeholder === undefined ? '' : ` ${italic(placeholder)}`}`;
}

function flagDefinition(command: Command, option: Option): string {
  return definition(flagTerm(option), command.createHelp().optionDescription(option));
}

function argumentDefinition(argument: Argument): string {
  return definition(italic(argument.name()), argument.description);
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function uncapitalized(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function commandSubsection(command: Command): string {
  const [program = ''] = pathOf(command).split(' ');
  const { details, examples } = helpTextsOf(command);
  const options = visibleOptions(command).filter(({ long }) => long !== '--help');
  return subsection(
    pathOf(command),
    filled(`${capitalized(command.description())}.`),
    ...details.map(paragraph),
    ...command.registeredArguments.map(argumentDefinition),
    ...options.map((option) => flagDefinition(command, option)),
    ...examples.flatMap(({ command: line, does }) => [
      paragraph(`${capitalized(does)}:`),
      literal(`${program} ${line}`),
    ]),
  );
}

function definitions(list: readonly Definition[]): readonly string[] {
  return list.map(([term, meaning]) => definition(bold(term), meaning));
}

/**
 * The man page of a program in roff, for the macros of man(7).
 *
 * It has no date: the same commands make the same page, whenever it is built.
 */
export function manPage(root: Command): string {
  const name = root.name();
  const commands = doers(root);
  const prose = (texts: readonly string[]): string =>
    texts.map((text) => filled(text.replaceAll('PROGRAM', name))).join('\n.PP\n');
  return [
    `.TH ${inline(name.toUpperCase())} 1 "" "Faultline ${inline(version)}" "User Commands"`,
    // Neither hyphens that are not in what must be typed, nor gaps that look like more than one space.
    '.nh\n.ad l',
    section('NAME', filled(`${name} - ${uncapitalized(root.description())}`)),
    section('SYNOPSIS', commands.map(synopsisLine).join('\n.br\n')),
    section('DESCRIPTION', prose(description)),
    section('COMMANDS', ...commands.map(commandSubsection)),
    section('OPTIONS OF EVERY COMMAND', ...visibleOptions(root).map((option) => flagDefinition(root, option))),
    section('EXIT STATUS', ...definitions(exitStatus)),
    section('ENVIRONMENT', ...definitions(environment)),
    section('FILES', ...definitions(files)),
    section('SAFETY', prose(safety)),
    section('SEE ALSO', seeAlso.map(seeAlsoItem).join(',\n')),
    '',
  ].join('\n');
}

/** `kill(1)` */
function seeAlsoItem(page: string): string {
  const [name = '', number = ''] = page.split('(');
  return `${bold(name)}(${number}`;
}
