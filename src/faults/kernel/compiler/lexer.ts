import { type Source, sourceError, type Span } from './source.ts';

/*
 * Words, numbers, literals and signs of C, as far as declarations and predicates have them.
 */

export type Token = Span &
  (
    | { readonly kind: 'word' | 'sign'; readonly text: string }
    /** A number with its type's suffix, or a character. */
    | { readonly kind: 'number'; readonly text: string; readonly value: bigint; readonly suffix: string }
    /** Its bytes, without the NUL that C adds. */
    | { readonly kind: 'text'; readonly text: string; readonly bytes: Buffer }
    | { readonly kind: 'end'; readonly text: '' }
  );

const patterns = {
  space: /\s+/uy,
  word: /[A-Za-z_]\w*/uy,
  number: /(0[xX][0-9A-Fa-f]+|0[bB][01]+|\d+)([uUlL]*)/uy,
  notNumber: /[\w.]*/uy,
  // Each character fits one alternative only: what is not closed is found to be so at once.
  character: /'((?:[^'\\\n]|\\.)*)'/uy,
  text: /"((?:[^"\\\n]|\\.)*)"/uy,
  sign: /->|<<|>>|<=|>=|==|!=|&&|\|\||=>|\+\+|--|\.\.\.|[-+*/%<>!~&|^()[\].,=?:;]/uy,
} as const;

const escapes: Readonly<Partial<Record<string, number>>> = {
  n: 10,
  t: 9,
  r: 13,
  '0': 0,
  a: 7,
  b: 8,
  f: 12,
  v: 11,
  '\\': 92,
  "'": 39,
  '"': 34,
  '?': 63,
};

/** The bytes that the inside of a literal stands for; undefined where an escape means nothing. */
function unescape(inside: string): Buffer | undefined {
  const parts: Buffer[] = [];
  const escape = /\\(?:x([0-9A-Fa-f]+)|([0-7]{1,3})|(.))/gsu;
  let at = 0;
  for (const match of inside.matchAll(escape)) {
    const [whole, hex, octal, letter] = match;
    const value =
      hex === undefined
        ? octal === undefined
          ? escapes[letter ?? '']
          : Number.parseInt(octal, 8)
        : Number.parseInt(hex, 16);
    if (value === undefined || value > 255) return undefined;
    parts.push(Buffer.from(inside.slice(at, match.index), 'utf8'), Buffer.from([value]));
    at = match.index + whole.length;
  }
  return Buffer.concat([...parts, Buffer.from(inside.slice(at), 'utf8')]);
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** C's octal numbers begin with a nought; BigInt's do not. */
function numberValue(digits: string): bigint {
  return /^0\d/u.test(digits) ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits);
}

function readNumber(source: Source, start: number, match: RegExpExecArray): Token {
  const [whole, digits = '', suffix = ''] = match;
  const rest = matchAt(patterns.notNumber, source.text, start + whole.length)?.[0] ?? '';
  const span = { start, end: start + whole.length + rest.length };
  if (rest !== '' || /^0[0-7]*[89]/u.test(digits) || !/^(?:u?l{0,2}|l{1,2}u)$/iu.test(suffix)) {
    throw sourceError(source, span, 'this is no whole number', 'as in C: 10, 0x1f, 0644, 5UL');
  }
  const value = numberValue(digits);
  if (value >= 1n << 64n) throw sourceError(source, span, 'the number is too large', 'it has at most 64 bits');
  return { kind: 'number', text: whole, value, suffix: suffix.toLowerCase(), ...span };
}

function readCharacter(source: Source, start: number, [whole, inside = '']: RegExpExecArray): Token {
  const span = { start, end: start + whole.length };
  const bytes = unescape(inside);
  if (bytes?.length !== 1) {
    throw sourceError(source, span, 'this is no character', "one of ASCII between quotes: 'a', '\\n', '\\x7f'");
  }
  // char is signed on x86-64; that of other architectures is not, and a literal of ASCII is the same there.
  return { kind: 'number', text: whole, value: BigInt(bytes.readInt8(0)), suffix: '', ...span };
}

function readText(source: Source, start: number, [whole, inside = '']: RegExpExecArray): Token {
  const span = { start, end: start + whole.length };
  const bytes = unescape(inside);
  if (bytes === undefined) throw sourceError(source, span, 'the text has an unknown escape', 'as in C: \\n, \\x41');
  if (bytes.includes(0)) throw sourceError(source, span, 'the text has a NUL in it', 'a text of C ends there');
  return { kind: 'text', text: whole, bytes, ...span };
}

function readToken(source: Source, start: number): Token {
  const { text } = source;
  const word = matchAt(patterns.word, text, start);
  if (word !== null) return { kind: 'word', text: word[0], start, end: start + word[0].length };
  const number = matchAt(patterns.number, text, start);
  if (number !== null) return readNumber(source, start, number);
  const character = matchAt(patterns.character, text, start);
  if (character !== null) return readCharacter(source, start, character);
  const literal = matchAt(patterns.text, text, start);
  if (literal !== null) return readText(source, start, literal);
  const sign = matchAt(patterns.sign, text, start);
  if (sign !== null) return { kind: 'sign', text: sign[0], start, end: start + sign[0].length };
  const span = { start, end: start + 1 };
  const open = text[start] === '"' || text[start] === "'";
  throw open
    ? sourceError(source, span, 'the quotes are not closed', 'a text stands between two of them')
    : sourceError(source, span, 'this means nothing here', 'predicates are written as conditions in C are');
}

/** @throws {FaultlineError} ARGUMENT_INVALID */
export function tokensOf(source: Source): readonly Token[] {
  const { text } = source;
  const tokens: Token[] = [];
  let at = matchAt(patterns.space, text, 0)?.[0].length ?? 0;
  while (at < text.length) {
    const token = readToken(source, at);
    tokens.push(token);
    at = token.end + (matchAt(patterns.space, text, token.end)?.[0].length ?? 0);
  }
  return [...tokens, { kind: 'end', text: '', start: text.length, end: text.length + 1 }];
}
