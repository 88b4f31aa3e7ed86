import { nameOfType, resolveType, sizeOfType, unsignedLong } from './c-types.ts';
import { type Checker, type Operand, refuse, rvalue, type Scope, value } from './checker.ts';
import { nameOf, numberOf } from './literals.ts';
import { binary, castOf, unary } from './operators.ts';
import { indexed, memberOf } from './places.ts';
import type { Expression } from './syntax.ts';
import { textCall } from './texts.ts';
import type { Typed } from './typed.ts';

/*
 * From what was written to what is computed: names become parameters and constants, members become offsets, and types
 * follow C's rules.
 */

function operandOf(checker: Checker, expression: Expression): Operand {
  switch (expression.kind) {
    case 'number':
      return value(numberOf(expression));
    case 'text':
      return refuse(checker, expression, 'a text is no number', 'compare texts by STRCMP(name->name, "bananas")');
    case 'name':
      return value(nameOf(checker, expression));
    case 'member':
      return memberOf(checker, expression);
    case 'index':
      return indexed(checker, expression);
    case 'unary':
      return unary(checker, expression);
    case 'binary':
      return value(binary(checker, expression));
    case 'cast':
      return value(castOf(checker, expression));
    case 'sizeof': {
      const type = resolveType(checker.btf, checker.source, expression.type);
      const size = sizeOfType(type);
      const unknown = `the size of ${nameOfType(type)} is not known`;
      if (size === 0) refuse(checker, expression, unknown, 'write it as a number');
      return value({ kind: 'constant', value: BigInt(size), type: unsignedLong });
    }
    case 'call':
      return value(textCall(checker, expression));
  }
}

/**
 * What a predicate computes.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID, with the place
 */
export function checkPredicate(scope: Scope, expression: Expression): Typed {
  const checker: Checker = {
    ...scope,
    operandOf: (inner) => operandOf(checker, inner),
    evaluate: (inner) => rvalue(scope, operandOf(checker, inner), inner),
  };
  return checker.evaluate(expression);
}
