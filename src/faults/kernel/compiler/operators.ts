import {
  commonType,
  inSpace,
  int,
  long,
  nameOfType,
  type PointerType,
  promoted,
  resolveType,
  type Space,
} from './c-types.ts';
import { asInteger, type Checker, converted, integerOf, type Operand, refuse, value, wrapped } from './checker.ts';
import { addressOf, pointedTo, steps } from './places.ts';
import type { BinaryOperator, Comparison, Expression } from './syntax.ts';
import type { Typed } from './typed.ts';

/*
 * Operators and casts, by C's rules of conversion.
 */

export function unary(checker: Checker, expression: Expression & { readonly kind: 'unary' }): Operand {
  const { operator, operand } = expression;
  switch (operator) {
    case '*':
      return pointedTo(checker, operand);
    case '&':
      return value(addressOf(checker, operand));
    case '!':
      return value({ kind: 'not', operand: checker.evaluate(operand), type: int });
    default: {
      const inner = integerOf(checker, operand);
      const type = promoted(inner.type);
      const wide = converted(inner, type);
      if (operator === '+') return value(wide);
      if (wide.kind === 'constant' && operator === '-') {
        return value({ kind: 'constant', value: wrapped(-wide.value, type), type });
      }
      return value({ kind: operator === '-' ? 'negate' : 'invert', operand: wide, type });
    }
  }
}

function compared(checker: Checker, expression: Expression & { readonly kind: 'binary' }): Typed {
  const [left, right] = [checker.evaluate(expression.left), checker.evaluate(expression.right)];
  const operator = expression.operator as Comparison;
  if (left.type.kind === 'integer' && right.type.kind === 'integer') {
    const type = commonType(left.type, right.type);
    const sides = { left: converted(left, type), right: converted(right, type) };
    return { kind: 'compare', operator, ...sides, signed: type.signed, type: int };
  }
  const isZero = (one: Typed): boolean => one.kind === 'constant' && one.value === 0n;
  const fits = (one: Typed): boolean => one.type.kind === 'pointer' || isZero(one);
  if (!fits(left) || !fits(right)) {
    const [a, b] = [nameOfType(left.type), nameOfType(right.type)];
    refuse(checker, expression.at, `${a} and ${b} cannot be compared`, 'cast one of them, or read what it points to');
  }
  return { kind: 'compare', operator, left, right, signed: false, type: int };
}

function arithmetic(checker: Checker, expression: Expression & { readonly kind: 'binary' }): Typed {
  const operator = expression.operator as BinaryOperator;
  // Each side once: what was evaluated again would be so for each operator around it.
  const sides = [checker.evaluate(expression.left), checker.evaluate(expression.right)] as const;
  if (operator === '+' || operator === '-') {
    const [left, right] = sides;
    if (left.type.kind === 'pointer') {
      return steps(checker, left, asInteger(checker, expression.right, right), operator, expression.left);
    }
    if (right.type.kind === 'pointer' && operator === '+') return steps(checker, right, left, '+', expression.right);
  }
  const left = asInteger(checker, expression.left, sides[0]);
  const right = asInteger(checker, expression.right, sides[1]);
  if (operator === '<<' || operator === '>>') {
    const type = promoted(left.type);
    return {
      kind: 'binary',
      operator,
      left: converted(left, type),
      right: converted(right, promoted(right.type)),
      type,
    };
  }
  const type = commonType(left.type, right.type);
  return { kind: 'binary', operator, left: converted(left, type), right: converted(right, type), type };
}

export function binary(checker: Checker, expression: Expression & { readonly kind: 'binary' }): Typed {
  const { operator } = expression;
  if (operator === '&&' || operator === '||') {
    const [left, right] = [checker.evaluate(expression.left), checker.evaluate(expression.right)];
    return { kind: operator === '&&' ? 'and' : 'or', left, right, type: int };
  }
  const isArithmetic = ['*', '/', '%', '+', '-', '<<', '>>', '&', '^', '|'].includes(operator);
  return isArithmetic ? arithmetic(checker, expression) : compared(checker, expression);
}

export function castOf(checker: Checker, expression: Expression & { readonly kind: 'cast' }): Typed {
  const type = resolveType(checker.btf, checker.source, expression.type);
  const typed = checker.evaluate(expression.operand);
  if (type.kind !== 'integer' && type.kind !== 'pointer') {
    return refuse(
      checker,
      expression.type.span,
      `nothing can be cast to ${nameOfType(type)}`,
      'to a number or a pointer',
    );
  }
  if (type.kind === 'integer' && type.name === 'bool') {
    const zero: Typed = { kind: 'constant', value: 0n, type: long };
    return { kind: 'compare', operator: '!=', left: typed, right: zero, signed: false, type: int };
  }
  // A pointer from a process's memory stays one, whatever it is said to point to.
  const space: Space = typed.type.kind === 'pointer' && typed.type.space === 'user' ? 'user' : 'kernel';
  return converted(typed, type.kind === 'pointer' && space === 'user' ? (inSpace(type, space) as PointerType) : type);
}
