import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { json } from 'node:stream/consumers';
import { asFaultlineError, FaultlineError } from '../../../base/error.ts';
import type { ErrorCode } from '../../../base/error-codes.ts';
import type { JsonObject } from '../../../base/json.ts';
import { withShortPath } from './place.ts';

/*
 * How the daemon of a volume is spoken to: HTTP on a socket that only its owner can open. One request, one answer.
 */

/** Nobody answers: there is no daemon, or no longer. */
const absent: ReadonlySet<unknown> = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

interface ErrorAnswer {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly details?: JsonObject;
}

async function answerOf(response: IncomingMessage): Promise<JsonObject> {
  const body = (await json(response)) as JsonObject;
  if (response.statusCode === 200) return body;
  const { code, message, hint, details = {} } = body as unknown as ErrorAnswer;
  throw new FaultlineError(code, message, { details, ...(hint === undefined ? {} : { hint }) });
}

function send(socketPath: string, asked: JsonObject, timeoutMs: number): Promise<JsonObject> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method: 'POST', agent: false, timeout: timeoutMs }, (response) => {
      answerOf(response).then(resolve, reject);
    });
    outgoing.once('error', reject);
    outgoing.once('timeout', () => {
      outgoing.destroy(
        new FaultlineError('VOLUME_BUSY', `the daemon of the volume has not answered for ${timeoutMs} ms`, {
          hint: 'faultline recover --all withdraws it',
          details: { silent: true },
        }),
      );
    });
    outgoing.end(JSON.stringify(asked));
  });
}

/**
 * Ask the daemon at a socket.
 *
 * @returns its answer; undefined when no daemon is there
 * @throws {FaultlineError} what the daemon says is wrong; VOLUME_BUSY when it does not answer in time
 */
export async function askDaemon(socket: string, asked: JsonObject, timeoutMs: number): Promise<JsonObject | undefined> {
  try {
    return await withShortPath(socket, (short) => send(short, asked, timeoutMs));
  } catch (error) {
    if (absent.has(codeOf(error))) return undefined;
    throw error;
  }
}

/** Does a daemon say that it is just ending? */
export function isEnding(error: unknown): boolean {
  return error instanceof FaultlineError && error.details?.['ending'] === true;
}

/** Is this what {@link askDaemon} throws when nobody answers in time, and not what somebody has answered? */
export function isSilence(error: unknown): boolean {
  return error instanceof FaultlineError && error.details?.['silent'] === true;
}

/** What a daemon answers that has just given its volume back: it must be started anew. */
export function endingError(): FaultlineError {
  return new FaultlineError('VOLUME_BUSY', 'the daemon of the volume is ending', {
    hint: 'try again',
    details: { ending: true },
  });
}

/** The daemon's end of the channel. */
export interface Listener {
  close(): Promise<void>;
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

/**
 * Answer requests at a socket. The caller holds the lock that makes it the only one to do so: what lies there is of a
 * daemon that is dead.
 */
export async function listenAt(socket: string, answer: (asked: JsonObject) => Promise<JsonObject>): Promise<Listener> {
  const server = createServer((incoming, response) => {
    json(incoming)
      .then((asked) => answer(asked as JsonObject))
      .then(
        (body) => response.end(JSON.stringify(body)),
        (error: unknown) => {
          const { code, message, hint, details } = asFaultlineError(error);
          response.statusCode = 500;
          response.end(JSON.stringify({ code, message, hint, details }));
        },
      );
  });
  rmSync(socket, { force: true });
  await withShortPath(socket, (short) => listen(server, short));
  chmodSync(socket, 0o600);
  return {
    close: async () => {
      rmSync(socket, { force: true });
      server.closeIdleConnections();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}
