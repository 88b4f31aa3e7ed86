import { type Source, sourceError } from './source.ts';
import type { BinaryOperator, Comparison, Expression, UnaryOperator } from './syntax.ts';
import { readTokens, type TokenReader } from './token-reader.ts';
import { beginsType, readTypeName } from './type-name.ts';

/*
 * Predicates are expressions of C without assignments: precedence climbing over the operators' usual ranks.
 */

const ranks: ReadonlyMap<string, number> = new Map(
  [['||'], ['&&'], ['|'], ['^'], ['&'], ['==', '!='], ['<', '<=', '>', '>='], ['<<', '>>'], ['+', '-'], ['*', '/', '%']]
    .map((operators, rank) => operators.map((operator) => [operator, rank + 1] as const))
    .flat(),
);

const unaryOperators: readonly string[] = ['!', '-', '+', '~', '*', '&'];

/** Deeper nesting is no condition that a person wrote. */
const maxDepth = 48;

/** Each part may lie within the one before, and all that follows goes down from one to the other. */
const maxParts = 500;

interface Parser {
  readonly reader: TokenReader;
  readonly isTypedef: (name: string) => boolean;
  depth: number;
  parts: number;
}

function countPart(parser: Parser): void {
  parser.parts += 1;
  if (parser.parts <= maxParts) return;
  parser.reader.refuse(`this has more than ${maxParts} operators`, 'look at less, or attack several times');
}

function nested<Result>(parser: Parser, read: () => Result): Result {
  parser.depth += 1;
  if (parser.depth > maxDepth) parser.reader.refuse('this is nested too deeply', 'write it in fewer levels');
  const result = read();
  parser.depth -= 1;
  return result;
}

function readCall(parser: Parser, name: string): Expression {
  const { reader } = parser;
  const at = reader.take();
  reader.take(); // the parenthesis
  countPart(parser);
  const parameters: Expression[] = [];
  while (reader.peek().text !== ')') {
    if (parameters.length > 0) reader.expect(',', 'between two arguments');
    parameters.push(readBinary(parser, 1));
  }
  const { end } = reader.expect(')', 'after the arguments');
  return { kind: 'call', name, at, parameters, start: at.start, end };
}

function readPrimary(parser: Parser): Expression {
  const { reader } = parser;
  const token = reader.peek();
  const { start, end } = token;
  switch (token.kind) {
    case 'number':
      reader.take();
      return { kind: 'number', value: token.value, suffix: token.suffix, text: token.text, start, end };
    case 'text':
      reader.take();
      return { kind: 'text', bytes: token.bytes, start, end };
    case 'word':
      if (reader.peek(1).text === '(') return readCall(parser, token.text);
      reader.take();
      return { kind: 'name', name: token.text, start, end };
    default:
      return reader.refuse('a value is missing', 'as in: name->len > 3 && STRNCMP(name->name, "bananas", 8)');
  }
}

/** What follows a value: members and indices. */
function readPostfix(parser: Parser, first: Expression): Expression {
  const { reader } = parser;
  let value = first;
  for (;;) {
    const { start } = value;
    const sign = reader.takeIf('->', '.', '[', '++', '--');
    if (sign === undefined) return value;
    countPart(parser);
    if (sign.text === '[') {
      const index = nested(parser, () => readBinary(parser, 1));
      const { end } = reader.expect(']', 'after an index');
      value = { kind: 'index', of: value, index, start, end };
    } else if (sign.text === '->' || sign.text === '.') {
      const name = reader.peek();
      if (name.kind !== 'word') reader.refuse('the name of a member is missing', 'as in name->len');
      reader.take();
      value = { kind: 'member', of: value, arrow: sign.text === '->', name: name.text, at: name, start, end: name.end };
    } else {
      throw sourceError(reader.source, sign, `${sign.text} would change a value`, 'a predicate only looks');
    }
  }
}

function readCast(parser: Parser): Expression | undefined {
  const { reader, isTypedef } = parser;
  if (reader.peek().text !== '(' || reader.peek().kind !== 'sign') return undefined;
  const open = reader.take();
  if (!beginsType(reader, isTypedef)) {
    const inner = nested(parser, () => readBinary(parser, 1));
    const { end } = reader.expect(')', 'for each that is opened');
    return readPostfix(parser, { ...inner, start: open.start, end });
  }
  const type = readTypeName(reader);
  reader.expect(')', 'after the type of a cast');
  const operand = nested(parser, () => readUnary(parser));
  return { kind: 'cast', type, operand, start: open.start, end: operand.end };
}

function readSizeof(parser: Parser): Expression | undefined {
  const { reader } = parser;
  if (reader.peek().text !== 'sizeof' || reader.peek(1).text !== '(') return undefined;
  const { start } = reader.take();
  reader.take();
  const type = readTypeName(reader);
  const { end } = reader.expect(')', 'after the type of sizeof');
  return { kind: 'sizeof', type, start, end };
}

function readUnary(parser: Parser): Expression {
  const { reader } = parser;
  const sign = reader.takeIf(...unaryOperators);
  if (sign !== undefined) {
    const operand = nested(parser, () => readUnary(parser));
    return { kind: 'unary', operator: sign.text as UnaryOperator, operand, start: sign.start, end: operand.end };
  }
  return readSizeof(parser) ?? readCast(parser) ?? readPostfix(parser, readPrimary(parser));
}

function readBinary(parser: Parser, least: number): Expression {
  const { reader } = parser;
  let left = nested(parser, () => readUnary(parser));
  for (;;) {
    const sign = reader.peek();
    if (sign.text === '=' && sign.kind === 'sign') reader.refuse('= would change a value', 'to compare, write ==');
    if (sign.text === '?' && sign.kind === 'sign') reader.refuse('?: is not known here', 'write it with && and ||');
    const rank = sign.kind === 'sign' ? ranks.get(sign.text) : undefined;
    if (rank === undefined || rank < least) return left;
    countPart(parser);
    reader.take();
    const right = readBinary(parser, rank + 1);
    const operator = sign.text as BinaryOperator | Comparison | '&&' | '||';
    left = { kind: 'binary', operator, left, right, at: sign, start: left.start, end: right.end };
  }
}

/**
 * @param isTypedef does a word name a type, so that it makes a cast between parentheses?
 * @throws {FaultlineError} ARGUMENT_INVALID
 */
export function parsePredicate(source: Source, isTypedef: (name: string) => boolean): Expression {
  const reader = readTokens(source);
  if (reader.peek().kind === 'end') reader.refuse('it is empty', 'leave it out, or write a condition');
  const parser: Parser = { reader, isTypedef, depth: 0, parts: 0 };
  const expression = readBinary(parser, 1);
  if (reader.peek().kind !== 'end') reader.refuse('the condition is over here', 'join conditions by && or ||');
  return expression;
}
