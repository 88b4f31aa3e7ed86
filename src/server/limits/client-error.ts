import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errorCodes } from '../../base/error-codes.ts';
import type { FaultlineError } from '../../base/error.ts';
import { errorToJson } from '../../experiment/error-json.ts';
import type { RefusalLog } from '../access/refusals.ts';
import { fromFastify } from '../request-error.ts';
import { handshakeRefusal } from '../tls.ts';

/** How long a client that has got its answer may take to close the connection, in milliseconds. */
const lingerMs = 500;

/** Statuses that say it better than that of the error's code. */
const statuses: ReadonlyMap<string, number> = new Map([['HPE_HEADER_OVERFLOW', 431]]);

function message(error: FaultlineError, status: number): string {
  const body = JSON.stringify({ error: errorToJson(error) });
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}

/** Is an answer on its way already? A second one would become a part of it. */
function isAnswered(socket: Socket): boolean {
  const { _httpMessage: answer } = socket as Socket & { readonly _httpMessage?: ServerResponse | null };
  return answer?.headersSent === true;
}

function answerAndClose(socket: Socket, text: string): void {
  // Destroyed at once, a client that is still sending would see a reset in place of the answer.
  const timer = setTimeout(() => {
    socket.destroy();
  }, lingerMs).unref();
  socket.once('close', () => {
    clearTimeout(timer);
  });
  socket.end(text);
}

/**
 * What to do with a client whose request never becomes one: it is no HTTP, too long, or does not arrive in time. It is
 * told so in JSON, in the shape of our own API, and the connection is closed. A TLS handshake that fails leaves no way
 * to answer; it is noted as refused.
 *
 * For fastify's option `clientErrorHandler`.
 */
export function clientErrorHandler(refusals: RefusalLog): (error: NodeJS.ErrnoException, socket: Socket) => void {
  return (error, socket) => {
    const refused = handshakeRefusal(error);
    if (refused !== undefined) {
      const actor = { via: 'http', address: socket.remoteAddress ?? null, port: socket.remotePort ?? null };
      refusals.add({ actor, asked: { handshake: 'TLS' }, error: refused });
    }
    const told = fromFastify(error);
    if (refused !== undefined || told.code === 'INTERRUPTED' || !socket.writable || isAnswered(socket)) {
      socket.destroy();
      return;
    }
    answerAndClose(socket, message(told, statuses.get(error.code ?? '') ?? errorCodes[told.code].http));
  };
}
