/*
 * What bash leaves to a completion: to take its words apart at `=` and `:`, to remove quotes, and to put them back into
 * what is inserted. Done here, where nothing is ever evaluated: bash(1), QUOTING and Programmable Completion.
 */

type Quote = '' | "'" | '"';

export interface BashLine {
  /** The words before the current one without their quotes; the program's name is the first. */
  readonly words: readonly string[];
  /** The current word without its quotes. */
  readonly current: string;
  /** The part of `current` that bash keeps: what it replaces begins after it. */
  readonly kept: string;
  /** The quote that is open at the cursor. */
  readonly quote: Quote;
}

interface Scan {
  readonly words: string[];
  /** Undefined between words. */
  word: string | undefined;
  kept: string;
  quote: Quote;
  /** `kept` as it was before the quote was opened: closed, it is no place to begin at. */
  keptBeforeQuote: string;
}

const isSpace = (character: string): boolean => character === ' ' || character === '\t' || character === '\n';

function add(scan: Scan, text: string): void {
  scan.word = (scan.word ?? '') + text;
}

function endWord(scan: Scan): void {
  if (scan.word !== undefined) scan.words.push(scan.word);
  scan.word = undefined;
  scan.kept = '';
}

/** A character outside of quotes that is not escaped. */
function scanPlain(scan: Scan, character: string, wordBreaks: string): void {
  if (isSpace(character)) {
    endWord(scan);
    return;
  }
  if (character === "'" || character === '"') {
    scan.keptBeforeQuote = scan.kept;
    scan.quote = character;
    add(scan, '');
  } else {
    add(scan, character);
  }
  if (scan.quote !== '' || wordBreaks.includes(character)) scan.kept = scan.word ?? '';
}

function scanQuoted(scan: Scan, character: string): void {
  if (character !== scan.quote) {
    add(scan, character);
    return;
  }
  scan.quote = '';
  scan.kept = scan.keptBeforeQuote;
}

/** Does a backslash here make the next character an ordinary one? Within double quotes only before a few. */
function escapes(quote: Quote, next: string): boolean {
  return quote === '' || (quote === '"' && '$`"\\'.includes(next));
}

/**
 * Split a command line as bash would, up to the cursor.
 *
 * @param wordBreaks bash's COMP_WORDBREAKS
 */
export function parseBashLine(line: string, wordBreaks: string): BashLine {
  const scan: Scan = { words: [], word: undefined, kept: '', quote: '', keptBeforeQuote: '' };
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] ?? '';
    const next = line[at + 1] ?? '';
    if (character === '\\' && escapes(scan.quote, next)) {
      add(scan, next);
      at += 1;
    } else if (scan.quote === '') {
      scanPlain(scan, character, wordBreaks);
    } else {
      scanQuoted(scan, character);
    }
  }
  return { words: scan.words, current: scan.word ?? '', kept: scan.kept, quote: scan.quote };
}

/** Text as it must stand in a command line to be taken as it is, after the quote that is open there. */
function quoted(text: string, quote: Quote): string {
  if (quote === "'") return text.replaceAll("'", "'\\''");
  // Between double quotes no backslash helps against history expansion: the quotes are left for a moment.
  if (quote === '"') return text.replaceAll(/[$`"\\]/g, '\\$&').replaceAll('!', '"\\!"');
  return text.replaceAll(/[^\w./:=@%+,\-\u0080-\u{10ffff}]/gu, '\\$&');
}

/**
 * What bash is to put in place of the part of the current word that it replaces; undefined if it cannot become `value`.
 *
 * Where there is but one, readline closes the open quote, unless the line ends with such a quote already, open or not:
 * `append_to_match` in its complete.c.
 */
export function bashReply({ current, kept, quote }: BashLine, value: string): string | undefined {
  if (!value.startsWith(current)) return undefined;
  const reply = quoted(value.slice(kept.length), quote);
  return quote !== '' && reply.endsWith(quote) ? reply + quote : reply;
}
