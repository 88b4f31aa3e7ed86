import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { installed } from '../../../src/cli/test-support/installed.ts';
import { cli, tempFolder } from '../../support/cli.ts';

/*
 * A command and a service that speaks TLS: whom it trusts, and what it says when it does not. The service is a
 * stand-in, so that it can be wrong in ways that Faultline's own cannot.
 */

const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map(
      (server) =>
        new Promise((resolve) => {
          server.close(resolve);
          server.closeAllConnections();
        }),
    ),
  );
});

function openssl(cwd: string, ...args: readonly string[]): void {
  execFileSync('openssl', args, { cwd, stdio: 'pipe' });
}

interface Issued {
  readonly cert: string;
  readonly key: string;
}

interface Authority {
  readonly ca: string;
  readonly issue: (name: string, subject: string, days?: number) => Issued;
}

/** Somebody who signs certificates, in a folder that is gone after the test. */
function authority(): Authority {
  const folder = tempFolder();
  const file = (name: string): string => path.join(folder, name);
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(folder, 'req', '-x509', ...curve, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ca', '-days', '30');
  return {
    ca: file('ca.pem'),
    issue: (name, subject, days = 30) => {
      writeFileSync(file(`${name}.ext`), `subjectAltName=${subject}\n`);
      openssl(folder, 'req', ...curve, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
      const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`];
      const dates = ['-days', String(days)];
      openssl(folder, 'x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signing, ...dates);
      return { cert: file(`${name}.pem`), key: file(`${name}.key`) };
    },
  };
}

const loopback = 'IP:127.0.0.1,DNS:localhost';

/** @returns its address */
async function serve({ cert, key }: Issued, options: ServerOptions = {}): Promise<string> {
  const server = createServer(
    { cert: readFileSync(cert), key: readFileSync(key), ...options },
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ halted: false, reason: null, by: null, at: null }));
    },
  );
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  servers.push(server);
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ask = (url: string, flags: readonly string[] = [], env: NodeJS.ProcessEnv = {}) =>
  cli(['halt', '--status', '--server', url, ...flags], { env });

describe.skipIf(!installed('openssl'))('a service with a certificate', () => {
  test('is trusted only if one who is trusted has signed it', async () => {
    const { ca, issue } = authority();
    const url = await serve(issue('service', loopback));
    expect(await ask(url, ['--server-ca', ca])).toMatchObject({ code: 0, stdout: 'Attacks are allowed\n', stderr: '' });
    for (const env of [{}, { NODE_TLS_REJECT_UNAUTHORIZED: '0' }]) {
      const stranger = await ask(url, [], env);
      expect(stranger.code).toBe(1);
      expect(stranger.stderr).toMatch(
        /signed by nobody who is trusted here \[SERVER_UNREACHABLE\]\nHint: .*--server-ca/,
      );
    }
    const other = await ask(url, ['--server-ca', authority().ca]);
    expect(other.stderr).toContain('signed by nobody who is trusted here');
  });

  test('must be the one that was named, and not too old', async () => {
    const { ca, issue } = authority();
    const elsewhere = await ask(await serve(issue('elsewhere', 'DNS:chaos.example')), ['--server-ca', ca]);
    expect(elsewhere.stderr).toContain('its certificate is for another name');
    const old = await ask(await serve(issue('old', loopback, -1)), ['--server-ca', ca]);
    expect(old.stderr).toContain('its certificate has expired');
  });

  test('must speak TLS 1.3', async () => {
    const { ca, issue } = authority();
    const url = await serve(issue('service', loopback), { maxVersion: 'TLSv1.2' });
    const refused = await ask(url, ['--server-ca', ca]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('it does not speak TLS 1.3');
  });

  test('may want one of the client', async () => {
    const { ca, issue } = authority();
    const url = await serve(issue('service', loopback), {
      ca: readFileSync(ca),
      requestCert: true,
      rejectUnauthorized: true,
    });
    const client = issue('client', 'DNS:client');
    const shown = ['--client-cert', client.cert, '--client-key', client.key];
    expect(await ask(url, ['--server-ca', ca, ...shown])).toMatchObject({ code: 0, stderr: '' });
    for (const flags of [[], ['--client-cert', authority().issue('x', 'DNS:x').cert]]) {
      const key = flags.length === 0 ? [] : ['--client-key', client.key];
      const refused = await ask(url, ['--server-ca', ca, ...flags, ...key]);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toMatch(/^Error: .*\nHint: .*--client-cert/);
    }
    const wrong = authority().issue('stranger', 'DNS:stranger');
    const stranger = await ask(url, ['--server-ca', ca, '--client-cert', wrong.cert, '--client-key', wrong.key]);
    expect(stranger).toMatchObject({ code: 1, stderr: expect.stringContaining('[SERVER_UNREACHABLE]') });
  });
});
