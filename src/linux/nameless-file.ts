import { fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * A file without a name, for the output of a command of the user's. Not a pipe: a service that the command leaves
 * running in the background would be killed by SIGPIPE once nobody reads it any more. What is written to it goes to its
 * end (O_APPEND of open(2)), also when it was made shorter meanwhile.
 *
 * @returns its descriptor
 * @throws {Error} with errno: there is no room for it
 */
export function openNamelessFile(): number {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-'));
  try {
    return openSync(path.join(folder, 'output'), 'ax+', 0o600);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The end of what was written to a file. */
export function endOfFile(fd: number, mostBytes: number): string {
  const { size } = fstatSync(fd);
  const buffer = Buffer.alloc(Math.min(size, mostBytes));
  const length = readSync(fd, buffer, 0, buffer.length, size - buffer.length);
  return buffer.toString('utf8', 0, length);
}
