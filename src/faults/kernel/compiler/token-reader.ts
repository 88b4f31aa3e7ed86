import { tokensOf, type Token } from './lexer.ts';
import { type Source, sourceError } from './source.ts';

/** Tokens one after the other. */
export interface TokenReader {
  readonly source: Source;
  /** The next one, or one of those after it, without taking it. */
  peek(ahead?: number): Token;
  take(): Token;
  /** Take the next one if it is this sign or word. */
  takeIf(...texts: readonly string[]): Token | undefined;
  /** @throws {FaultlineError} it is another one */
  expect(text: string, where: string): Token;
  /** @throws {FaultlineError} always: the next one is not what is wanted */
  refuse(problem: string, hint: string): never;
}

/** Signs and words may look like a literal: `'+'` is none. */
function isPlain({ kind }: Token): boolean {
  return kind === 'word' || kind === 'sign';
}

/** @throws {FaultlineError} ARGUMENT_INVALID: something in it is no token */
export function readTokens(source: Source): TokenReader {
  const tokens = tokensOf(source);
  const last = tokens.at(-1) as Token;
  let at = 0;
  const peek = (ahead = 0): Token => tokens[at + ahead] ?? last;
  const take = (): Token => {
    const token = peek();
    at += 1;
    return token;
  };
  const refuse = (problem: string, hint: string): never => {
    const token = peek();
    throw sourceError(source, token, token.kind === 'end' ? `${problem}, and the text ends here` : problem, hint);
  };
  const takeIf = (...texts: readonly string[]): Token | undefined =>
    isPlain(peek()) && texts.includes(peek().text) ? take() : undefined;
  const expect = (text: string, where: string): Token =>
    takeIf(text) ?? refuse(`a "${text}" is missing`, `there must be one ${where}`);
  return Object.freeze({ source, peek, take, takeIf, expect, refuse });
}
