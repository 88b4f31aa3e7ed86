import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ServerOptions } from './options.ts';
import { isLoopback, refuseUnsafe } from './safety.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-safety-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function options(given: Partial<ServerOptions>): ServerOptions {
  return {
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
    maxBodyBytes: 1,
    maxRate: 1,
    maxConcurrency: 1,
    maxConnections: 1,
    ...given,
  };
}

function tokenFile(): string {
  const file = join(folder, 'token');
  writeFileSync(file, 'a-token-of-32-characters-0000001');
  chmodSync(file, 0o600);
  return file;
}

test.each([
  ['127.0.0.1', true],
  ['127.255.255.254', true],
  ['::1', true],
  ['0:0:0:0:0:0:0:1', true],
  ['::ffff:127.0.0.1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['128.0.0.1', false],
  ['10.0.0.1', false],
  ['::ffff:10.0.0.1', false],
  ['::2', false],
  ['fe80::1%lo', false],
  ['::1%lo', false],
  ['localhost', false],
  ['', false],
])('%s is loopback: %s', (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['127.9.9.9', '127.9.9.9'],
  ['::1', '::1'],
  ['[::1]', '::1'],
  ['localhost', '127.0.0.1'],
  ['LOCALHOST', '127.0.0.1'],
])('%s needs nothing, and means %s', async (host, address) => {
  expect(await refuseUnsafe(options({ host }), {})).toMatchObject({ address, tls: undefined, warnings: [] });
});

test.each(['0.0.0.0', '::', '[::]', '192.0.2.1', '2001:db8::1', '0', '::ffff:192.0.2.1'])(
  '%s is refused without a token',
  async (host) => {
    await expect(refuseUnsafe(options({ host }), {})).rejects.toMatchObject({
      code: 'SERVER_UNSAFE',
      message: expect.stringContaining('can be reached from other hosts'),
      hint: expect.stringContaining('--token-file'),
    });
  },
);

test.each(['2130706433', '0x7f000001', '127.1'])('%s is what the C library takes it for', async (host) => {
  expect(await refuseUnsafe(options({ host }), {})).toMatchObject({ address: '127.0.0.1' });
});

test('a token is enough, and what it is worth in the clear is told', async () => {
  const safety = await refuseUnsafe(options({ host: '0.0.0.0', tokenFile: tokenFile() }), {});
  expect(safety.address).toBe('0.0.0.0');
  expect(safety.warnings).toEqual([expect.stringContaining('in the clear')]);
  expect((await refuseUnsafe(options({ tokenFile: tokenFile() }), {})).warnings).toEqual([]);
});

test('one for reading alone lets nobody attack, which is told', async () => {
  const safety = await refuseUnsafe(options({ readTokenFile: tokenFile() }), {});
  expect(safety.warnings).toEqual([expect.stringContaining('nobody can attack')]);
});

test('names and nothing', async () => {
  await expect(refuseUnsafe(options({ host: '' }), {})).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
  await expect(refuseUnsafe(options({ host: 'x'.repeat(300) }), {})).rejects.toMatchObject({
    code: 'ADDRESS_UNUSABLE',
  });
  expect((await refuseUnsafe(options({ host: 'LocalHost' }), {})).names).toEqual(['localhost']);
});

test('no token stays in the environment of a service that is refused', async () => {
  const env = { FAULTLINE_SERVER_TOKEN: 'a-token-of-32-characters-0000001' };
  await expect(refuseUnsafe(options({ host: '0.0.0.0', certFile: '/nowhere' }), env)).rejects.toMatchObject({
    code: 'ARGUMENT_INVALID',
  });
  expect(env).toEqual({});
});

test.each([
  [{ certFile: '/c' }, /a certificate without its key/],
  [{ keyFile: '/k' }, /a key without its certificate/],
  [{ caFile: '/ca' }, /no certificate of the service/],
  [{ certFile: '/c', caFile: '/ca' }, /a certificate without its key/],
  [{ certFile: '/nowhere/c', keyFile: '/nowhere/k' }, /the certificate cannot be read: ENOENT/],
])('%j', async (files, words) => {
  await expect(refuseUnsafe(options(files), {})).rejects.toMatchObject({
    code: 'ARGUMENT_INVALID',
    message: expect.stringMatching(words),
  });
});
