import { plain, plainLines } from '../plain-text.ts';

/** A key that no document can have, so that nothing untrusted passes for markup. */
const trusted = Symbol('markup');

/** HTML or SVG that is safe to be put into a page: made by {@link markup} alone. */
export interface Markup {
  readonly [trusted]: string;
}

/** What a template takes: texts are escaped, markup is not, lists stand one after another, nothing is left out. */
type Part = string | number | Markup | undefined | readonly Part[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for content and attributes of HTML and XML; of characters that act nothing is left. */
function escaped(text: string): string {
  return escapedAsIs(plain(text));
}

function escapedAsIs(text: string): string {
  return text.replaceAll(/[&<>"']/gu, (character) => entities[character] ?? '');
}

function rendered(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'string') return escaped(part);
  if (typeof part === 'number') return String(part);
  return trusted in part ? part[trusted] : part.map(rendered).join('');
}

/** A template whose texts are escaped by themselves, so that none can be forgotten. */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return { [trusted]: strings.map((text, index) => text + rendered(parts[index])).join('') };
}

/** Untrusted text whose ends of line and tabs are kept, for `pre`. */
export function preformatted(text: string): Markup {
  return { [trusted]: escapedAsIs(plainLines(text)) };
}

/** Text of our own that is no HTML: the style sheet and the script. Neither may hold `</`. */
export function verbatim(text: string): Markup {
  return { [trusted]: text };
}

/** The text of a whole page or document. */
export function documentText(whole: Markup): string {
  return whole[trusted];
}
