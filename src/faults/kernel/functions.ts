import { FaultlineError } from '../../base/error.ts';
import { listed, printable } from '../../base/text.ts';
import type { ErrorType } from '../../linux/error-injection.ts';
import { findFunction, findFunctions, functionsLike } from '../../linux/kallsyms.ts';
import { editDistance } from '../../targets/near-names.ts';

/*
 * Functions of the kernel that the user names, and what to say of those that there are not.
 */

/** The longest word of a name: `mount` of `do_new_mount_x`. */
function longestWord(name: string): string {
  return name.split('_').reduce((longest, word) => (word.length > longest.length ? word : longest), '');
}

/** The function of a system call that is named as its users name it: `mount`, `sys_mount`. */
function systemCallOf(name: string): readonly string[] {
  const call = name.replace(/^(?:__)?sys_/u, '');
  return ['__x64_sys_', '__arm64_sys_'].map((start) => start + call).filter((one) => findFunction(one) !== undefined);
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
  const names = near.toSorted(([a], [b]) => a - b).map(([, one]) => one);
  return [...new Set([...systemCallOf(name), ...names])];
}

/** Compilers make variants of functions, `name.isra.0`, which take other parameters than were written. */
function variantsOf(name: string): readonly string[] {
  return functionsLike(`${name}.`).filter((one) => one.startsWith(`${name}.`));
}

/** No function to probe: it was never there, the compiler has put it into its callers, or there are several. */
export function functionUnknown(name: string): FaultlineError {
  const variants = variantsOf(name);
  const shown = printable(name.slice(0, 80));
  const same = findFunctions(name).length;
  if (same > 1) {
    return new FaultlineError('ARGUMENT_INVALID', `the kernel has ${same} functions ${shown}: which is meant?`, {
      hint: 'name a function of its own name that calls it, or that it calls',
    });
  }
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

/** It is not in the kernel's list of what may fail, or there is no such function at all. */
export function functionUninjectable(name: string, list: ReadonlyMap<string, ErrorType>): FaultlineError {
  if (findFunction(name) === undefined) return functionUnknown(name);
  const near = [...list.keys()]
    .map((one) => [editDistance(name, one), one] as const)
    .toSorted(([a], [b]) => a - b)
    .slice(0, 3)
    .map(([, one]) => one);
  return new FaultlineError('ARGUMENT_INVALID', `${printable(name)} must not be failed: its callers do not expect it`, {
    hint: `/sys/kernel/debug/error_injection/list has what may fail, ${listed(near, 3)} among them`,
  });
}
