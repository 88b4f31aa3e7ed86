import { plain, plainLines } from './plain-text.ts';

/*
 * Markdown as GitHub has it (GFM): https://github.github.com/gfm/
 */

/** Text in a paragraph or a cell of a table, in which nothing is taken for markup. */
export function inline(text: string): string {
  return plain(text)
    .replaceAll(/[\\`*_[\]|~]/gu, (character) => `\\${character}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

/** A row of backticks that is longer than any in the text. */
function fence(text: string, least: number): string {
  const longest = (text.match(/`+/gu) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
  return '`'.repeat(Math.max(least, longest + 1));
}

/** Text as code in a line; in tables, too. Where nobody can be mentioned and no link be made. */
export function code(text: string): string {
  // A table takes `|` for its own even in code, unless it is escaped; outside of one the backslash would be seen.
  const shown = plain(text).replaceAll('|', '\\|');
  const marks = fence(shown, 1);
  const pad = marks.length > 1 || shown.startsWith(' ') || shown === '' ? ' ' : '';
  return `${marks}${pad}${shown}${pad}${marks}`;
}

/** Text of several lines as it is. */
export function codeBlock(text: string, language: string): string {
  const shown = plainLines(text);
  const marks = fence(shown, 3);
  return `${marks}${language}\n${shown.trimEnd()}\n${marks}`;
}

/** A table, whose cells are Markdown already; nothing where there are no rows. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n');
}
