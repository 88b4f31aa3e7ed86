import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { FaultlineError } from '../../base/error.ts';
import { formatSize } from '../../base/size.ts';

/** More than any file that people write, and less than what fills the memory. */
const mostBytes = 4 * 1024 * 1024;

/** What errors call a file, or the standard input. */
export function nameOf(file: string): string {
  return file === '-' ? '<stdin>' : file;
}

async function bytesOf(stream: Readable, name: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    pieces.push(piece);
    size += piece.length;
    if (size > mostBytes) {
      throw new FaultlineError('ARGUMENT_INVALID', `${name} is larger than ${formatSize(mostBytes)}`, {
        hint: 'give it in parts',
      });
    }
  }
  return Buffer.concat(pieces);
}

function unreadable(name: string, cause: unknown): FaultlineError {
  const hint = cause instanceof Error ? cause.message : String(cause);
  return new FaultlineError('ARGUMENT_INVALID', `${name} cannot be read`, { hint, cause });
}

/**
 * A file's text, or that of the standard input for `-`.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID: it cannot be read, is too large, or is no text
 */
export async function readTextFile(file: string): Promise<string> {
  const name = nameOf(file);
  try {
    const bytes = await bytesOf(file === '-' ? process.stdin : createReadStream(file), name);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw error instanceof FaultlineError ? error : unreadable(name, error);
  }
}
