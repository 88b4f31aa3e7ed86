import { findConstant } from '../../../linux/btf/types.ts';
import { nearHint } from '../../near.ts';
import { int, long, nameOfType, unsignedInt, unsignedLong } from './c-types.ts';
import { type Checker, refuse, wrapped } from './checker.ts';
import type { Expression } from './syntax.ts';
import type { Typed } from './typed.ts';

/*
 * Numbers and names.
 */

export function numberOf(expression: Expression & { readonly kind: 'number' }): Typed {
  const { value: number, suffix, text } = expression;
  const decimal = !text.startsWith('0') && !text.startsWith("'");
  const isLong = suffix.includes('l');
  const isUnsigned = suffix.includes('u');
  const candidates = [int, unsignedInt, long, unsignedLong].filter(({ size, signed }) => {
    if (isLong && size < 8) return false;
    return isUnsigned ? !signed : signed || !decimal;
  });
  const type = candidates.find((one) => wrapped(number, one) === number) ?? unsignedLong;
  return { kind: 'constant', value: number, type };
}

const words: ReadonlyMap<string, Typed> = new Map<string, Typed>([
  ['NULL', { kind: 'constant', value: 0n, type: { kind: 'pointer', to: { kind: 'void' }, space: 'kernel' } }],
  ['true', { kind: 'constant', value: 1n, type: int }],
  ['false', { kind: 'constant', value: 0n, type: int }],
]);

export function nameOf(checker: Checker, expression: Expression & { readonly kind: 'name' }): Typed {
  const { name } = expression;
  const index = checker.parameters.findIndex((one) => one.name === name);
  const parameter = checker.parameters[index];
  if (parameter !== undefined) {
    const { type } = parameter;
    if (type.kind === 'integer' || type.kind === 'pointer') return { kind: 'parameter', index, type };
    return refuse(
      checker,
      expression,
      `${name} is a ${nameOfType(type)}`,
      'only numbers and pointers can be looked at',
    );
  }
  const word = words.get(name);
  if (word !== undefined) return word;
  const constant = findConstant(checker.btf, name);
  if (constant !== undefined) {
    const { value: number } = constant;
    const type = [int, unsignedInt, long].find((one) => wrapped(number, one) === number) ?? unsignedLong;
    return { kind: 'constant', value: number, type };
  }
  const known = checker.parameters.map((one) => one.name).filter((one) => one !== '');
  const hint =
    known.length === 0
      ? 'declare the parameters of the function'
      : `${nearHint(name, known)} (macros are not known here: write their value)`;
  return refuse(checker, expression, `there is nothing called ${name}`, hint);
}
