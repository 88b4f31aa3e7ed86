import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { HttpSource } from '../../../src/runner/experiment.ts';
import { eventually } from '../../support/eventually.ts';
import { listening } from '../../support/listening.ts';
import { probing } from './probing.ts';

async function served(answer: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listening(createServer(answer))}/`;
}

function source(url: string, more: Partial<HttpSource> = {}): HttpSource {
  const usual = { method: 'GET', headers: {}, body: undefined, rate: 50, timeoutMs: 20_000 };
  return { kind: 'http', url, ...usual, success: [[200, 299]], ...more };
}

/** `mostConnections` of the probe. */
const mostConnections = 512;

/** Ends of connections to a port of 127.0.0.1 that this process may have: SYN_SENT or ESTABLISHED, proc_net_tcp(5). */
function connectionsTo(port: number): number {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  return rows.filter((row) => {
    const [, , to, state] = row.trim().split(/\s+/);
    return to === remote && (state === '01' || state === '02');
  }).length;
}

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createTcpServer();
  const port = await listening(server);
  server.close();
  await once(server, 'close');
  return port;
}

describe('a server that answers', () => {
  test('is asked at the rate, and all that it said is told', async () => {
    let asked = 0;
    const url = await served((request, response) => {
      asked++;
      response.statusCode = 201;
      response.end(`hello ${request.method} ${String(request.headers['x-who'])}`);
    });
    const { probe, last, all, settled, clock } = probing(source(url, { method: 'PUT', headers: { 'X-Who': 'me' } }));
    await eventually('forty answers', () => asked >= 40);
    await settled();
    expect(last('success')).toBe(100);
    expect(last('failures')).toBe(0);
    expect(probe.failures()).toEqual({});
    expect(new Set(all('status'))).toEqual(new Set([201]));
    expect(new Set(all('body'))).toEqual(new Set(['hello PUT me']));
    expect(Number(last('p50'))).toBeGreaterThan(0);
    expect(Number(last('p50'))).toBeLessThanOrEqual(Number(last('max')));
    // An open loop: as many as were due, whatever the machine has to do.
    expect(Math.abs(asked - (clock() * 50) / 1000)).toBeLessThan(asked);
    expect(probe.measure('success', 0, 0.001)).toEqual(probe.measure('success', 0, 0.001));
  });

  test('is measured: a slow one takes long', async () => {
    const url = await served((_request, response) => void setTimeout(() => response.end(), 300));
    const { last, settled } = probing(source(url));
    await settled();
    expect(Number(last('p50'))).toBeGreaterThan(295);
  });

  test('is sent a body, and statuses that were named count as success', async () => {
    const bodies: string[] = [];
    const url = await served((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
      request.on('end', () => {
        bodies.push(body);
        response.statusCode = 404;
        response.end();
      });
    });
    const options = { method: 'POST', body: '{"number":15}', success: [[404, 404]] as const };
    const { last, settled } = probing(source(url, options));
    await settled();
    expect(last('success')).toBe(100);
    expect(new Set(bodies)).toEqual(new Set(['{"number":15}']));
  });

  test('connections are used again', async () => {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked++;
      response.end();
    });
    let connections = 0;
    server.on('connection', () => connections++);
    probing(source(`http://127.0.0.1:${await listening(server)}`, { rate: 100 }));
    // What is due when the machine stood still goes out at once, on as many connections.
    await eventually('most went over a connection that was used before', () => asked >= 100 && connections < asked / 2);
    expect(connections).toBeLessThan(asked / 2);
  });
});

describe('a server that does not', () => {
  test('refuses connections', async () => {
    const { probe, last, settled } = probing(source(`http://127.0.0.1:${await freePort()}`));
    await settled();
    expect(last('success')).toBe(0);
    expect(last('status')).toBe(0);
    expect(Object.keys(probe.failures())).toEqual(['connection refused']);
  });

  test('answers with 502', async () => {
    const url = await served((_request, response) => {
      response.statusCode = 502;
      response.end('bad gateway');
    });
    const { probe, last, settled } = probing(source(url));
    await settled();
    expect([last('success'), last('status'), last('body')]).toEqual([0, 502, 'bad gateway']);
    expect(Object.keys(probe.failures())).toEqual(['status 502']);
  });

  test('never answers: each attempt is over at its timeout, and takes as long', async () => {
    const url = await served(() => undefined);
    const { probe, last, settled } = probing(source(url, { timeoutMs: 400 }));
    await settled();
    expect(Object.keys(probe.failures())).toEqual(['timeout']);
    expect(Number(last('p50'))).toBeGreaterThan(395);
  });

  test.for([
    ['breaks off', 'answer cut off', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'],
    ['is none of HTTP', 'not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['hangs up', 'connection reset', ''],
    ['speaks something else', 'no answer', 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
  ] as const)('%s', async ([, reason, said]) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => socket.end(said));
    });
    const { probe, settled } = probing(source(`http://127.0.0.1:${await listening(server)}`));
    await settled();
    expect(Object.keys(probe.failures())).toEqual([reason]);
  });

  test('has a name that nobody has, or a URL that is none', async () => {
    const unknown = probing(source('http://no-such-host.invalid/'));
    const none = probing(source('nonsense'));
    await eventually('both have failed', () =>
      [unknown, none].every(({ probe }) => Object.keys(probe.failures()).length > 0),
    );
    expect(Object.keys(unknown.probe.failures())).toEqual(['unknown host']);
  });
});

test('a stall is seen in full: whoever was due meanwhile has waited since then', async () => {
  let stalled = false;
  const waiting: { readonly sinceMs: number; readonly answer: () => void }[] = [];
  const url = await served((_request, response) => {
    if (stalled) waiting.push({ sinceMs: performance.now(), answer: () => response.end() });
    else response.end();
  });
  const { probe, clock, settled } = probing(source(url, { rate: 100 }));
  await settled();
  const fromMs = clock();
  stalled = true;
  // Not for a fixed time: who asks only after a stall of the machine would have waited for next to nothing.
  await eventually('most wait for more than a second', () => {
    const long = waiting.filter(({ sinceMs }) => performance.now() - sinceMs > 1_000).length;
    return long > 100 && long > 0.7 * waiting.length;
  });
  stalled = false;
  const toMs = clock();
  for (const { answer } of waiting) answer();
  await settled();
  const [median] = probe.measure('p50', fromMs, toMs);
  // Those due at its beginning waited for all of it, those at its end for nothing: a closed loop would have seen one.
  expect(Number(median?.value)).toBeGreaterThan(500);
  expect(waiting.length).toBeGreaterThan(20);
});

test('what the program itself does is not measured', async () => {
  // In another process, for this one is about to be busy.
  const { spawn } = await import('node:child_process');
  const code =
    "require('node:http').createServer((q, r) => r.end()).listen(0, '127.0.0.1', function () {" +
    ' console.log(this.address().port) })';
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const [port] = (await once(child.stdout, 'data')) as [Buffer];
    const { probe, settled, clock } = probing(source(`http://127.0.0.1:${String(port).trim()}`, { rate: 100 }));
    await settled();
    const fromMs = clock();
    const sleeping = new Int32Array(new SharedArrayBuffer(4));
    Atomics.wait(sleeping, 0, 0, 10_000);
    // Without a turn of the event loop: it is all there.
    const [success] = probe.measure('success', fromMs, clock());
    const [median] = probe.measure('p50', fromMs, clock());
    expect(success?.value).toBe(100);
    expect(Number(median?.value)).toBeLessThan(4_000);
    expect(probe.settledMs()).toBeGreaterThan(fromMs);
  } finally {
    child.kill('SIGKILL');
  }
});

test('connections at the same time are bounded, and whoever waits for one waits', async () => {
  const server = createServer(() => undefined);
  const port = await listening(server);
  const { probe, last } = probing(source(`http://127.0.0.1:${port}`, { rate: 2_000, timeoutMs: 1_500 }));
  await eventually('many have failed', () => Number(last('failures') ?? 0) > 1_000);
  expect(Object.keys(probe.failures())).toEqual(['timeout']);
  expect(Number(last('p50'))).toBeGreaterThan(1_400);
  const connections = await promisify(server.getConnections.bind(server))();
  expect(connections).toBeLessThanOrEqual(1_100);
});

describe('robustness', () => {
  test('an answer without end is too long an answer, and keeps nobody from the next one', async () => {
    const piece = Buffer.alloc(256 * 1024, 'x');
    const url = await served((_request, response) => {
      const write = (): void => {
        while (!response.destroyed && response.write(piece));
      };
      response.on('drain', write);
      write();
    });
    const { probe, last } = probing(source(url, { rate: 2 }));
    await eventually('two attempts are over', () => Number(last('failures') ?? 0) >= 2);
    expect(Object.keys(probe.failures())).toEqual(['too long an answer']);
  });

  test('a connection that the server has closed while it was idle is no failure', async () => {
    let asked = 0;
    // Those that were on their way when it closed: nobody can tell.
    let tooLate = 0;
    const server = createTcpServer((socket) => {
      let isUsed = false;
      socket.on('error', () => undefined);
      socket.on('data', () => {
        if (isUsed) tooLate++;
        else asked++;
        // It does not say that it closes the connection.
        if (!isUsed) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        isUsed = true;
      });
    });
    const { last, settled } = probing(source(`http://127.0.0.1:${await listening(server)}`));
    await eventually('thirty answers', () => asked >= 30);
    await settled();
    expect(Number(last('failures'))).toBeLessThanOrEqual(tooLate);
    expect(tooLate).toBeLessThan(asked);
  });

  test('a connection that is lost with a request on it is a failure: that one is not sent again', async () => {
    let asked = 0;
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => {
        asked++;
        if (asked % 2 === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        else socket.resetAndDestroy();
      });
    });
    const { probe, last, settled } = probing(source(`http://127.0.0.1:${await listening(server)}`));
    await eventually('thirty requests', () => asked >= 30);
    await settled();
    await probe.stop();
    const lost = Number(last('failures'));
    expect(Object.keys(probe.failures())).toEqual(['connection reset']);
    // As many as have come: those under way at the end are not counted.
    expect(Math.abs(lost - asked / 2)).toBeLessThanOrEqual(3);
  });

  test('who does not even accept connections gets no more of them than there may be, and none stays', async () => {
    const { spawn } = await import('node:child_process');
    const code =
      "require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }," +
      ' function () { console.log(this.address().port); process.kill(process.pid, "SIGSTOP") })';
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const [said] = (await once(child.stdout, 'data')) as [Buffer];
      const port = Number(String(said));
      const { probe, last } = probing(source(`http://127.0.0.1:${port}`, { rate: 1_000, timeoutMs: 500 }));
      await eventually('many have failed', () => Number(last('failures') ?? 0) > 1_000);
      // The kernel tells of one after the other: one that was closed and its successor may both be in there.
      expect(connectionsTo(port)).toBeLessThanOrEqual(mostConnections + 50);
      expect(connectionsTo(port)).toBeGreaterThan(0);
      expect(Object.keys(probe.failures())).toEqual(['timeout']);
      await probe.stop();
      await eventually('no connection is left', () => connectionsTo(port) === 0);
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('ten probes at once', async () => {
    const url = await served((_request, response) => response.end());
    const probes = Array.from({ length: 10 }, () => probing(source(url)));
    await Promise.all(
      probes.map(({ last }) => eventually('enough answers', () => Number(last('p50')) > 0 && last('status') === 200)),
    );
    for (const { settled } of probes) await settled();
    expect(probes.map(({ last }) => last('success'))).toEqual(probes.map(() => 100));
  });

  test('HEAD, a user in the URL, and a header that cannot be sent', async () => {
    const seen: (string | undefined)[] = [];
    let connections = 0;
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.headers.authorization}`);
      response.end('without a body');
    });
    server.on('connection', () => connections++);
    const head = probing(source(`http://me:s3cret@127.0.0.1:${await listening(server)}/`, { method: 'HEAD' }));
    await eventually(
      'most went over a connection that was used before',
      () => seen.length >= 20 && connections < seen.length / 2,
    );
    await head.settled();
    expect(head.last('success')).toBe(100);
    expect(new Set(seen)).toEqual(new Set([`HEAD Basic ${Buffer.from('me:s3cret').toString('base64')}`]));
    const refused = probing(source(await served(() => undefined), { headers: { 'x-a': 'one\r\ntwo' } }));
    await eventually('it has failed', () => Object.keys(refused.probe.failures()).length > 0);
    expect(Object.keys(refused.probe.failures())).toEqual(['invalid x-a header']);
  });
});

test('the curves of a report keep what is expected of them', async () => {
  const url = await served((_request, response) => response.end());
  const expected = { measure: 'p95', tolerance: { kind: 'range', atLeast: undefined, atMost: 250 } } as const;
  const { probe, settled, clock } = probing(source(url), { expect: [expected] });
  await eventually('a second', () => clock() > 1_000);
  await settled();
  await probe.stop();
  const [latency, success] = probe.series();
  expect(latency).toMatchObject({ measure: 'p95', unit: 'ms', atLeast: null, atMost: 250 });
  expect(success).toMatchObject({ measure: 'p99' });
  expect(latency?.points.length).toBeGreaterThan(1);
});
