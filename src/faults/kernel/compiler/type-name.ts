import type { TokenReader } from './token-reader.ts';
import { type Span, spanOf } from './source.ts';

/*
 * Types as C writes them: `const struct qstr *`, `unsigned long`, `const char __user *`.
 */

/** What a type is called, not yet looked up. */
export interface TypeName {
  readonly span: Span;
  /** What comes before the first asterisk; words of numbers in their one order: `unsigned long`. */
  readonly base: { readonly kind: 'struct' | 'union' | 'enum' | 'named'; readonly name: string };
  /** How many asterisks. */
  readonly pointers: number;
  /** It is memory of a process: `__user`. */
  readonly user: boolean;
}

const qualifiers: readonly string[] = ['const', 'volatile', 'restrict', '__restrict', '__rcu', '__iomem', '__force'];
const numberWords: readonly string[] = ['unsigned', 'signed', 'short', 'long', 'int', 'char', 'void', '_Bool', 'bool'];

/** C's many orders and abbreviations of the words of a number, each by one name. */
const numberNames: ReadonlyMap<string, string> = new Map([
  ['char', 'char'],
  ['char signed', 'signed char'],
  ['char unsigned', 'unsigned char'],
  ['short', 'short'],
  ['int short', 'short'],
  ['short signed', 'short'],
  ['int short signed', 'short'],
  ['short unsigned', 'unsigned short'],
  ['int short unsigned', 'unsigned short'],
  ['int', 'int'],
  ['signed', 'int'],
  ['int signed', 'int'],
  ['unsigned', 'unsigned int'],
  ['int unsigned', 'unsigned int'],
  ['long', 'long'],
  ['int long', 'long'],
  ['long signed', 'long'],
  ['int long signed', 'long'],
  ['long unsigned', 'unsigned long'],
  ['int long unsigned', 'unsigned long'],
  ['long long', 'long'],
  ['int long long', 'long'],
  ['long long signed', 'long'],
  ['int long long signed', 'long'],
  ['long long unsigned', 'unsigned long'],
  ['int long long unsigned', 'unsigned long'],
  ['void', 'void'],
  ['bool', 'bool'],
  ['_Bool', 'bool'],
]);

/** Could the next token begin a type? A word alone may also be the name of a value. */
export function beginsType(reader: TokenReader, isTypedef: (name: string) => boolean): boolean {
  const { kind, text } = reader.peek();
  if (kind !== 'word') return false;
  return ['struct', 'union', 'enum', '__user', ...qualifiers, ...numberWords].includes(text) || isTypedef(text);
}

interface Words {
  readonly numbers: string[];
  user: boolean;
}

function takeQualifiers(reader: TokenReader, words: Words): void {
  for (;;) {
    if (reader.takeIf('__user') !== undefined) words.user = true;
    else if (reader.takeIf(...qualifiers) === undefined) return;
  }
}

function readBase(reader: TokenReader, words: Words): TypeName['base'] {
  const tag = reader.takeIf('struct', 'union', 'enum');
  if (tag !== undefined) {
    if (reader.peek().kind !== 'word') reader.refuse(`the name of the ${tag.text} is missing`, 'as in struct dentry *');
    return { kind: tag.text as 'struct' | 'union' | 'enum', name: reader.take().text };
  }
  for (let word = reader.takeIf(...numberWords); word !== undefined; word = reader.takeIf(...numberWords)) {
    words.numbers.push(word.text);
    takeQualifiers(reader, words);
  }
  if (words.numbers.length > 0) {
    const name = numberNames.get(words.numbers.toSorted().join(' '));
    if (name === undefined) reader.refuse('there is no such type before this', 'as in unsigned long');
    else return { kind: 'named', name };
  }
  if (reader.peek().kind !== 'word') reader.refuse('a type is missing', 'as in struct dentry *parent, int flags');
  return { kind: 'named', name: reader.take().text };
}

/** @throws {FaultlineError} ARGUMENT_INVALID */
export function readTypeName(reader: TokenReader): TypeName {
  const first = reader.peek();
  const words: Words = { numbers: [], user: false };
  takeQualifiers(reader, words);
  const base = readBase(reader, words);
  takeQualifiers(reader, words);
  let pointers = 0;
  let last = first;
  while (reader.peek().text === '*' && reader.peek().kind === 'sign') {
    last = reader.take();
    pointers += 1;
    takeQualifiers(reader, words);
  }
  const span = pointers === 0 ? { start: first.start, end: reader.peek().start } : spanOf(first, last);
  return { span, base, pointers, user: words.user };
}
