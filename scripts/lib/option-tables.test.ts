import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { visibleCommands, visibleOptions } from '../../src/cli/command-tree.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { commandsWithTables, withOptionTables } from './option-tables.ts';
import { filesUnder, root } from './tree.ts';

const pages = filesUnder('docs', '.md').map((page) => [page, readFileSync(path.join(root, page), 'utf8')] as const);

test.each(pages)('the tables of options in %s are up to date; else: npm run docs', (_page, text) => {
  expect(text).toBe(withOptionTables(text));
});

test('every command that does something and has options has a table in one page', () => {
  const doers: string[] = [];
  const visit = (command: ReturnType<typeof buildProgram>, names: readonly string[]): void => {
    const below = visibleCommands(command);
    for (const one of below) visit(one, [...names, one.name()]);
    const hasOptions = visibleOptions(command).some(({ long }) => long !== '--help');
    if (below.length === 0 && hasOptions) doers.push(names.join(' '));
  };
  visit(buildProgram('faultline'), []);
  const shown = pages.flatMap(([, text]) => commandsWithTables(text));
  expect(shown.toSorted()).toEqual(doers.toSorted());
});

test('a table has a row for each option, and what was there before is gone', () => {
  const page = '# x\n\n<!-- options: halt -->\n| old |\n<!-- /options -->\n\nend\n';
  const fresh = withOptionTables(page);
  expect(fresh).toContain('| `--reason <TEXT>` | Why; told to whoever attacks meanwhile |');
  expect(fresh).not.toContain('| old |');
  expect(fresh.endsWith('<!-- /options -->\n\nend\n')).toBe(true);
  expect(() => withOptionTables('<!-- options: nothing -->\n<!-- /options -->')).toThrow('there is no command');
});
