import { fstatSync, writeSync } from 'node:fs';
import { styleText } from 'node:util';

/*
 * Everything that the command line writes goes through here, straight to the file descriptors: for `process.stdout`
 * Node.js would load its streams and sockets, a tenth of the time that a whole attack takes.
 */

export type Output = 'stdout' | 'stderr';

const descriptors: Readonly<Record<Output, number>> = { stdout: 1, stderr: 2 };

/** Is somebody watching this output? */
export function isWatched(output: Output): boolean {
  try {
    // A character device may be a terminal or /dev/null; only then is it worth asking further.
    return fstatSync(descriptors[output]).isCharacterDevice() && process[output].isTTY;
  } catch {
    return false; // the descriptor is closed
  }
}

/** Colour only where a person looks: on a terminal, and not with `NO_COLOR` (no-color.org). */
function wantsColor(output: Output): boolean {
  const { NO_COLOR: off, TERM: term } = process.env;
  return (off === undefined || off === '') && term !== 'dumb' && isWatched(output);
}

export type Color = 'red' | 'green' | 'yellow' | 'cyan';

/** Paint text for an output; plain where it takes no colour. */
export function painterFor(output: Output): (color: Color, text: string) => string {
  const wanted = wantsColor(output);
  return (color, text) => (wanted ? styleText(color, text, { validateStream: false }) : text);
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

const pause = new Int32Array(new SharedArrayBuffer(4));

let clearProgress: (() => void) | undefined;

/** What takes a progress line off the terminal before anything else is written to it. */
export function beforeWriting(clear: (() => void) | undefined): void {
  clearProgress = clear;
}

/** Outputs that nobody reads any more, or that cannot take any more. */
const closed = new Set<Output>();

/** Is it in vain to write any more? */
export function isOver(output: Output): boolean {
  return closed.has(output);
}

/**
 * What an output that fails means. Never the end of the program: what it is about to do or has done goes on, and the
 * exit code tells of that.
 */
function giveUp(output: Output, error: unknown): void {
  closed.add(output);
  const code = errorCode(error);
  // A reader that has seen enough (`| head`), or a descriptor that was closed on purpose.
  if (code === 'EPIPE' || code === 'EBADF') return;
  process.exitCode = 1;
  if (output === 'stdout') remark(`Error: the output cannot be written: ${String(code ?? error)}`);
}

/** Write all of it, however slowly it is read. */
export function write(output: Output, text: string): void {
  clearProgress?.();
  let rest = Buffer.from(text);
  while (rest.length > 0 && !closed.has(output)) {
    try {
      rest = rest.subarray(writeSync(descriptors[output], rest));
    } catch (error) {
      if (errorCode(error) === 'EAGAIN') {
        Atomics.wait(pause, 0, 0, 1); // a pipe that is full, set to non-blocking by whoever shares it
      } else giveUp(output, error);
    }
  }
}

export function say(text: string): void {
  write('stdout', `${text}\n`);
}

/** What is not the result: warnings, errors. */
export function remark(text: string): void {
  write('stderr', `${text}\n`);
}
