import { readDebugFile } from './debugfs.ts';

/*
 * Functions of the kernel that may be made to fail: ALLOW_ERROR_INJECTION, Documentation/fault-injection. The list is
 * shown in debugfs only.
 */

/** What such a function may return instead; include/asm-generic/error-injection.h */
export type ErrorType = 'NULL' | 'ERRNO' | 'ERRNO_NULL' | 'TRUE';

const types: readonly ErrorType[] = ['NULL', 'ERRNO', 'ERRNO_NULL', 'TRUE'];

/** Each function's way to fail; undefined: the list cannot be seen. */
export function errorInjectionList(): ReadonlyMap<string, ErrorType> | undefined {
  const text = readDebugFile('error_injection/list');
  if (text === undefined) return undefined;
  const found = text.split('\n').flatMap((line) => {
    const [name = '', type = ''] = line.trim().split(/\s+/);
    const known = types.find((one) => one === type);
    return known === undefined ? [] : [[name, known] as const];
  });
  return new Map(found);
}
