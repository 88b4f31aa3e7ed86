import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { fizzBuzz } from './fizzbuzz.ts';
import { nameProcess } from './name.ts';

/** How processes of the API server are called. */
export const apiServerName = 'fizzbuzz-api';

export const apiPath = '/api/v1/fizzbuzz';

/** How long it takes to answer, in ms: reading is quick, and what is written has to be written down. */
const workMs = { GET: 20, POST: 200 } as const;

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  const url = new URL(request.url ?? '/', 'http://localhost');
  const number = Number(url.searchParams.get('number') ?? Number.NaN);
  if (url.pathname !== apiPath) answer(response, 404, { error: `ask for ${apiPath}?number=15` });
  else if (!Number.isSafeInteger(number)) answer(response, 400, { error: 'number must be a whole number' });
  else if (request.method !== 'GET' && request.method !== 'POST') answer(response, 405, { error: 'GET or POST' });
  else setTimeout(() => answer(response, 200, { number, answer: fizzBuzz(number) }), workMs[request.method]);
}

/**
 * FizzBuzz as a service: one of the servers behind the balancer.
 *
 * @returns resolves when it listens
 */
export async function runApiServer(port: number): Promise<void> {
  nameProcess(apiServerName);
  const server = createServer(serve);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}
