import { int, nameOfType, sizeOfType } from './c-types.ts';
import { type Checker, integerOf, refuse } from './checker.ts';
import type { Expression } from './syntax.ts';
import type { Typed } from './typed.ts';

/** Both say whether texts are the same, as in inject.py, and not which is greater, as in C. */
export function textCall(checker: Checker, expression: Expression & { readonly kind: 'call' }): Typed {
  const { name, parameters, at } = expression;
  const wanted = name === 'STRNCMP' ? 3 : 2;
  const usage = name === 'STRNCMP' ? 'STRNCMP(name->name, "bananas", 8)' : 'STRCMP(name->name, "bananas")';
  if (name !== 'STRNCMP' && name !== 'STRCMP') {
    return refuse(
      checker,
      at,
      `there is no function ${name} here`,
      'there is: STRNCMP(text, "…", length), STRCMP(text, "…")',
    );
  }
  const [first, second, third] = parameters;
  if (parameters.length !== wanted || first === undefined || second === undefined) {
    return refuse(checker, expression, `${name} takes ${wanted} arguments`, `as in ${usage}`);
  }
  const [literal, other] = second.kind === 'text' ? [second, first] : [first, second];
  if (literal.kind !== 'text') {
    return refuse(checker, expression, 'neither of the two is a text between quotes', `as in ${usage}`);
  }
  const address = checker.evaluate(other);
  const isText = address.type.kind === 'pointer' && sizeOfType(address.type.to) <= 1;
  if (address.type.kind !== 'pointer' || !isText) {
    return refuse(checker, other, `${nameOfType(address.type)} is no text`, 'it must be a char * or an array of char');
  }
  const whole = Buffer.concat([literal.bytes, Buffer.of(0)]);
  const length = third === undefined ? whole.length : lengthOf(checker, third);
  return { kind: 'text', address, space: address.type.space, bytes: whole.subarray(0, length), type: int };
}

function lengthOf(checker: Checker, expression: Expression): number {
  const length = integerOf(checker, expression);
  if (length.kind === 'constant' && length.value > 0n && length.value < 4096n) return Number(length.value);
  return refuse(
    checker,
    expression,
    'the length must be a number from 1',
    'with the NUL at the end of the text: 8 for "bananas"',
  );
}
