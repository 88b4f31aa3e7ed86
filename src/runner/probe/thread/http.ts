import { urlToHttpOptions } from 'node:url';
import type { Dispatcher } from 'undici';
import { version } from '../../../base/version.ts';
import type { HttpSource } from '../../experiment.ts';
import { type Connection, connectionsTo } from './connections.ts';
import { FirstBytes } from './first-bytes.ts';
import type { Prober } from './prober.ts';
import { reasonOf } from './reason.ts';
import { type Result, Rounds } from './rounds.ts';

/** Connections at the same time. What is due beyond waits, and its waiting counts. */
const mostConnections = 512;
/** Within this time the same body is told of once. */
const sameMs = 250;

/** Of bodies that follow each other and are the same, the first one in a while. */
function newBodies(): (dueMs: number, body: Buffer) => string | undefined {
  let last: Buffer | undefined;
  let lastSlot = -1;
  return (dueMs, body) => {
    const slot = Math.floor(dueMs / sameMs);
    if (slot === lastSlot && last?.equals(body) === true) return undefined;
    last = body;
    lastSlot = slot;
    return body.toString('utf8');
  };
}

type Request = Dispatcher.DispatchOptions;

/** What each request is made of. @throws TypeError the URL is none */
function requestOf({ url, method, headers, body }: HttpSource): Request {
  const { pathname, search } = new URL(url);
  const { auth } = urlToHttpOptions(new URL(url));
  const known = {
    'user-agent': `faultline/${version}`,
    ...(typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {}),
  };
  const named = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const usual = Object.entries(known).filter(([name]) => !named.has(name));
  return {
    path: pathname + search,
    method,
    headers: [...usual, ...Object.entries(headers)].flat(),
    body: body ?? null,
    // Otherwise a connection would be closed after each HEAD.
    ...(method === 'HEAD' ? { reset: false } : {}),
  };
}

/** In the words of a report. */
function failureOf(error: Error, hasBegun: boolean): string {
  const code = 'code' in error ? error.code : '';
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return 'too long an answer';
  if (hasBegun) return 'answer cut off';
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'headers too large';
  if (error.name === 'HTTPParserError') return 'not HTTP';
  // Refused before it was sent: a header or a path that is none.
  if (code !== 'UND_ERR_SOCKET') return reasonOf(code === 'UND_ERR_INVALID_ARG' ? error.message : error);
  // Closed by the server, or neither an answer nor an error, as when it wants to speak another protocol.
  return /^(?:other side )?closed$/.test(error.message) ? 'connection reset' : 'no answer';
}

/** A request under way. */
class Attempt implements Dispatcher.DispatchHandler {
  private readonly connection: Connection;
  private readonly over: (status: number, body: Buffer) => void;
  private readonly failed: (failure: string) => void;
  private readonly body = new FirstBytes();
  private status = 0;

  constructor(connection: Connection, over: (status: number, body: Buffer) => void, failed: (failure: string) => void) {
    this.connection = connection;
    this.over = over;
    this.failed = failed;
  }

  /** By this undici tells a handler of this kind. */
  onRequestStart(): void {
    // There is nothing to do.
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    // 103 and its like come before an answer.
    if (status >= 200) this.status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, piece: Buffer): void {
    this.body.add(piece);
  }

  onResponseEnd(): void {
    this.connection.release();
    this.over(this.status, this.body.read());
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.connection.destroy();
    this.failed(failureOf(error, this.status > 0));
  }
}

/** Requests at a fixed rate. */
export const probeHttp: Prober<HttpSource> = (source, { clock, report }) => {
  const request = requestOf(source);
  const connections = connectionsTo(new URL(source.url).origin);
  const newBody = newBodies();

  function resultOf(dueMs: number, status: number, body: Buffer): Result {
    const isSuccess = source.success.some(([low, high]) => status >= low && status <= high);
    const text = newBody(dueMs, body);
    return {
      ...(isSuccess ? {} : { failure: `status ${status}` }),
      values: text === undefined ? { status } : { status, body: text },
    };
  }

  function begin(finish: (result: Result) => void, dueMs: number): () => void {
    const connection = connections.take();
    const over = (status: number, body: Buffer): void => finish(resultOf(dueMs, status, body));
    const failed = (failure: string): void => finish({ failure, values: { status: 0 } });
    connection.dispatch(request, new Attempt(connection, over, failed));
    return () => connection.destroy();
  }

  const { rate, timeoutMs } = source;
  const plan = { everyMs: 1000 / rate, timeoutMs, most: mostConnections, whenBusy: 'wait', timed: true } as const;
  const rounds = new Rounds({ ...plan, onTimeout: { status: 0 } }, clock, begin, report);
  return () => {
    rounds.stop();
    connections.destroy();
  };
};
