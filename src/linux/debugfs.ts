import { readFileSync } from 'node:fs';
import { isErrno } from './syscall-error.ts';

const folder = '/sys/kernel/debug';

/**
 * What a file of debugfs holds.
 *
 * @returns undefined: it is not there, debugfs is not mounted, or may not be read
 */
export function readDebugFile(path: string): string | undefined {
  try {
    return readFileSync(`${folder}/${path}`, 'latin1');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'ENOTDIR')) return undefined;
    throw error;
  }
}
