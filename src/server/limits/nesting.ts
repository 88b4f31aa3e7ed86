const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENERS: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSERS: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** The index after the string that begins at `start`, or the end of a text that does not end it. */
function afterString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (character === BACKSLASH) index += 1;
    else if (character === QUOTE) return index + 1;
  }
  return text.length;
}

/** Is a text that may be JSON nested deeper than so many levels? */
export function isDeeper(text: string, levels: number): boolean {
  let depth = 0;
  for (let index = 0; index < text.length; ) {
    const character = text.charCodeAt(index);
    if (character === QUOTE) {
      index = afterString(text, index);
      continue;
    }
    if (OPENERS.has(character)) depth += 1;
    else if (CLOSERS.has(character)) depth -= 1;
    if (depth > levels) return true;
    index += 1;
  }
  return false;
}
