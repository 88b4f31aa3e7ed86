import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { Unanswered } from './failures.ts';

/*
 * One request and its answer over an open or a new connection.
 */

/** How long to wait for a connection, with its TLS, in milliseconds. */
const connectPatienceMs = 10_000;

/** An injection with ten thousand targets and everything that is known of each stays below this, in bytes. */
const mostAnswerBytes = 128 * 1_048_576;

/** What makes requests: `node:http` or `node:https`, with its agent. */
export interface Transport {
  readonly secure: boolean;
  readonly agent: Agent;
  request(url: string, options: RequestOptions): ClientRequest;
}

export interface Outgoing {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

export interface Incoming {
  readonly status: number;
  readonly type: string;
  readonly location: string;
  readonly text: string;
}

/** How far it came before it failed. */
export interface Failure {
  readonly cause: unknown;
  /** The other side may have got the request. */
  readonly sent: boolean;
  /** An answer had begun. */
  readonly answered: boolean;
}

export type Exchange = { readonly answer: Incoming } | { readonly failure: Failure };

async function textOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > mostAnswerBytes) throw new Error(`its answer is longer than ${mostAnswerBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

async function read(response: IncomingMessage): Promise<Incoming> {
  const { statusCode: status = 0, headers } = response;
  const text = await textOf(response);
  return { status, type: headers['content-type'] ?? '', location: headers.location ?? '', text };
}

/** Call back once there is a connection; give up when that takes too long. */
function watchConnection(request: ClientRequest, secure: boolean, connected: () => void): void {
  request.once('socket', (socket) => {
    if (request.reusedSocket) {
      connected();
      return;
    }
    const timer = setTimeout(() => {
      request.destroy(new Unanswered('connection', connectPatienceMs));
    }, connectPatienceMs);
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      // A host that is gone without a word is found out, however long an answer may take.
      socket.setKeepAlive(true, 10_000);
      connected();
    });
    socket.once('close', () => {
      clearTimeout(timer);
    });
  });
}

/** Ask, and take the answer as it begins. Never throws: what went wrong, and how far it had come, is the result. */
function begin<Result>(
  transport: Transport,
  outgoing: Outgoing,
  take: (response: IncomingMessage) => Promise<Result>,
): Promise<Result | { readonly failure: Failure }> {
  const { url, method, headers, body, patienceMs, signal } = outgoing;
  return new Promise((resolve) => {
    let sent = false;
    let answered = false;
    const request = transport.request(url, { method, headers, agent: transport.agent, signal });
    const timer = setTimeout(() => {
      request.destroy(new Unanswered('answer', patienceMs));
    }, patienceMs);
    const end = (result: Result | { readonly failure: Failure }): void => {
      clearTimeout(timer);
      resolve(result);
    };
    const fail = (cause: unknown): void => {
      request.destroy();
      end({ failure: { cause, sent, answered } });
    };
    request.once('response', (response) => {
      answered = true;
      take(response).then(end, fail);
    });
    // Not once: a connection that is torn down may have more than one thing to say.
    request.on('error', fail);
    watchConnection(request, transport.secure, () => {
      sent = true;
    });
    request.end(body);
  });
}

/** Ask, and wait for the whole answer. */
export function exchange(transport: Transport, outgoing: Outgoing): Promise<Exchange> {
  return begin(transport, outgoing, async (response) => ({ answer: await read(response) }));
}

/** Ask for events: the answer that tells of them has no end, and is handed over as it begins. */
export function openEvents(
  transport: Transport,
  outgoing: Outgoing,
): Promise<Exchange | { readonly events: IncomingMessage }> {
  return begin<Exchange | { readonly events: IncomingMessage }>(transport, outgoing, async (response) =>
    response.statusCode === 200 && /^text\/event-stream\b/i.test(response.headers['content-type'] ?? '')
      ? { events: response }
      : { answer: await read(response) },
  );
}
