import { once } from 'node:events';
import { createServer, type IncomingMessage, request as ask, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { nameProcess } from '../name.ts';
import { type Upstream, type Upstreams, upstreamsOf } from './upstreams.ts';

/*
 * A small balancer that does what nginx does by default, for who has no nginx: servers in turn, and a request that
 * failed is passed to the next one, unless doing so could do something twice.
 *
 * Source: https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream
 */

export const balancerName = 'fizzbuzz-lb';

/** Methods that may be repeated: RFC 9110, section 9.2.2. */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

/** nginx's `proxy_read_timeout`, in ms. */
const readTimeoutMs = 60_000;

/** Of one connection only; the server that is asked decides the others. */
const hopByHop: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade']);

function endToEnd(headers: IncomingMessage['headers']): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !hopByHop.has(name)) kept[name] = value;
  }
  return kept;
}

interface Failure {
  /** The server may have begun to do what was asked. */
  readonly mayHaveBegun: boolean;
}

/** Passes a request on. @returns resolves once there is an answer, or why there is none */
function pass(request: IncomingMessage, body: Buffer, { port }: Upstream): Promise<IncomingMessage | Failure> {
  return new Promise((resolve) => {
    let mayHaveBegun = false;
    const { method = 'GET', url = '/', headers } = request;
    // A connection for each request, as nginx has it: none is left over from a server that has died since.
    const asked = ask({
      host: '127.0.0.1',
      port,
      method,
      path: url,
      agent: false,
      timeout: readTimeoutMs,
      headers: { ...endToEnd(headers), ...(body.length === 0 ? {} : { 'content-length': body.length }) },
    });
    asked.on('socket', (socket) => {
      socket.once('connect', () => {
        mayHaveBegun = true;
      });
    });
    asked.on('response', resolve);
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve({ mayHaveBegun }));
    asked.on('close', () => resolve({ mayHaveBegun }));
    asked.end(body);
  });
}

function hand(answer: IncomingMessage, response: ServerResponse): void {
  // Where the answer breaks off, so does ours.
  answer.on('error', () => response.destroy());
  answer.on('close', () => {
    if (!answer.complete) response.destroy();
  });
  response.on('close', () => answer.destroy());
  response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
  answer.pipe(response);
}

async function balance(upstreams: Upstreams, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await buffer(request);
  const tried = new Set<Upstream>();
  for (let one = upstreams.next(tried); one !== undefined; one = upstreams.next(tried)) {
    tried.add(one);
    const answer = await pass(request, body, one);
    if (!('mayHaveBegun' in answer)) {
      hand(answer, response);
      return;
    }
    upstreams.failed(one);
    if (answer.mayHaveBegun && !idempotent.has(request.method ?? '')) break;
  }
  response.writeHead(502, { 'content-type': 'text/plain' });
  response.end('502 Bad Gateway\n');
}

/** A balancer before these ports of 127.0.0.1. */
export function createBalancer(servers: readonly number[]): Server {
  const upstreams = upstreamsOf(servers, () => performance.now());
  return createServer((request, response) => {
    balance(upstreams, request, response).catch(() => response.destroy());
  });
}

/** The balancer as a process of its own. Resolves when it listens. */
export async function runBalancer(port: number, servers: readonly number[]): Promise<void> {
  nameProcess(balancerName);
  const server = createBalancer(servers);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}
