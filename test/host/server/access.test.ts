import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { localIdentity } from '../../../src/server/access/local-user.ts';
import { type Authority, hasOpenssl, makeAuthority } from '../../support/certificates.ts';
import { tempFolder } from '../../support/cli.ts';
import { until } from '../targets/processes.ts';
import { type Answer, ask, type Asked, type BareService, rawConnection, startBare } from './bare-service.ts';

const uid = process.geteuid?.() ?? 0;
const isRoot = uid === 0;

const attackToken = 'attack-token-of-32-characters-01';
const readToken = 'read-token-of-32-characters-0001';

function tokenFile(token: string): string {
  const file = path.join(tempFolder(), 'token');
  writeFileSync(file, `${token}\n`);
  chmodSync(file, 0o600);
  return file;
}

const bothTokens = () => ({ tokenFile: tokenFile(attackToken), readTokenFile: tokenFile(readToken) });

const bearing = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

const read = (port: number, rest: Partial<Asked> = {}): Promise<Answer> => ask({ port, path: '/read', ...rest });

const attack = (port: number, rest: Partial<Asked> = {}): Promise<Answer> =>
  ask({ port, path: '/attack', method: 'POST', ...rest });

function expectRefused(answer: Answer, status: 401 | 403, words: RegExp): void {
  expect(answer.body.error?.message).toMatch(words);
  expect([answer.status, answer.body.error?.code]).toEqual([status, status === 401 ? 'UNAUTHENTICATED' : 'FORBIDDEN']);
  expect(answer.headers['www-authenticate']).toBe(status === 401 ? 'Bearer' : undefined);
}

/** The last refusal that was noted, without the error's stack. */
function lastRefused({ refused }: BareService) {
  const last = refused.at(-1);
  return { actor: last?.actor, asked: last?.asked, code: last?.error.code };
}

describe('tokens', () => {
  test('the role is the token’s', async () => {
    const { port } = await startBare(bothTokens());
    const answer = await attack(port, bearing(attackToken));
    expect([answer.status, answer.body]).toMatchObject([
      200,
      { role: 'attack', actor: { via: 'http', token: 'attack' } },
    ]);
    expect((await read(port, bearing(attackToken))).body.role).toBe('attack');
    expect((await read(port, bearing(readToken))).body).toMatchObject({ role: 'read', actor: { token: 'read' } });
  });

  test('none, a wrong one, and another scheme are refused on loopback too, whoever asks', async () => {
    const service = await startBare(bothTokens());
    expectRefused(await attack(service.port), 401, /needs a token/);
    expectRefused(await read(service.port, bearing(`${readToken}x`)), 401, /not one that this service knows/);
    expectRefused(await read(service.port, { auth: `root:${attackToken}` }), 401, /no bearer token/);
    expectRefused(await read(service.port, { path: `/read?token=${attackToken}` }), 401, /needs a token/);
    expect(service.handled()).toBe(0);
  });

  test('who may read may not attack, and it is written down who it was', async () => {
    const service = await startBare(bothTokens());
    expectRefused(await attack(service.port, bearing(readToken)), 403, /may only read/);
    expect(service.handled()).toBe(0);
    expect(lastRefused(service)).toEqual({
      actor: { via: 'http', address: '127.0.0.1', port: expect.any(Number), token: 'read' },
      asked: { method: 'POST', path: '/attack' },
      code: 'FORBIDDEN',
    });
  });

  test('no refusal that is written down holds a token', async () => {
    const service = await startBare(bothTokens());
    await attack(service.port, { path: `/attack?token=${attackToken}` });
    await attack(service.port, bearing(readToken));
    await attack(service.port, bearing('some-other-token-of-someone'));
    expect(service.refused).toHaveLength(3);
    const written = JSON.stringify(service.refused.map(({ actor, asked, error }) => [actor, asked, error.message]));
    expect(written).not.toMatch(/-token-of-/);
  });

  test('what is not there is told only to who may come in', async () => {
    const { port } = await startBare(bothTokens());
    expectRefused(await ask({ port, path: '/nothing' }), 401, /needs a token/);
    expect((await ask({ port, path: '/nothing', ...bearing(readToken) })).status).toBe(404);
    expectRefused(await ask({ port, path: '/attack', method: 'OPTIONS' }), 401, /needs a token/);
    expect((await ask({ port, path: '/health' })).body).toEqual({ status: 0 });
  });
});

describe('users of this host', () => {
  test('whom the service runs as is let in without anything, and known', async () => {
    const { port } = await startBare();
    const { status, body } = await attack(port);
    expect([status, body.role, body.actor?.['uid']]).toEqual([200, 'attack', uid]);
  });

  test('by every address that it can be called by', async () => {
    const { port } = await startBare();
    for (const [host, name] of [
      ['127.0.0.1', `127.0.0.1:${port}`],
      ['::ffff:127.0.0.1', `localhost:${port}`],
      ['127.0.0.1', '[::1]'],
    ]) {
      expect((await read(port, { host: host ?? '', headers: { host: name } })).status).toBe(200);
    }
  });

  /** Another user's connection sends one request; what comes back is what it prints. */
  async function askAs(user: number, port: number): Promise<string> {
    const script = `
      const request = require('node:http').request(
        { port: process.argv[1], host: '127.0.0.1', path: '/attack', method: 'POST' },
        (response) => { process.stdout.write(response.statusCode + ' '); response.pipe(process.stdout); });
      request.end();`;
    const child = spawn(process.execPath, ['-e', script, String(port)], {
      uid: user,
      gid: user,
      cwd: '/',
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    let text = '';
    child.stdout.on('data', (piece: Buffer) => (text += piece.toString()));
    await once(child, 'close');
    return text;
  }

  test.runIf(isRoot)('another user is refused, in words, and written down', async () => {
    const service = await startBare();
    expect(await askAs(12_345, service.port)).toMatch(
      /^403 .*FORBIDDEN.*answers only root without a token, and not user 12345/,
    );
    expect(service.handled()).toBe(0);
    expect(lastRefused(service)).toMatchObject({ actor: { uid: 12_345, user: null }, code: 'FORBIDDEN' });
    // That nobody else is let in by it: the connection is what counts, not the address.
    expect((await attack(service.port)).status).toBe(200);
    expect(await askAs(12_345, service.port)).toMatch(/^403 /);
  });

  test('who has closed the connection is nobody, though the kernel shows root', async () => {
    const service = await startBare();
    const { socket } = rawConnection(service.port);
    await once(socket, 'connect');
    // Both in one turn of this process, so that it is closed before the service reads what was sent.
    socket.write('POST /attack HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n');
    socket.destroy();
    await until('it was refused', () => service.refused.length > 0);
    expect(service.handled()).toBe(0);
    expect(lastRefused(service).code).toBe('UNAUTHENTICATED');
  });

  test('who has reset the connection is not taken for the next one who comes from the same port', async () => {
    // Neither connection is read from, so that the service has not noticed yet that the first one is gone.
    const server = createServer({ pauseOnConnect: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const opened: Socket[] = [];
    async function connected(localPort?: number): Promise<{ readonly client: Socket; readonly service: Socket }> {
      const client = connect({ port, host: '127.0.0.1', ...(localPort === undefined ? {} : { localPort }) });
      opened.push(client);
      const [[service]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[Socket], []];
      opened.push(service);
      return { client, service };
    }
    /** Two connections from one port, one after the other; undefined where somebody else has got the port meanwhile. */
    async function twoFromOnePort() {
      const first = await connected();
      const { localPort } = first.client;
      // Node remembers what it was told once, as it does in the service.
      expect(first.service.remotePort).toBe(localPort);
      const closed = once(first.client, 'close');
      first.client.resetAndDestroy();
      await closed;
      try {
        return { first, second: await connected(localPort), localPort };
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
        throw error;
      }
    }
    try {
      let two = await twoFromOnePort();
      for (let tries = 1; two === undefined && tries < 50; tries++) two = await twoFromOnePort();
      if (two === undefined) throw new Error('in 50 attempts no port could be had a second time');
      const { first, second, localPort } = two;
      expect([first.service.remotePort, second.service.remotePort]).toEqual([localPort, localPort]);
      expect(await localIdentity(first.service)).toMatchObject({ refusal: { code: 'UNAUTHENTICATED' } });
      expect(await localIdentity(second.service)).toMatchObject({ role: 'attack', actor: { uid } });
    } finally {
      for (const socket of opened) socket.destroy();
      server.close();
    }
  });

  test('five hundred who come at once are all known', async () => {
    const { port } = await startBare();
    const answers = await Promise.all(Array.from({ length: 500 }, () => read(port)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe('web pages', () => {
  test.each([
    ['a page of another site', { origin: 'https://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
    ['an image of another site', { 'sec-fetch-site': 'cross-site' }],
    ['a name that leads here', { host: 'evil.example:31767' }],
  ])('%s is refused', async (_, headers) => {
    const service = await startBare();
    expectRefused(await attack(service.port, { headers }), 403, /./);
    expect(service.handled()).toBe(0);
    expect(service.refused).toHaveLength(1);
  });

  test('a token does not help a page of another site', async () => {
    const { port } = await startBare(bothTokens());
    const headers = { origin: 'https://evil.example', authorization: `Bearer ${attackToken}` };
    expectRefused(await attack(port, { headers }), 403, /web pages of https:\/\/evil\.example/);
  });

  test('with tokens the service may have any name', async () => {
    const { port } = await startBare(bothTokens());
    const headers = { host: 'node7.cluster.example:31767', authorization: `Bearer ${attackToken}` };
    expect((await attack(port, { headers })).status).toBe(200);
  });

  test('our own page is answered', async () => {
    const { port } = await startBare();
    const headers = { origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin' };
    expect((await attack(port, { headers })).status).toBe(200);
  });

  test.each([
    ['two hosts', 'host: localhost\r\nhost: evil.example\r\n', 400],
    ['no host', '', 400],
  ])('%s', async (_, headers, status) => {
    const service = await startBare();
    const { socket, received } = rawConnection(service.port);
    socket.write(`GET /read HTTP/1.1\r\n${headers}connection: close\r\n\r\n`);
    await until('it is answered', () => received().includes('\r\n\r\n'));
    expect(received()).toContain(`HTTP/1.1 ${status} `);
    expect(service.handled()).toBe(0);
  });
});

describe.runIf(hasOpenssl)('TLS', () => {
  interface World {
    readonly ours: Authority;
    readonly files: { readonly certFile: string; readonly keyFile: string };
  }

  function world(): World {
    const ours = makeAuthority(path.join(tempFolder(), 'ours'), 'our authority');
    const server = ours.issue('server', { subject: '/CN=service', usage: 'serverAuth' });
    return { ours, files: { certFile: server.cert, keyFile: server.key } };
  }

  /** How a client speaks to the service, with a certificate or without. */
  function speaking({ ours }: World, issued?: { readonly cert: string; readonly key: string }): ConnectionOptions {
    const mine = issued === undefined ? {} : { cert: readFileSync(issued.cert), key: readFileSync(issued.key) };
    return { ca: readFileSync(ours.cert), ...mine };
  }

  const overTls = (options: ConnectionOptions): Partial<Asked> => ({ tls: true, ...(options as Partial<Asked>) });

  test('without client certificates it only hides what is said', async () => {
    const all = world();
    const { port } = await startBare(all.files);
    const { status, body } = await attack(port, overTls(speaking(all)));
    expect([status, body.actor?.['uid']]).toEqual([200, uid]);
  });

  test('TLS 1.2 is refused, and written down in words', async () => {
    const all = world();
    const service = await startBare(all.files);
    await expect(read(service.port, overTls({ ...speaking(all), maxVersion: 'TLSv1.2' }))).rejects.toThrow(
      /alert|protocol/i,
    );
    await until('it was written down', () => service.refused.length > 0);
    expect(service.refused[0]?.error.message).toMatch(/TLS 1\.2 or older/);
    expect(service.refused[0]?.actor).toMatchObject({ via: 'http', address: '127.0.0.1' });
    expect((await read(service.port, overTls(speaking(all)))).status).toBe(200);
  });

  test('who does not speak TLS at all is cut off, and the next is answered', async () => {
    const all = world();
    const service = await startBare(all.files);
    const { socket, ended } = rawConnection(service.port);
    socket.write('GET /read HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await until('it is cut off', () => ended());
    await until('it was written down', () => service.refused.length > 0);
    expect(service.refused[0]?.error.message).toMatch(/plain HTTP/);
    expect((await read(service.port, overTls(speaking(all)))).status).toBe(200);
  });

  test('a client certificate is who one is', async () => {
    const all = world();
    const service = await startBare({ ...all.files, caFile: all.ours.cert });
    const alice = all.ours.issue('alice', { subject: '/CN=alice', usage: 'clientAuth' });
    const bob = all.ours.issue('bob', { subject: '/OU=ops/OU=read/CN=bob', usage: 'clientAuth' });
    const answer = await attack(service.port, overTls(speaking(all, alice)));
    expect([answer.status, answer.body]).toMatchObject([
      200,
      {
        role: 'attack',
        actor: { certificate: { subject: 'alice', fingerprint: expect.stringMatching(/^[0-9A-F:]{95}$/) } },
      },
    ]);
    expect((await read(service.port, overTls(speaking(all, bob)))).body).toMatchObject({ role: 'read' });
    expectRefused(await attack(service.port, overTls(speaking(all, bob))), 403, /may only read/);
    expect(lastRefused(service).actor).toMatchObject({ certificate: { subject: 'bob' } });
  });

  test('none, an expired, a coming, a foreign one, one of nobody’s, and one of a service', async () => {
    const all = world();
    const service = await startBare({ ...all.files, caFile: all.ours.cert });
    const client = { subject: '/CN=mallory', usage: 'clientAuth' } as const;
    const theirs = makeAuthority(path.join(tempFolder(), 'theirs'), 'our authority');
    expectRefused(await attack(service.port, overTls(speaking(all))), 401, /needs a client certificate/);
    for (const [issued, words] of [
      [all.ours.issue('expired', { ...client, days: [-3, -1] }), /"mallory" has expired/],
      [all.ours.issue('coming', { ...client, days: [1, 3] }), /"mallory" is not valid yet/],
      [theirs.issue('foreign', client), /"mallory" was not issued by an authority that this service trusts/],
      [theirs, /"our authority" is not one for clients|was not issued by an authority/],
      [all.ours.issue('service', { ...client, usage: 'serverAuth' }), /"mallory" is not one for clients/],
    ] as const) {
      expectRefused(await attack(service.port, overTls(speaking(all, issued))), 403, words);
      expect(lastRefused(service).actor).toMatchObject({ certificate: { fingerprint: expect.any(String) } });
    }
    expect(service.handled()).toBe(0);
    expect((await ask({ port: service.port, path: '/health', ...overTls(speaking(all)) })).status).toBe(200);
  });

  test('with a token as well both are needed, and the lesser role counts', async () => {
    const all = world();
    const { port } = await startBare({ ...all.files, caFile: all.ours.cert, ...bothTokens() });
    const alice = speaking(all, all.ours.issue('alice', { subject: '/CN=alice', usage: 'clientAuth' }));
    const bob = speaking(all, all.ours.issue('bob', { subject: '/CN=bob/OU=read', usage: 'clientAuth' }));
    expectRefused(await attack(port, overTls(alice)), 401, /needs a token/);
    expectRefused(
      await attack(port, { ...overTls(speaking(all)), ...bearing(attackToken) }),
      401,
      /client certificate/,
    );
    expectRefused(await attack(port, { ...overTls(bob), ...bearing(attackToken) }), 403, /may only read/);
    expectRefused(await attack(port, { ...overTls(alice), ...bearing(readToken) }), 403, /may only read/);
    const { status, body } = await attack(port, { ...overTls(alice), ...bearing(attackToken) });
    expect([status, body.actor]).toMatchObject([200, { token: 'attack', certificate: { subject: 'alice' } }]);
  });

  test('a session that is resumed without a certificate is still without one', async () => {
    const all = world();
    const service = await startBare({ ...all.files, caFile: all.ours.cert });
    const sessions: Buffer[] = [];
    const options = { ...speaking(all), port: service.port, host: '127.0.0.1' };
    const first = connectTls(options);
    first.on('session', (session: Buffer) => sessions.push(session));
    first.write('GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
    first.resume();
    await once(first, 'close');
    const [session] = sessions;
    expectRefused(
      await attack(service.port, overTls({ ...options, ...(session === undefined ? {} : { session }) })),
      401,
      /./,
    );
    expect(service.handled()).toBe(1);
  });
});
