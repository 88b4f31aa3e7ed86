import { type Btf, findType } from '../../../linux/btf/btf.ts';
import { typeAt } from '../../../linux/btf/types.ts';
import { checkPredicate } from './check.ts';
import type { Parameter } from './checker.ts';
import { type CType, inSpace, isSameStructure, isTypedef, nameOfType, resolveType, typeOfNumber } from './c-types.ts';
import { type Declaration, maxParameters, parseDeclarations } from './declarations.ts';
import { parsePredicate } from './parser.ts';
import { type Source, sourceError } from './source.ts';
import type { Typed } from './typed.ts';

/*
 * The way of a predicate: text → tokens → expression → what is computed, by the kernel's own types. Instructions are
 * made of it in the program of its frame.
 */

/** A function of the kernel as the user names it, with what is to hold of its parameters. */
export interface PredicateInput {
  readonly function: string;
  /** As C declares them; null: as the kernel itself has them. */
  readonly parameters: string | null;
  readonly predicate: string;
}

export interface Predicate {
  readonly source: Source;
  readonly typed: Typed;
}

/** The functions of system calls take the caller's registers, which hold the parameters as one thinks of them. */
const systemCall = /^__(?:x64|arm64|se)_sys_(\w+)$/u;

/** Does a function take its parameters in the registers of the caller? */
export function takesRegisters(name: string): boolean {
  return /^__(?:x64|arm64)_sys_\w+$/u.test(name);
}

function prototypeOf(btf: Btf, name: string): readonly Parameter[] | undefined {
  const number = findType(btf, name, 'function');
  if (number === undefined) return undefined;
  const type = typeAt(btf, number);
  const prototype = type.kind === 'function' ? typeAt(btf, type.prototype) : undefined;
  if (prototype?.kind !== 'prototype') return undefined;
  return prototype.parameters.map(({ name: parameter, type: of }) => ({
    name: parameter,
    type: typeOfNumber(btf, of),
  }));
}

/** Structures that are passed whole take more than one register, or none. */
function refuseWhole(source: Source, parameters: readonly Parameter[], declared: readonly Declaration[]): void {
  const index = parameters.findIndex(({ type }) => type.kind === 'structure' || type.kind === 'opaque');
  const declaration = declared[index];
  if (index === -1 || declaration === undefined) return;
  const problem = `${declaration.name} would be passed whole, and where is not known`;
  throw sourceError(source, declaration.span, problem, 'is it a pointer? Otherwise leave it and those after it out');
}

function mismatch(btf: Btf, declared: CType, own: CType): boolean {
  if (declared.kind === 'pointer' && own.kind === 'pointer') {
    const [a, b] = [declared.to, own.to];
    return a.kind === 'structure' && b.kind === 'structure' && !isSameStructure(btf, a, b);
  }
  const isPointer = (type: CType): boolean => type.kind === 'pointer' || type.kind === 'array';
  return isPointer(declared) !== isPointer(own);
}

function declaredParameters(btf: Btf, source: Source, name: string): readonly Parameter[] {
  const declared = parseDeclarations(source);
  const isCall = systemCall.test(name);
  const parameters = declared.map((one) => {
    const type = resolveType(btf, source, one.type);
    return { name: one.name, type: isCall ? inSpace(type, 'user') : type };
  });
  refuseWhole(source, parameters, declared);
  const own = isCall ? undefined : prototypeOf(btf, name);
  if (own === undefined) return parameters;
  for (const [index, { type }] of parameters.entries()) {
    const declaration = declared[index];
    const real = own[index];
    if (declaration === undefined) break;
    if (real === undefined) {
      const hint = own.length === 0 ? 'it has none' : `it has: ${own.map((one) => nameOfType(one.type)).join(', ')}`;
      throw sourceError(source, declaration.span, `${name} has no parameter ${index + 1}`, hint);
    }
    if (!mismatch(btf, type, real.type)) continue;
    const hint = `declare it as ${nameOfType(real.type)}, and cast it in the predicate if need be`;
    throw sourceError(
      source,
      declaration.span,
      `parameter ${index + 1} of ${name} is a ${nameOfType(real.type)}`,
      hint,
    );
  }
  return parameters;
}

/** What the kernel itself calls the parameters, where the user has not declared them. */
function ownParameters(btf: Btf, name: string): readonly Parameter[] {
  const call = systemCall.exec(name)?.[1];
  const own = prototypeOf(btf, call === undefined ? name : `__do_sys_${call}`) ?? [];
  const parameters = call === undefined ? own : own.map((one) => ({ ...one, type: inSpace(one.type, 'user') }));
  const whole = parameters.findIndex(({ type }) => type.kind === 'structure' || type.kind === 'opaque');
  return parameters.slice(0, Math.min(maxParameters, whole === -1 ? maxParameters : whole));
}

/**
 * What a predicate computes, by the types of the kernel.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID: something is wrong with the text, and where
 */
export function compilePredicate(btf: Btf, input: PredicateInput): Predicate {
  const { function: name, parameters, predicate } = input;
  const declaration: Source = { what: `the parameters of ${name}`, text: parameters ?? '' };
  const source: Source = { what: `the predicate of ${name}`, text: predicate };
  const expression = parsePredicate(source, (word) => isTypedef(btf, word));
  const scope = {
    btf,
    source,
    parameters: parameters === null ? ownParameters(btf, name) : declaredParameters(btf, declaration, name),
  };
  return { source, typed: checkPredicate(scope, expression) };
}
