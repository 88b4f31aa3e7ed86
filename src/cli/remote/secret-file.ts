import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';

/** Far beyond any token or chain of certificates, in bytes: a slip such as `/dev/zero` must not fill the memory. */
const mostBytes = 1_048_576;

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function readAll(fd: number): string {
  const buffer = Buffer.alloc(mostBytes + 1);
  let filled = 0;
  for (;;) {
    const read = readSync(fd, buffer, filled, buffer.length - filled, null);
    filled += read;
    if (read === 0 || filled > mostBytes) break;
  }
  if (filled > mostBytes) throw new Error('it is too large');
  return buffer.toString('utf8', 0, filled);
}

function refuseOpen(mode: number, file: string, flag: string): void {
  if ((mode & 0o077) === 0) return;
  const permissions = (mode & 0o777).toString(8).padStart(4, '0');
  throw new FaultlineError('SERVER_UNSAFE', `${flag} ${printable(file)} is open to others (mode ${permissions})`, {
    hint: `chmod 600 ${printable(file)}; and if others may have read it, make a new token`,
  });
}

export interface FileWanted {
  readonly file: string;
  /** Who named it, for the error. */
  readonly flag: string;
  /** Nobody but its owner may read or write it. */
  readonly secret: boolean;
}

/**
 * The text of a small file, which may be a pipe.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID when it cannot be read; SERVER_UNSAFE when others may read a secret
 */
export function readFileFor({ file, flag, secret }: FileWanted): string {
  let fd: number | undefined;
  try {
    fd = openSync(file, 'r');
    // The file that was opened, not the one that has its name by now.
    if (secret) refuseOpen(fstatSync(fd).mode, file, flag);
    return readAll(fd);
  } catch (error) {
    if (error instanceof FaultlineError) throw error;
    throw new FaultlineError('ARGUMENT_INVALID', `${flag} ${printable(file)} cannot be read: ${reasonOf(error)}`, {
      hint: 'name a file that you can read',
      cause: error,
    });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
