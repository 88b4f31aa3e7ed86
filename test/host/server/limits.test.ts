import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openFileLimit } from '../../../src/linux/procfs/limits.ts';
import { affordableConnections } from '../../../src/server/limits/http-server.ts';
import { tempFolder } from '../../support/cli.ts';
import { until } from '../targets/processes.ts';
import { ask, type Asked, type BareService, type RawConnection, rawConnection, startBare } from './bare-service.ts';

const json = { 'content-type': 'application/json' };
const post = { path: '/attack', method: 'POST' } as const;

/** The status and the error of the answer that a raw connection has received. */
function answered({ received }: RawConnection): { status: number; code: unknown } {
  const [head = '', body = ''] = received().split('\r\n\r\n', 2);
  const document = JSON.parse(body) as { readonly error?: { readonly code?: unknown } };
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), code: document.error?.code };
}

async function exchange(service: BareService, text: string): Promise<{ status: number; code: unknown }> {
  const raw = rawConnection(service.port);
  raw.socket.write(text);
  await until('the service has answered and closed the connection', () => raw.ended());
  return answered(raw);
}

/**
 * Ask until it is answered as it should be: on a host that is busy a request may come too late for a service that has
 * little patience.
 */
async function askPatiently(asked: Asked): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const status = await ask(asked).then(
      (answer) => answer.status,
      (error: unknown) => String(error),
    );
    if (status === 200) return;
    if (performance.now() > deadline) throw new Error(`a minute of ${status}`);
    await delay(5);
  }
}

describe('what is too much', () => {
  const large = Buffer.alloc(10 * 1024 * 1024, ' ');

  test('ten megabytes are refused, and the client gets to know it', async () => {
    const service = await startBare();
    for (let round = 0; round < 5; round += 1) {
      const { status, body } = await ask({ port: service.port, ...post, headers: json, body: large });
      expect([status, body.error?.code]).toEqual([413, 'REQUEST_TOO_LARGE']);
    }
    expect(service.handled()).toBe(0);
    expect((await ask({ port: service.port, path: '/read' })).status).toBe(200);
  });

  test('so they are in pieces, without a length', async () => {
    const service = await startBare();
    const headers = { ...json, 'transfer-encoding': 'chunked' };
    const { status, body } = await ask({ port: service.port, ...post, headers, body: large });
    expect([status, body.error?.code]).toEqual([413, 'REQUEST_TOO_LARGE']);
    expect(service.handled()).toBe(0);
  });

  test('who may not come in is told so, however much they send', async () => {
    const file = path.join(tempFolder(), 'token');
    writeFileSync(file, 'a-token-of-32-characters-0000001');
    chmodSync(file, 0o600);
    const service = await startBare({ tokenFile: file });
    const { status } = await ask({ port: service.port, ...post, headers: json, body: large });
    expect(status).toBe(401);
  });

  test('just as much as may be is read', async () => {
    const { port } = await startBare({ maxBodyBytes: 1_000 });
    const body = JSON.stringify('x'.repeat(998));
    expect((await ask({ port, ...post, headers: json, body })).status).toBe(200);
    expect((await ask({ port, ...post, headers: json, body: ` ${body}` })).status).toBe(413);
  });

  test('headers and paths that are too long', async () => {
    const service = await startBare();
    const long = 'x'.repeat(20_000);
    const wanted = { status: 431, code: 'REQUEST_TOO_LARGE' };
    expect(await exchange(service, `GET /read HTTP/1.1\r\nhost: localhost\r\nx: ${long}\r\n\r\n`)).toEqual(wanted);
    expect(await exchange(service, `GET /${long} HTTP/1.1\r\nhost: localhost\r\n\r\n`)).toEqual(wanted);
    expect(service.handled()).toBe(0);
  });
});

describe('what is not HTTP, or not JSON', () => {
  test.each([
    ['garbage', 'garbage\r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a bad length', 'POST /attack HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n'],
    ['two lengths', 'POST /attack HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
    [
      'a length and pieces',
      'POST /attack HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a space before a colon', 'GET /read HTTP/1.1\r\nhost : localhost\r\n\r\n'],
    ['a control character in a header', 'GET /read HTTP/1.1\r\nhost: localhost\r\nx: a\u0000b\r\n\r\n'],
  ])('%s', async (_, text) => {
    const service = await startBare();
    expect(await exchange(service, text)).toEqual({ status: 400, code: 'ARGUMENT_INVALID' });
    expect(service.handled()).toBe(0);
  });

  test.each([
    ['half of a document', '{"a":', json, 400],
    ['another prototype', '{"__proto__":{"role":"attack"}}', json, 400],
    ['too many levels', '['.repeat(20_000), json, 400],
    ['a form', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['plain text', '{}', { 'content-type': 'text/plain' }, 415],
    ['a type that is none', '{}', { 'content-type': '; ;' }, 415],
    ['no type', '{}', {}, 415],
  ])('%s', async (_, body, headers, status) => {
    const service = await startBare();
    const answer = await ask({ port: service.port, ...post, headers, body });
    expect(answer.status).toBe(status);
    expect(answer.body.error?.code).toBe(status === 400 ? 'ARGUMENT_INVALID' : 'MEDIA_UNSUPPORTED');
    expect(service.handled()).toBe(0);
  });
});

describe('what is too slow', () => {
  const begun = 'POST /attack HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';

  test.each([
    ['nothing at all', ''],
    ['headers that never end', begun],
    ['a body that never ends', `${begun}content-length: 100\r\n\r\n{"a":`],
  ])('%s is answered 408, and the connection closed', async (_, text) => {
    const service = await startBare({ patienceMs: 300 });
    expect(await exchange(service, text)).toEqual({ status: 408, code: 'REQUEST_TOO_SLOW' });
    expect(service.handled()).toBe(0);
  });

  test('headers that trickle in do not keep a connection open', async () => {
    const service = await startBare({ patienceMs: 300 });
    const raw = rawConnection(service.port);
    raw.socket.write(begun);
    const trickle = setInterval(() => raw.socket.writable && raw.socket.write('x: y\r\n'), 20);
    try {
      await until('the connection is closed', () => raw.ended());
    } finally {
      clearInterval(trickle);
    }
    expect(answered(raw)).toEqual({ status: 408, code: 'REQUEST_TOO_SLOW' });
  });

  test('a connection that lies idle after an answer is closed without a word', async () => {
    const service = await startBare({ patienceMs: 300 });
    const agent = new Agent({ keepAlive: true });
    const sockets: string[] = [];
    agent.on('free', (socket: NodeJS.EventEmitter) => {
      sockets.push('free');
      socket.once('close', () => sockets.push('closed'));
    });
    await askPatiently({ port: service.port, path: '/read', agent });
    await until('it is closed', () => sockets.includes('closed'));
    expect(sockets).toContain('free');
    await askPatiently({ port: service.port, path: '/read', agent });
    agent.destroy();
  });
});

describe('how many connections', () => {
  test('more than there may be are closed, until others are gone', async () => {
    const service = await startBare({ maxConnections: 3 });
    const raws = [1, 2, 3].map(() => rawConnection(service.port));
    await Promise.all(raws.map(({ socket }) => once(socket, 'connect')));
    await until('they are accepted', () => service.accepted() === 3);
    const fourth = rawConnection(service.port);
    await until('the fourth is closed', () => fourth.ended());
    expect(fourth.received()).toBe('');
    raws[0]?.socket.destroy();
    await askPatiently({ port: service.port, path: '/read' });
  });

  test('two thousand idle ones leave others their turn, and go', async () => {
    // Both ends of each are in this process.
    const count = Math.min(2_000, Math.floor(((openFileLimit() ?? 65_536) - 512) / 2));
    if (count < 2_000) console.warn(`only ${count} connections: no more files may be open`);
    const service = await startBare({ patienceMs: 10_000 });
    const raws: RawConnection[] = [];
    while (raws.length < count) {
      const batch = Array.from({ length: Math.min(100, count - raws.length) }, () => rawConnection(service.port));
      await Promise.all(batch.map(({ socket }) => once(socket, 'connect')));
      raws.push(...batch);
      // A queue of the kernel's that overflows would leave connections of which only the client knows.
      while (service.accepted() < raws.length) await delay(5);
    }
    await askPatiently({ port: service.port, path: '/read' });
    await until('all are closed', () => raws.every(({ ended }) => ended()));
    const statuses = raws.map((raw) => (raw.received() === '' ? 0 : answered(raw).status));
    expect(new Set(statuses)).toEqual(new Set([408]));
    await askPatiently({ port: service.port, path: '/read' });
  });

  test.each([
    [10_000, undefined, 10_000],
    [10_000, 1_048_576, 10_000],
    [10_000, 1_024, 512],
    [10_000, 256, 1],
    [10, 1_024, 10],
  ])('of %d wanted, where %s files may be open, %d can be had', (wanted, files, had) => {
    expect(affordableConnections(wanted, files)).toBe(had);
  });
});

describe('how many requests', () => {
  const tokens = () => {
    const folder = tempFolder();
    const files = { tokenFile: path.join(folder, 'attack'), readTokenFile: path.join(folder, 'read') };
    writeFileSync(files.tokenFile, 'attack-token-of-32-characters-01', { mode: 0o600 });
    writeFileSync(files.readTokenFile, 'read-token-of-32-characters-0001', { mode: 0o600 });
    return files;
  };
  const bearing = (token: string) => ({ path: '/read', headers: { authorization: `Bearer ${token}` } });
  const attacker = bearing('attack-token-of-32-characters-01');
  const reader = bearing('read-token-of-32-characters-0001');

  test('too many are told when to come again; others and the health of the service are not concerned', async () => {
    const { port, handled } = await startBare({ ...tokens(), maxRate: 3 });
    const all = await Promise.all(Array.from({ length: 200 }, () => ask({ port, ...attacker })));
    const refused = all.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(handled()).toBe(200 - refused.length);
    expect(refused[0]).toMatchObject({
      headers: { 'retry-after': '1' },
      body: { error: { code: 'TOO_MANY_REQUESTS' } },
    });
    await askPatiently({ port, ...reader });
    const health = await Promise.all(Array.from({ length: 200 }, () => ask({ port, path: '/health' })));
    expect(new Set(health.map(({ status }) => status))).toEqual(new Set([200]));
  });

  test('strangers use up only what is theirs, and leave few lines', async () => {
    const service = await startBare({ ...tokens(), maxRate: 5 });
    const stranger = bearing('a-wrong-token-of-32-characters-1');
    const strangers = await Promise.all(Array.from({ length: 500 }, () => ask({ port: service.port, ...stranger })));
    expect(new Set(strangers.map(({ status }) => status))).toEqual(new Set([401, 429]));
    expect((await ask({ port: service.port, ...attacker })).status).toBe(200);
    expect(service.refused.length).toBeLessThanOrEqual(40);
    expect(service.handled()).toBe(1);
  });
});
