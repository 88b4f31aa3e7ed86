import { wrapped } from './examples.ts';

/*
 * The few macros of man(7) that a man page needs, and the escapes that keep text what it is: groff_man(7),
 * groff_char(7).
 */

/** mandoc(1) -T lint would have no longer ones. */
const sourceWidth = 78;

/** Characters that roff would act upon, or print as a typographic relative that no shell understands. */
const escapes: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '"': '\\(dq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
  // The one character of ours that plain ASCII devices lack.
  '…': '...',
};

/** A word or a line that comes out as it is, after a macro or within other text. */
export function inline(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\\\-'"`^~]|[^ -~]/gu, (character) => {
    const point = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return escapes[character] ?? `\\[u${point}]`;
  });
}

/** A paragraph that comes out as it is, in lines of its own. */
export function filled(text: string): string {
  const lines = wrapped(inline(text), sourceWidth).split('\n');
  // A line that begins with a full stop would be a request; with an apostrophe, too, but that is escaped already.
  return lines.map((line) => (line.startsWith('.') ? `\\&${line}` : line)).join('\n');
}

/** What is typed as it stands. */
export function bold(text: string): string {
  return `\\fB${inline(text)}\\fR`;
}

/** What stands for something else. */
export function italic(text: string): string {
  return `\\fI${inline(text)}\\fR`;
}

export function section(title: string, ...blocks: readonly string[]): string {
  return [`.SH ${inline(title)}`, ...blocks].join('\n');
}

export function subsection(title: string, ...blocks: readonly string[]): string {
  return [`.SS ${inline(title)}`, ...blocks].join('\n');
}

export function paragraph(text: string): string {
  return `.PP\n${filled(text)}`;
}

/** @param term escaped already; what it means stands indented below it */
export function definition(term: string, meaning: string): string {
  return `.TP\n${term}\n${filled(meaning)}`;
}

/** A line that is neither filled nor broken. */
export function literal(line: string): string {
  return `.PP\n.RS 4\n.nf\n${bold(line)}\n.fi\n.RE`;
}
