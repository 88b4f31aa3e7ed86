import { once } from 'node:events';
import { createServer, request, type RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createBalancer } from '../../../src/demo/balancer/balancer.ts';
import { listening } from '../../support/listening.ts';

const answering = (answer: RequestListener): Promise<number> => listening(createServer(answer));

/** A server that hangs up as soon as it has heard something, as one that is killed. */
async function dying(): Promise<{ readonly port: number; asked: number }> {
  const seen = { port: 0, asked: 0 };
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      seen.asked++;
      socket.destroy();
    });
  });
  seen.port = await listening(server);
  return seen;
}

/** A port on which nobody listens. */
async function nobody(): Promise<number> {
  const server = createTcpServer();
  const port = await listening(server);
  server.close();
  await once(server, 'close');
  return port;
}

async function before(ports: readonly number[]): Promise<number> {
  return await listening(createBalancer(ports));
}

async function ask(port: number, method = 'GET', body = ''): Promise<readonly [number, string]> {
  const asked = request({ host: '127.0.0.1', port, method, path: '/x?y=1', agent: false });
  asked.end(body);
  const [answer] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
  return [answer.statusCode ?? 0, await text(answer)];
}

test('servers in turn, with all that was asked and answered', async () => {
  const named = (name: string) =>
    answering((asked, answer) => {
      void text(asked).then((body) => answer.writeHead(201).end(`${name} ${asked.method} ${asked.url} ${body}`));
    });
  const balancer = await before([await named('a'), await named('b')]);
  expect(await ask(balancer, 'POST', 'hello')).toEqual([201, 'a POST /x?y=1 hello']);
  expect(await ask(balancer)).toEqual([201, 'b GET /x?y=1 ']);
  expect(await ask(balancer, 'DELETE')).toEqual([201, 'a DELETE /x?y=1 ']);
});

test('a GET that one server fails is passed to the other one', async () => {
  const dead = await dying();
  const balancer = await before([dead.port, await answering((_, answer) => answer.end('ok'))]);
  expect(await ask(balancer)).toEqual([200, 'ok']);
  expect(dead.asked).toBe(1);
  // It is left out now.
  expect(await Promise.all([ask(balancer), ask(balancer)])).toEqual([
    [200, 'ok'],
    [200, 'ok'],
  ]);
  expect(dead.asked).toBe(1);
});

test('a POST that was sent is not sent again; one that could not be sent is', async () => {
  let asked = 0;
  const living = await answering((_, answer) => {
    asked++;
    answer.end('ok');
  });
  const dead = await dying();
  const sent = await before([dead.port, living]);
  expect((await ask(sent, 'POST', 'once'))[0]).toBe(502);
  expect([dead.asked, asked]).toEqual([1, 0]);
  const refused = await before([await nobody(), living]);
  expect(await ask(refused, 'POST', 'once')).toEqual([200, 'ok']);
});

test('without a living server it says so', async () => {
  const balancer = await before([await nobody(), await nobody()]);
  expect((await ask(balancer))[0]).toBe(502);
  expect((await ask(balancer))[0]).toBe(502);
});

test('an answer that breaks off is broken off', async () => {
  const port = await listening(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'));
    }),
  );
  const balancer = await before([port]);
  await expect(ask(balancer)).rejects.toThrow('aborted');
});
