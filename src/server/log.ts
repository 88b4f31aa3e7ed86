import { write } from 'node:fs';
import { promisify } from 'node:util';

const writeAll = promisify(write);

/** How much waits at most for whoever reads the log, in characters: beyond that lines are dropped, and counted. */
const mostWaiting = 4 * 1024 * 1024;

/** Where the log goes, a line of JSON each. */
export interface LogStream {
  write(line: string): void;
  /** Resolves when what was written is out, or cannot be got out. */
  drained(): Promise<void>;
}

/**
 * A log on a file descriptor that never holds up the service: Node's own streams write to a pipe synchronously, so that
 * a reader who has gone to sleep would put the whole service to sleep.
 */
export function logStream(fd: number): LogStream {
  let waiting: string[] = [];
  let waitingLength = 0;
  let dropped = 0;
  let pump: Promise<void> | undefined;

  async function writeOut(text: string): Promise<void> {
    let rest = Buffer.from(text);
    while (rest.length > 0) {
      const { bytesWritten } = await writeAll(fd, rest);
      rest = rest.subarray(bytesWritten);
    }
  }
  async function pumpOut(): Promise<void> {
    while (waiting.length > 0) {
      const text =
        waiting.join('') + (dropped > 0 ? `{"level":40,"msg":"${dropped} lines of the log were lost"}\n` : '');
      waiting = [];
      waitingLength = 0;
      dropped = 0;
      // A log that cannot be written must not end the service.
      await writeOut(text).catch(() => undefined);
    }
    pump = undefined;
  }
  return Object.freeze({
    write: (line: string) => {
      if (waitingLength > mostWaiting) {
        dropped += 1;
        return;
      }
      waiting.push(line);
      waitingLength += line.length;
      pump ??= Promise.resolve().then(pumpOut);
    },
    drained: () => pump ?? Promise.resolve(),
  });
}
