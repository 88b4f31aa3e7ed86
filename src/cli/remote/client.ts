import { delay } from '../../base/delay.ts';
import { FaultlineError } from '../../base/error.ts';
import type { JsonObject } from '../../base/json.ts';
import { formatDuration } from '../../base/duration.ts';
import { version } from '../../base/version.ts';
import { misshapen, readAnswer } from './answer.ts';
import type { Connection } from './connection.ts';
import { hearEvents, type EventListener } from './event-stream.ts';
import { type Exchange, exchange, type Failure, openEvents, type Outgoing, type Transport } from './exchange.ts';
import { failureCode, reasonFor, Unanswered, unreachable } from './failures.ts';

/** How long after a broken connection to try again, in milliseconds: a service that was restarted is back by then. */
const againAfterMs = 500;

/** Errors come as JSON. */
const eventTypes = 'text/event-stream, application/json';

/** How long an answer that changes nothing may take, in milliseconds. */
export const lookPatienceMs = 60_000;

export interface Ask {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below `/api/v1`, with its query. */
  readonly path: string;
  readonly body?: JsonObject;
  /** How long an answer may take, in milliseconds. */
  readonly patienceMs: number;
  /** To ask twice is to ask once: when the connection breaks before an answer came, it is asked again. */
  readonly repeatable: boolean;
  /** A status beside those of success that comes with what was asked for, which then tells what it lacks. */
  readonly lackingStatus?: number;
  /** For what changes something: the command that shows what became of it, after `faultline`. */
  readonly look?: string | undefined;
}

export interface Reply {
  readonly status: number;
  readonly document: unknown;
  /** It was asked twice; the first may have been heard, too. */
  readonly again: boolean;
}

export interface Client {
  readonly url: string;
  /** @throws {FaultlineError} whatever the service says; SERVER_UNREACHABLE; INTERRUPTED */
  ask(ask: Ask): Promise<Reply>;
  /**
   * Hear events from now on, until either side has enough of it.
   *
   * @param path below `/api/v1`, with its query
   * @throws {FaultlineError} as `ask` does
   */
  listen(path: string, listener: EventListener): Promise<void>;
  close(): void;
}

export interface ClientOptions {
  /** Aborted when the user wants to end. */
  readonly signal: AbortSignal;
  /** Hears of each exchange. */
  readonly trace: (line: string) => void;
}

/** @throws {FaultlineError} ARGUMENT_INVALID: a certificate or key that TLS cannot use */
async function secureTransport({ tls }: Connection): Promise<Transport> {
  const [https, { createSecureContext }] = await Promise.all([import('node:https'), import('node:tls')]);
  try {
    createSecureContext(tls);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FaultlineError('ARGUMENT_INVALID', `the certificate or key cannot be used: ${reason}`, {
      hint: '--client-cert and --client-key must belong together; a key that is encrypted must be decrypted first',
      cause: error,
    });
  }
  // Said in so many words: NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would turn the check off.
  const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: true, minVersion: 'TLSv1.3', ...tls });
  return { secure: true, agent, request: https.request };
}

async function plainTransport(): Promise<Transport> {
  const http = await import('node:http');
  return { secure: false, agent: new http.Agent({ keepAlive: true }), request: http.request };
}

function outgoing({ url, token }: Connection, ask: Ask, signal: AbortSignal): Outgoing {
  const body = ask.body === undefined ? undefined : JSON.stringify(ask.body);
  return {
    url: `${url}/api/v1${ask.path}`,
    method: ask.method,
    headers: {
      accept: 'application/json',
      'user-agent': `faultline/${version}`,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
    },
    body,
    patienceMs: ask.patienceMs,
    signal,
  };
}

function brokeOff(result: Exchange): boolean {
  if (!('failure' in result) || result.failure.answered) return false;
  return ['ECONNRESET', 'EPIPE'].includes(failureCode(result.failure.cause));
}

function interrupted(url: string, { look }: Ask): FaultlineError {
  if (look === undefined) return new FaultlineError('INTERRUPTED', 'interrupted', { hint: 'nothing was changed' });
  return new FaultlineError('INTERRUPTED', `interrupted; the service at ${url} goes on with it`, {
    hint: `faultline ${look} --server ${url} tells what became of it`,
  });
}

function asError(url: string, { look }: Ask, { cause, sent }: Failure): FaultlineError {
  const reason = cause instanceof Unanswered ? cause.reason : reasonFor(cause, url);
  if (look === undefined || !sent) return unreachable(url, reason, cause);
  const hint = `it may be done all the same: faultline ${look} --server ${url} tells`;
  return unreachable(url, { ...reason, hint }, cause);
}

/** Ask a service. Connections are kept open until it is closed. */
export async function openClient(connection: Connection, { signal, trace }: ClientOptions): Promise<Client> {
  const { url } = connection;
  const transport = url.startsWith('https:') ? await secureTransport(connection) : await plainTransport();

  const isAborted = (): boolean => signal.aborted;

  async function once(ask: Ask): Promise<Exchange> {
    const startedMs = performance.now();
    const result = await exchange(transport, outgoing(connection, ask, signal));
    const outcome = 'answer' in result ? String(result.answer.status) : String(result.failure.cause);
    trace(`${ask.method} ${url}/api/v1${ask.path} → ${outcome}, ${formatDuration(performance.now() - startedMs)}`);
    return result;
  }

  return Object.freeze({
    url,
    ask: async (ask: Ask): Promise<Reply> => {
      if (isAborted()) throw interrupted(url, { ...ask, look: undefined });
      let result = await once(ask);
      const again = ask.repeatable && !isAborted() && brokeOff(result);
      if (again) {
        await delay(againAfterMs);
        result = await once(ask);
      }
      if ('answer' in result) {
        const { status, document } = readAnswer(url, result.answer, ask.lackingStatus);
        return { status, document, again };
      }
      if (isAborted()) throw interrupted(url, ask);
      throw asError(url, ask, result.failure);
    },
    listen: async (path: string, listener: EventListener): Promise<void> => {
      const ask: Ask = { method: 'GET', path, patienceMs: lookPatienceMs, repeatable: true };
      if (isAborted()) throw interrupted(url, ask);
      const asked = outgoing(connection, ask, signal);
      const opened = await openEvents(transport, { ...asked, headers: { ...asked.headers, accept: eventTypes } });
      if ('events' in opened) {
        trace(`GET ${url}/api/v1${path} → events`);
        hearEvents(opened.events, listener);
        return;
      }
      if ('failure' in opened) throw isAborted() ? interrupted(url, ask) : asError(url, ask, opened.failure);
      readAnswer(url, opened.answer);
      throw misshapen(url, 'stream of events');
    },
    close: () => {
      transport.agent.destroy();
    },
  });
}
