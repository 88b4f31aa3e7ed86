/**
 * Characters that could act on a terminal, break a line or hide what stands beside them: C0 and C1 controls, DEL,
 * line and paragraph separators, zero-width and bidirectional formatting, byte order marks, lone surrogates.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Untrusted text (a process's name, a kernel log line, an argument) made safe to print: every control or invisible
 * character becomes `\xNN` or `\u{N}`, so that nothing is hidden and nothing acts.
 */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (character) => {
    const point = character.codePointAt(0) ?? 0;
    return point < 0x100 ? `\\x${point.toString(16).padStart(2, '0')}` : `\\u{${point.toString(16)}}`;
  });
}

/** {@link printable}, of a text that may have several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** Does the text hold a character that {@link printable} would replace? */
export function hasUnprintable(text: string): boolean {
  return text.search(unprintable) !== -1;
}

/** `1 process`, `3 processes`. */
export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${number} ${number === 1 ? singular : plural}`;
}

/** The first `most` items joined by commas, and how many more there are. */
export function listed(items: readonly string[], most = 5): string {
  const rest = items.length - most;
  return rest > 0 ? `${items.slice(0, most).join(', ')} and ${rest} more` : items.join(', ');
}
