import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { hasOpenssl, makeAuthority } from '../../support/certificates.ts';
import { cli, tempFolder, tempStateDir } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';
import { del, get, post } from '../../support/http-requests.ts';
import { startServer } from '../../support/server.ts';
import { sleeper, stateOf } from '../targets/processes.ts';

/*
 * The whole service as it is started by a user, against those who should not get through. Each part has tests of its
 * own beside this one; here it is shown that the parts are put together.
 */

function tokenFile(token: string): string {
  const file = path.join(tempFolder(), 'token');
  writeFileSync(file, `${token}\n`);
  chmodSync(file, 0o600);
  return file;
}

const attackToken = 'an-attack-token-0123456789';
const readToken = 'a-token-to-read-0123456789';
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('who may ask', () => {
  test.each(['0.0.0.0', '::', '10.1.2.3'])(
    '%s without a token or client certificates is refused in words',
    async (host) => {
      const ran = await cli(['server', '--port', '0', '--host', host], { stateDir: tempStateDir() });
      expect(ran).toMatchObject({ code: 128, stdout: '' });
      expect(ran.stderr).toContain(`${host} can be reached from other hosts, and anybody could attack this one`);
      expect(ran.stderr).toContain('[SERVER_UNSAFE]');
    },
  );

  test('with a token any address will do; a wrong one and one for reading do not attack; audited', async () => {
    const stateDir = tempStateDir();
    const flags = ['--token-file', tokenFile(attackToken), '--read-token-file', tokenFile(readToken)];
    const server = await startServer({ stateDir, args: ['--host', '0.0.0.0', ...flags] });
    const url = server.url.replace('0.0.0.0', '127.0.0.1');
    expect(server.log()).toContain('the token goes over the network in the clear');
    const target = await sleeper('fl-guarded');
    const attack = { kind: 'process', action: 'stop', process: String(target.pid), uid: 'guarded' };
    for (const headers of [{}, bearer('a-wrong-token-0123456789'), { authorization: attackToken }]) {
      expect(await post(`${url}/api/v1/injections`, attack, headers)).toMatchObject({
        status: 401,
        body: { error: { code: 'UNAUTHENTICATED' } },
      });
      expect(await post(`${url}/api/attack/process`, attack, headers)).toMatchObject({
        status: 401,
        body: { error: true, code: 'error.api.auth' },
      });
    }
    expect(await post(`${url}/api/v1/injections`, attack, bearer(readToken))).toMatchObject({ status: 403 });
    expect(stateOf(target.pid)).toBe('S');
    expect(await post(`${url}/api/v1/injections`, attack, bearer(attackToken))).toMatchObject({ status: 201 });
    expect(await get(`${url}/api/v1/injections/guarded`, bearer(readToken))).toMatchObject({ status: 200 });
    expect(await del(`${url}/api/v1/injections/guarded`, bearer(readToken))).toMatchObject({ status: 403 });
    expect(stateOf(target.pid)).toBe('T');
    expect(await del(`${url}/api/v1/injections/guarded`, bearer(attackToken))).toMatchObject({ status: 200 });
    expect(await get(`${url}/api/system/health`)).toMatchObject({ status: 200 });
    await server.end('SIGTERM');
    const audit = await cli(['audit', '-o', 'json'], { stateDir });
    const results = (JSON.parse(audit.stdout) as { result: string }[]).map(({ result }) => result);
    expect(results.filter((result) => result === 'UNAUTHENTICATED')).toHaveLength(6);
    expect(results.filter((result) => result === 'FORBIDDEN')).toHaveLength(2);
    for (const text of [audit.stdout, server.log()]) expect(text).not.toMatch(/token-(?:0123|to-read-0123)/);
  });

  test('who asks on and on without reading an answer is cut off, and costs little', async () => {
    const server = await startServer({ stateDir: tempStateDir(), args: ['--token-file', tokenFile(attackToken)] });
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.pause();
    const closed = new Promise((resolve) => {
      socket.once('close', resolve);
    });
    socket.write('GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2_000));
    expect(await get(`${server.url}/api/system/health`)).toMatchObject({ status: 200 });
    let answers = 0;
    socket.on('data', (piece) => (answers += piece.toString('latin1').split('HTTP/1.1 200').length - 1));
    socket.resume();
    await closed;
    expect(answers).toBeLessThan(100);
    const kib = Number(/^VmHWM:\s*(\d+)/mu.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]);
    expect(kib / 1024, 'its peak of memory').toBeLessThan(200);
  });

  test.runIf(process.geteuid?.() === 0)('another user of this host is refused, without a token', async () => {
    const server = await startServer({ stateDir: tempStateDir() });
    const script = `fetch('${server.url}/api/v1/injections').then(async (r) => console.log(r.status, await r.text()))`;
    const ran = spawnSync(process.execPath, ['-e', script], { uid: 65_534, gid: 65_534, encoding: 'utf8' });
    expect(ran.stdout).toMatch(/^403 /);
    expect(ran.stdout).toContain('FORBIDDEN');
  });

  test.skipIf(!hasOpenssl)(
    'with client certificates: the API on the https port, the health on the plain one',
    async () => {
      const authority = makeAuthority(tempFolder(), 'ours');
      const own = authority.issue('service', { subject: '/CN=service', usage: 'serverAuth' });
      const flags = ['--cert', own.cert, '--key', own.key, '--CA', authority.cert];
      const server = await startServer({ stateDir: tempStateDir(), args: flags });
      const told = () => [...server.log().matchAll(/^listening on (\S+)$/gmu)].map(([, url]) => url);
      await eventually('both addresses are told', () => told().length === 2);
      const [https = '', plain = ''] = told();
      expect(https).toMatch(/^https:/);
      expect(await get(`${plain}/api/system/health`)).toMatchObject({ status: 200 });
      expect(await get(`${plain}/api/experiments/`)).toMatchObject({ status: 404 });
      const alice = authority.issue('alice', { subject: '/CN=alice', usage: 'clientAuth' });
      const late = authority.issue('late', { subject: '/CN=late', usage: 'clientAuth', days: [-3, -1] });
      const search = (...flagsOf: string[]) =>
        cli(['search', '--server', https, '--server-ca', authority.cert, ...flagsOf]);
      expect(await search('--client-cert', alice.cert, '--client-key', alice.key)).toMatchObject({ code: 0 });
      const expired = await search('--client-cert', late.cert, '--client-key', late.key);
      expect(expired).toMatchObject({ code: 1 });
      expect(expired.stderr).toContain('expired');
      expect((await search()).stderr).toContain('[UNAUTHENTICATED]');
    },
  );
});
