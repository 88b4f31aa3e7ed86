import { type Source, sourceError, type Span } from './source.ts';
import { readTokens, type TokenReader } from './token-reader.ts';
import { readTypeName, type TypeName } from './type-name.ts';

/** A parameter as it is declared. */
export interface Declaration {
  readonly name: string;
  /** Of its name. */
  readonly span: Span;
  readonly type: TypeName;
}

/** Registers carry so many parameters on x86-64, which is fewer than on arm64. */
export const maxParameters = 6;

function readOne(reader: TokenReader): Declaration {
  const type = readTypeName(reader);
  const name = reader.peek();
  if (name.kind === 'sign' && name.text === '(') {
    reader.refuse('a pointer to a function cannot be declared here', 'write void * for it');
  }
  // `struct dentry *, int flags`: a parameter that no predicate asks for needs no name.
  if (name.kind !== 'word') return { name: '', span: type.span, type };
  reader.take();
  if (reader.takeIf('[') === undefined) return { name: name.text, span: name, type };
  if (reader.peek().kind === 'number') reader.take();
  reader.expect(']', 'after the brackets of an array');
  return { name: name.text, span: name, type: { ...type, pointers: type.pointers + 1 } };
}

/**
 * The parameters of a function as C declares them, without the parentheses; an empty text and `void` have none.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID
 */
export function parseDeclarations(source: Source): readonly Declaration[] {
  const reader = readTokens(source);
  const declarations: Declaration[] = [];
  const onlyVoid = reader.peek().text === 'void' && reader.peek(1).kind === 'end';
  if (onlyVoid || reader.peek().kind === 'end') return declarations;
  for (;;) {
    const one = readOne(reader);
    if (one.name !== '' && declarations.some(({ name }) => name === one.name)) {
      throw sourceError(source, one.span, `${one.name} is declared twice`, 'give each parameter a name of its own');
    }
    declarations.push(one);
    if (reader.peek().kind === 'end') return declarations;
    reader.expect(',', 'between two parameters');
    if (declarations.length === maxParameters) {
      const hint = `only the first ${maxParameters} are in registers; leave the others out`;
      reader.refuse(`there are more than ${maxParameters} parameters`, hint);
    }
  }
}
