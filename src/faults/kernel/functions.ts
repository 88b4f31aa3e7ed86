import { FaultlineError } from '../../base/error.ts';
import { listed, printable } from '../../base/text.ts';
import type { ErrorType } from '../../linux/error-injection.ts';
import { findFunction, functionsLike } from '../../linux/kallsyms.ts';
import { editDistance } from '../../targets/near-names.ts';

/*
 * Functions of the kernel that the user names, and what to say of those that there are not.
 */

/** The longest word of a name: `mount` of `do_new_mount_x`. */
function longestWord(name: string): string {
  return name.split('_').reduce((longest, word) => (word.length > longest.length ? word : longest), '');
}

/** A few functions whose names are like one. */
function nearFunctions(name: string): readonly string[] {
  const plain = name.toLowerCase();
  const candidates = [name.slice(0, 6), longestWord(name)].flatMap((part) =>
    part.length < 3 ? [] : functionsLike(part),
  );
  const near = [...new Set(candidates)]
    .filter((one) => Math.abs(one.length - name.length) <= 8)
    .map((one) => [editDistance(plain, one.toLowerCase()), one] as const)
    .filter(([distance]) => distance <= Math.max(3, Math.floor(name.length / 2)));
  return near.toSorted(([a], [b]) => a - b).map(([, one]) => one);
}

/** Compilers make variants of functions, `name.isra.0`, which take other parameters than were written. */
function variantsOf(name: string): readonly string[] {
  return functionsLike(`${name}.`).filter((one) => one.startsWith(`${name}.`));
}

/** There is no such function to probe: it was never there, or the compiler has put it into its callers. */
export function functionUnknown(name: string): FaultlineError {
  const variants = variantsOf(name);
  const shown = printable(name.slice(0, 80));
  if (variants.length > 0) {
    return new FaultlineError('ARGUMENT_INVALID', `the compiler has made another function of ${shown}`, {
      hint: `there is ${listed(variants, 3)}; or name a function that calls it, or that it calls`,
    });
  }
  const near = nearFunctions(name);
  const others = near.length === 0 ? '' : `there is: ${listed(near, 6)}; `;
  return new FaultlineError('ARGUMENT_INVALID', `the kernel has no function ${shown}, or it was inlined everywhere`, {
    hint: `${others}where it was inlined, name a function that calls it`,
  });
}

/** @throws {FaultlineError} ARGUMENT_INVALID */
export function refuseUnknownFunction(name: string): void {
  if (findFunction(name) === undefined) throw functionUnknown(name);
}

/** @throws {FaultlineError} ARGUMENT_INVALID: it is not in the kernel's list of what may fail */
export function refuseUninjectable(name: string, list: ReadonlyMap<string, ErrorType>): void {
  if (list.has(name)) return;
  refuseUnknownFunction(name);
  const near = [...list.keys()]
    .map((one) => [editDistance(name, one), one] as const)
    .toSorted(([a], [b]) => a - b)
    .slice(0, 3)
    .map(([, one]) => one);
  throw new FaultlineError('ARGUMENT_INVALID', `${printable(name)} must not be failed: its callers do not expect it`, {
    hint: `/sys/kernel/debug/error_injection/list has what may fail, ${listed(near, 3)} among them`,
  });
}
