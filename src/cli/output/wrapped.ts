import { isWatched } from './style.ts';

/** Where nobody looks, or the terminal is wider: longer lines are hard to read. */
const widest = 100;
/** On a terminal that is narrower, its own wrapping is no worse. */
const narrowest = 40;

/** How many columns text for people may have: as the terminal has it. */
function textWidth(): number {
  if (!isWatched('stdout')) return widest;
  return Math.max(narrowest, Math.min(widest, process.stdout.columns || widest));
}

/**
 * Lines of at most `width` columns, broken at spaces.
 *
 * @param first what the first line begins with; it counts
 * @param rest what the lines after it begin with
 */
export function wrapped(text: string, first: string, rest: string, width = textWidth()): readonly string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = rest;
      isEmpty = true;
    }
    line = isEmpty ? line + word : `${line} ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
