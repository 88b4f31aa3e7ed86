import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { errnoName, errnoNumber } from '../../linux/errno.ts';
import { nearHint } from '../near.ts';
import type { ErrnoSpec } from './rule.ts';
import { usualErrnos } from './usual-errnos.ts';

const maxWeight = 1_000_000;
const maxChoices = 64;

function refuse(sentence: string, hint: string): never {
  throw new FaultlineError('ARGUMENT_INVALID', sentence, { hint });
}

/**
 * An error number by its name, in either case, or itself.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID
 */
function errnoOf(given: string | number): number {
  const text = String(given).trim();
  const number = /^\d{1,6}$/u.test(text) ? Number(text) : errnoNumber(text.toUpperCase());
  if (number === undefined || errnoName(number) === undefined) {
    const shown = printable(text.slice(0, 40));
    if (/^-\d+$/u.test(text)) refuse(`the errno ${shown} is negative`, `write ${shown.slice(1)}, or its name`);
    if (/^\d+$/u.test(text)) refuse(`Linux has no errno ${shown}`, 'errno(3) lists them; the largest is 133');
    refuse(`there is no errno "${shown}"`, nearHint(text, usualErrnos));
  }
  if (errnoName(number) === 'ENOSYS') {
    refuse(
      'the errno ENOSYS would outlast the fault: the kernel never asks again for what is not implemented',
      'EOPNOTSUPP tells programs nearly the same',
    );
  }
  return number;
}

function weightOf(weight: unknown): number {
  const number = typeof weight === 'string' && /^\d{1,9}$/u.test(weight) ? Number(weight) : weight;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= maxWeight) return number;
  return refuse(
    `the weight ${printable(String(weight).slice(0, 40))} is not valid`,
    `a whole number up to ${maxWeight}`,
  );
}

/** An errno with the weight that it has among others. */
export interface WeightedErrno {
  readonly errno: string | number;
  readonly weight: number | string;
}

function fromText(text: string): readonly WeightedErrno[] {
  return text.split(',').map((part) => {
    const [errno = '', weight = '1', ...rest] = part.split(':');
    if (rest.length > 0) refuse(`"${printable(part.slice(0, 40))}" is no errno with a weight`, 'write EIO:3,ENOSPC:1');
    return { errno, weight };
  });
}

/**
 * What is to fail how: `EIO`, `5`, `EIO:3,ENOSPC:1`, or a list as toda has it.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID
 */
export function parseErrnos(given: string | number | readonly WeightedErrno[]): ErrnoSpec {
  const list = typeof given === 'object' ? given : fromText(String(given));
  if (list.length === 0 || list.length > maxChoices) refuse('there must be 1 to 64 errnos', 'name one, such as EIO');
  const choices = list.map(({ errno, weight }) => ({ errno: errnoOf(errno), weight: weightOf(weight) }));
  if (choices.every(({ weight }) => weight === 0)) refuse('all errnos have the weight 0', 'give one of them a weight');
  return { kind: 'errno', choices: choices.filter(({ weight }) => weight > 0) };
}
