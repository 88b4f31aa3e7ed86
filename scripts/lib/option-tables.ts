import type { Command, Option } from 'commander';
import { visibleOptions } from '../../src/cli/command-tree.ts';
import { buildProgram } from '../../src/cli/program.ts';

/** A place for a table: `<!-- options: attack process kill -->` up to `<!-- /options -->`. */
const places = /^<!-- options: ([a-z -]+) -->\n[^]*?^<!-- \/options -->$/gmu;

function commandOf(path: string): Command {
  return path.split(' ').reduce((command: Command, name) => {
    const below = command.commands.find((one) => one.name() === name);
    if (below === undefined) throw new Error(`there is no command "${path}"`);
    return below;
  }, buildProgram('faultline'));
}

const cell = (text: string): string => text.replaceAll('|', String.raw`\|`).replaceAll('<', '&lt;');

/** In code no character has a meaning but the bar, which would end the cell. */
const code = (text: string): string => `\`${text.replaceAll('|', String.raw`\|`)}\``;

function row({ flags, description, defaultValue }: Option): string {
  const value: unknown = defaultValue;
  const otherwise = typeof value === 'string' ? ` (default ${value})` : '';
  return `| ${code(flags)} | ${cell(description)}${otherwise} |`;
}

function table(command: Command): string {
  const options = visibleOptions(command).filter(({ long }) => long !== '--help');
  return ['| Option | Meaning |', '| --- | --- |', ...options.map(row)].join('\n');
}

/** The page with its tables of options made anew from the tree of commands. */
export function withOptionTables(page: string): string {
  return page.replaceAll(
    places,
    (_place, path: string) => `<!-- options: ${path} -->\n${table(commandOf(path))}\n<!-- /options -->`,
  );
}

/** The commands whose options a page has a table of. */
export function commandsWithTables(page: string): readonly string[] {
  return [...page.matchAll(places)].map(([, path = '']) => path);
}
