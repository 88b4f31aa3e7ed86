import { listed } from '../../../base/text.ts';
import { findMember, memberNames } from '../../../linux/btf/types.ts';
import { nearHint } from '../../near.ts';
import { type CType, inSpace, long, nameOfType, sizeOfType, typeOfNumber } from './c-types.ts';
import { type Checker, converted, integerOf, moved, type Place, refuse } from './checker.ts';
import type { Span } from './source.ts';
import type { Expression } from './syntax.ts';
import type { Typed } from './typed.ts';

/*
 * What is in memory: members, elements, and what pointers point to.
 */

export function memberOf(checker: Checker, expression: Expression & { readonly kind: 'member' }): Place {
  const { of, arrow, name, at } = expression;
  const outer = arrow ? pointedTo(checker, of) : checker.operandOf(of);
  if (outer.kind === 'value') {
    const hint = outer.typed.type.kind === 'pointer' ? 'it is a pointer: write ->' : 'it is a number';
    return refuse(checker, of, `${nameOfType(outer.typed.type)} has no members`, hint);
  }
  const { type } = outer;
  if (type.kind !== 'structure') {
    const hint = type.kind === 'pointer' ? 'it is a pointer: write ->' : 'members are of structs and unions';
    return refuse(checker, of, `${nameOfType(type)} has no members`, hint);
  }
  if (type.size === 0) refuse(checker, of, `what is in ${type.name} is not known`, 'the kernel only declares it');
  const member = findMember(checker.btf, type.number, name);
  if (member === undefined) {
    const known = memberNames(checker.btf, type.number);
    const near = nearHint(name, known);
    const guess = near.startsWith('did') ? `${near} ` : '';
    return refuse(checker, at, `${type.name} has no member ${name}`, `${guess}it has: ${listed(known, 40)}`);
  }
  const own = inSpace(typeOfNumber(checker.btf, member.type), outer.space);
  const offset = outer.offset + member.bitOffset / 8;
  if (member.bitSize === 0) return { ...outer, offset, type: own, bits: undefined };
  const field = bitField(member.bitOffset, member.bitSize, own, outer.offset);
  if (field.bits.shift + field.bits.width > sizeOfType(own) * 8) {
    refuse(
      checker,
      at,
      `${name} lies across two ${nameOfType(own)}`,
      'read the bytes around it: ((unsigned char *)p)[8]',
    );
  }
  return { ...outer, ...field };
}

/** The integer around a bit-field, aligned to its own size as compilers lay it out. */
function bitField(
  bitOffset: number,
  width: number,
  type: CType,
  base: number,
): Pick<Place, 'offset' | 'type'> & { readonly bits: NonNullable<Place['bits']> } {
  const size = sizeOfType(type);
  const start = Math.floor(bitOffset / (size * 8)) * size;
  return { offset: base + start, type, bits: { shift: bitOffset - start * 8, width } };
}

export function pointedTo(checker: Checker, expression: Expression): Place {
  const typed = checker.evaluate(expression);
  const { type } = typed;
  if (type.kind !== 'pointer') {
    return refuse(
      checker,
      expression,
      `${nameOfType(type)} is no pointer`,
      'members of what is no pointer are behind a dot',
    );
  }
  if (type.to.kind === 'void') {
    refuse(checker, expression, 'what a void * points to is not known', 'cast it: ((struct inode *)p)->i_ino');
  }
  return {
    kind: 'place',
    address: typed,
    offset: 0,
    space: type.space,
    type: inSpace(type.to, type.space),
    bits: undefined,
  };
}

/** C counts in elements of what a pointer points to. */
export function steps(checker: Checker, pointer: Typed, count: Typed, operator: '+' | '-', span: Span): Typed {
  const { type } = pointer;
  if (type.kind !== 'pointer') throw new Error('a pointer was asked for');
  const size = type.to.kind === 'void' ? 1 : sizeOfType(type.to);
  const unknown = `the size of ${nameOfType(type.to)} is not known`;
  if (size === 0) refuse(checker, span, unknown, 'cast it to another pointer');
  const scale: Typed = { kind: 'constant', value: BigInt(size), type: long };
  const bytes: Typed = { kind: 'binary', operator: '*', left: converted(count, long), right: scale, type: long };
  const isPlain = count.kind === 'constant';
  const right: Typed = isPlain ? { kind: 'constant', value: count.value * BigInt(size), type: long } : bytes;
  return { kind: 'binary', operator, left: pointer, right, type };
}

export function indexed(checker: Checker, expression: Expression & { readonly kind: 'index' }): Place {
  const pointer = checker.evaluate(expression.of);
  const { type } = pointer;
  if (type.kind !== 'pointer') {
    return refuse(
      checker,
      expression.of,
      `${nameOfType(type)} has no elements`,
      'an index follows an array or a pointer',
    );
  }
  const index = integerOf(checker, expression.index);
  const address = steps(checker, pointer, index, '+', expression.of);
  return { kind: 'place', address, offset: 0, space: type.space, type: inSpace(type.to, type.space), bits: undefined };
}

export function addressOf(checker: Checker, expression: Expression): Typed {
  const operand = checker.operandOf(expression);
  const hint = '& takes a member or an element';
  if (operand.kind === 'value') return refuse(checker, expression, 'this is not in memory', hint);
  const { address, offset, space, type, bits } = operand;
  if (bits !== undefined) refuse(checker, expression, 'a bit-field has no address', 'use its value');
  return moved(address, offset, { kind: 'pointer', to: type, space });
}
