import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

/*
 * A program with a file open, as any other would have one: it is told what to do with it on its input, a line of JSON
 * each, and tells on its output what came of it. Of the fault that is put under it it knows nothing.
 */

export type TargetRequest =
  | { readonly do: 'read'; readonly at: number; readonly size: number }
  /** So many reads of a page each, one after the other. */
  | { readonly do: 'reads'; readonly times: number }
  | { readonly do: 'write'; readonly at: number; readonly text: string }
  | { readonly do: 'truncate'; readonly size: number }
  | { readonly do: 'stat' };

export interface TargetAnswer {
  /** Name of the errno, if it failed. */
  readonly error?: string;
  /** Of a read or a write: how many bytes. */
  readonly count?: number;
  /** Of a read, in base64. */
  readonly bytes?: string;
  /** Of several reads: how each of them ended, by the name of its errno, or the number of bytes. */
  readonly outcomes?: readonly (string | number)[];
  readonly stat?: { readonly size: number; readonly mode: number; readonly uid: number; readonly ino: number };
  /** How long it took, in milliseconds. */
  readonly tookMs: number;
}

const pageSize = 4096;

function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function readPage(fd: number, at: number): string | number {
  try {
    return readSync(fd, Buffer.alloc(pageSize), 0, pageSize, at);
  } catch (error) {
    return errnoOf(error);
  }
}

function carryOut(fd: number, request: TargetRequest): Omit<TargetAnswer, 'tookMs'> {
  switch (request.do) {
    case 'read': {
      const bytes = Buffer.alloc(request.size);
      const count = readSync(fd, bytes, 0, request.size, request.at);
      return { count, bytes: bytes.subarray(0, count).toString('base64') };
    }
    case 'reads': {
      const pages = Math.max(1, Math.floor(fstatSync(fd).size / pageSize));
      return { outcomes: Array.from({ length: request.times }, (_, i) => readPage(fd, (i % pages) * pageSize)) };
    }
    case 'write':
      return { count: writeSync(fd, request.text, request.at) };
    case 'truncate':
      ftruncateSync(fd, request.size);
      return {};
    case 'stat': {
      const { size, mode, uid, ino } = fstatSync(fd);
      return { stat: { size, mode, uid, ino } };
    }
  }
}

/** @param file for a request about a file that is opened anew for it; otherwise it is about the one that is open */
function answer(fd: number, { file, ...request }: TargetRequest & { readonly file?: string }): TargetAnswer {
  const startedMs = performance.now();
  let fresh: number | undefined;
  let outcome: Omit<TargetAnswer, 'tookMs'>;
  try {
    if (file !== undefined) fresh = openSync(file, 'r+');
    outcome = carryOut(fresh ?? fd, request);
  } catch (error) {
    outcome = { error: errnoOf(error) };
  } finally {
    if (fresh !== undefined) closeSync(fresh);
  }
  return { ...outcome, tookMs: performance.now() - startedMs };
}

const fd = openSync(process.argv[2] ?? '', 'r+');
process.stdout.write('ready\n');
createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write(`${JSON.stringify(answer(fd, JSON.parse(line) as TargetRequest))}\n`);
});
