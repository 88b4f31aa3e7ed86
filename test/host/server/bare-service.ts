import { fastify, type FastifyInstance } from 'fastify';
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import { errorCodes } from '../../../src/base/error-codes.ts';
import { addAccess } from '../../../src/server/access/access.ts';
import { type Refused, refusalLog } from '../../../src/server/access/refusals.ts';
import { clientErrorHandler } from '../../../src/server/limits/client-error.ts';
import { serverFactory } from '../../../src/server/limits/http-server.ts';
import { addJsonBody } from '../../../src/server/limits/json-body.ts';
import { rateLimit } from '../../../src/server/limits/rate.ts';
import type { ServerOptions } from '../../../src/server/options.ts';
import { fromFastify } from '../../../src/server/request-error.ts';
import { refuseUnsafe } from '../../../src/server/safety.ts';

/** A service with its callers and its limits, and routes that only tell who asks. */
export interface BareService {
  readonly port: number;
  readonly refused: readonly Refused[];
  /** How many requests have come to a handler. */
  readonly handled: () => number;
  /** How many connections it has taken on. */
  readonly accepted: () => number;
}

const closing: (() => Promise<void>)[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await Promise.all(closing.splice(0).map((close) => close()));
});

export interface BareOptions extends Partial<ServerOptions> {
  readonly patienceMs?: number;
}

const defaults: ServerOptions = {
  stateDir: undefined,
  logLevel: 'error',
  program: [],
  host: '127.0.0.1',
  port: 0,
  httpsPort: 0,
  certFile: undefined,
  keyFile: undefined,
  caFile: undefined,
  tokenFile: undefined,
  readTokenFile: undefined,
  allowRecoverCmd: false,
  watchDeaths: false,
  maxBodyBytes: 64 * 1024,
  maxRate: 100_000,
  maxConcurrency: 8,
  maxConnections: 10_000,
};

function addRoutes(app: FastifyInstance): void {
  app.get('/health', { config: { role: 'nobody', rateLimit: false } }, () => ({ status: 0 }));
  app.get('/read', { config: { role: 'read' } }, (request) => request.caller);
  app.post('/attack', (request) => ({ ...request.caller, body: request.body ?? null }));
}

export async function startBare({ patienceMs = 30_000, ...given }: BareOptions = {}): Promise<BareService> {
  const options = { ...defaults, ...given };
  const safety = await refuseUnsafe(options, {});
  const refused: Refused[] = [];
  const refusals = refusalLog((one) => refused.push(one));
  const app: FastifyInstance = fastify({
    bodyLimit: options.maxBodyBytes,
    serverFactory: serverFactory({ maxConnections: options.maxConnections, patienceMs }, safety.tls),
    clientErrorHandler: clientErrorHandler(refusals),
  });
  let handled = 0;
  let accepted = 0;
  app.server.on('connection', () => (accepted += 1));
  app.setErrorHandler((error, _, reply) => {
    const { code, message } = fromFastify(error);
    void reply.status(errorCodes[code].http).send({ error: { code, message } });
  });
  app.addHook('preHandler', (_request, _reply, done) => {
    handled += 1;
    done();
  });
  addAccess(app, {
    tokens: safety.tokens,
    clientCertificates: safety.tls?.clientCertificates === true,
    names: safety.names,
    refusals,
    limitRate: await rateLimit(app, options.maxRate),
  });
  addJsonBody(app);
  addRoutes(app);
  closing.push(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  await app.listen({ host: safety.address, port: 0 });
  return {
    port: (app.server.address() as AddressInfo).port,
    refused,
    handled: () => handled,
    accepted: () => accepted,
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** What a route tells, or an error. */
  readonly body: {
    readonly role?: string;
    readonly actor?: Readonly<Record<string, unknown>>;
    readonly error?: { readonly code: string; readonly message: string };
  };
}

export interface Asked extends RequestOptions {
  readonly port: number;
  readonly body?: string | Buffer;
  readonly tls?: boolean;
}

/** Ask over a connection of its own. */
export function ask({ body, tls = false, ...options }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = (tls ? httpsRequest : httpRequest)({ host: '127.0.0.1', agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => (text += piece));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body: (text === '' ? {} : JSON.parse(text)) as Answer['body'] });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** A raw connection, closed after the test. What comes back is collected. */
export interface RawConnection {
  readonly socket: Socket;
  readonly received: () => string;
  readonly ended: () => boolean;
}

export function rawConnection(port: number): RawConnection {
  const socket = connect(port, '127.0.0.1');
  sockets.add(socket);
  let text = '';
  let over = false;
  socket.setEncoding('latin1');
  socket.on('data', (piece: string) => (text += piece));
  // A reset is an end too; what has come before it is what counts.
  socket.on('error', () => undefined);
  socket.on('end', () => (over = true));
  socket.on('close', () => (over = true));
  return { socket, received: () => text, ended: () => over };
}
