import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FaultlineError } from '../../base/error.ts';
import type { ConnectionFlags } from '../connection-options.ts';
import { connectionFlags, serverNamed } from '../connection-options.ts';
import { connectionTo } from './connection.ts';

const none: ConnectionFlags = connectionFlags({});
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'faultline-connection-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, text: string, mode = 0o600): string {
  const place = path.join(folder, name);
  writeFileSync(place, text);
  chmodSync(place, mode);
  return place;
}

function refusal(act: () => unknown): FaultlineError {
  try {
    act();
  } catch (error) {
    if (error instanceof FaultlineError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('the address', () => {
  test.each([
    ['http://127.0.0.1:31767', 'http://127.0.0.1:31767'],
    ['http://127.0.0.1:31767/', 'http://127.0.0.1:31767'],
    ['https://chaos.example/faultline//', 'https://chaos.example/faultline'],
    ['HTTP://LocalHost:80/', 'http://localhost'],
    ['https://[::1]:31768', 'https://[::1]:31768'],
  ])('%s → %s', (given, url) => {
    expect(connectionTo(given, none, {}).url).toBe(url);
  });

  test.each([
    '127.0.0.1:31767',
    'localhost:31767',
    'chaos.example',
    'ftp://chaos.example',
    'file:///etc/passwd',
    'http://',
    'http://a b',
    'http://chaos.example\n',
    'http://chaos.example/?token=abc',
    'http://chaos.example/#there',
  ])('%j is refused, with an example', (given) => {
    const error = refusal(() => connectionTo(given, none, {}));
    expect(error.code).toBe('ARGUMENT_INVALID');
    expect(error.hint).toContain('http://127.0.0.1:31767');
    expect(error.message).not.toMatch(/\p{Cc}/u);
  });

  test('a password in it is refused, and not repeated', () => {
    const error = refusal(() => connectionTo('https://me:s3cret@chaos.example', none, {}));
    expect(error.code).toBe('ARGUMENT_INVALID');
    expect(`${error.message} ${error.hint ?? ''}`).not.toMatch(/s3cret|me:/);
  });

  test('the flag goes before the environment, and an empty flag turns that off', () => {
    const env = { FAULTLINE_SERVER: 'http://from.env' };
    expect(serverNamed(none, {})).toBeUndefined();
    expect(serverNamed(none, { FAULTLINE_SERVER: '' })).toBeUndefined();
    expect(serverNamed(none, env)).toBe('http://from.env');
    expect(serverNamed({ ...none, server: 'http://from.flag' }, env)).toBe('http://from.flag');
    expect(serverNamed({ ...none, server: '' }, env)).toBeUndefined();
  });
});

describe('the token', () => {
  const url = 'http://127.0.0.1:31767';

  test('from the file, else the environment, else none', () => {
    const named = file('named', 'from-flag\n');
    const ambient = file('ambient', 'from-file\r\n');
    const env = { FAULTLINE_TOKEN: 'from-env', FAULTLINE_TOKEN_FILE: ambient };
    expect(connectionTo(url, { ...none, tokenFile: named }, env).token).toBe('from-flag');
    expect(connectionTo(url, none, env).token).toBe('from-env');
    expect(connectionTo(url, none, { ...env, FAULTLINE_TOKEN: '' }).token).toBe('from-file');
    expect(connectionTo(url, none, {}).token).toBeUndefined();
    expect(connectionTo(url, none, { FAULTLINE_TOKEN_FILE: '' }).token).toBeUndefined();
  });

  test.each([0o640, 0o604, 0o660, 0o644, 0o620, 0o601])('a file of mode %o is refused, with the remedy', (mode) => {
    const tokenFile = file('token', 'abc\n', mode);
    const error = refusal(() => connectionTo(url, { ...none, tokenFile }, {}));
    expect(error.code).toBe('SERVER_UNSAFE');
    expect(error.hint).toContain(`chmod 600 ${tokenFile}`);
    expect(error.message).not.toContain('abc');
  });

  test.each([
    '',
    '\n',
    ' \n',
    'abc\n\n',
    'a\nb',
    'a\tb',
    ' abc',
    'abc ',
    'a\u0000b',
    'abc\u0007',
    'ä',
    'x'.repeat(2 ** 21),
  ])('of %j is refused, and not repeated', (text) => {
    const error = refusal(() => connectionTo(url, { ...none, tokenFile: file('token', text) }, {}));
    expect(error.code).toBe('ARGUMENT_INVALID');
    expect(error.message).not.toMatch(/abc|ä|xxx/);
  });

  test('of the environment is looked at, too', () => {
    expect(refusal(() => connectionTo(url, none, { FAULTLINE_TOKEN: 'a\nb' })).code).toBe('ARGUMENT_INVALID');
  });

  test('a file that is not there is told by name', () => {
    const tokenFile = path.join(folder, 'nothing');
    expect(refusal(() => connectionTo(url, { ...none, tokenFile }, {})).message).toContain(
      `${tokenFile} cannot be read`,
    );
    expect(refusal(() => connectionTo(url, { ...none, tokenFile: folder }, {})).code).toBe('ARGUMENT_INVALID');
    expect(refusal(() => connectionTo(url, { ...none, tokenFile: '/dev/zero' }, {})).code).toBe('SERVER_UNSAFE');
  });

  test.each([
    'http://localhost:31767',
    'http://127.9.8.7',
    'http://127.1',
    'http://[::1]:31767',
    'http://[::ffff:127.0.0.1]',
    'https://chaos.example',
    'https://10.0.0.5:31768',
  ])('may go to %s', (server) => {
    expect(connectionTo(server, none, { FAULTLINE_TOKEN: 'abc' }).token).toBe('abc');
  });

  test.each([
    'http://10.0.0.5:31767',
    'http://chaos.example',
    'http://localhost.example',
    'http://127.0.0.1.example',
    'http://0.0.0.0:31767',
    'http://[::]:31767',
    'http://[fe80::1]',
    'http://128.0.0.1',
  ])('may not go to %s; without it that is allowed', (server) => {
    const error = refusal(() => connectionTo(server, none, { FAULTLINE_TOKEN: 'abc' }));
    expect(error.code).toBe('SERVER_UNSAFE');
    expect(error.hint).toContain('https://');
    expect(error.message).not.toContain('abc');
    expect(connectionTo(server, none, {}).token).toBeUndefined();
  });
});

describe('certificates', () => {
  const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
  const key = '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n';

  test('are read from their files', () => {
    const flags = {
      ...none,
      serverCa: file('ca', pem, 0o644),
      clientCert: file('cert', pem, 0o644),
      clientKey: file('key', key),
    };
    expect(connectionTo('https://chaos.example', flags, {}).tls).toEqual({ ca: pem, cert: pem, key });
  });

  test('mean nothing to plain HTTP, and go together', () => {
    const serverCa = file('ca', pem);
    expect(refusal(() => connectionTo('http://127.0.0.1', { ...none, serverCa }, {})).message).toContain('http://');
    const alone = refusal(() => connectionTo('https://h', { ...none, clientCert: file('cert', pem) }, {}));
    expect(alone.message).toContain('go together');
    expect(refusal(() => connectionTo('https://h', { ...none, clientKey: file('key', key) }, {})).message).toContain(
      'go together',
    );
  });

  test('a file with something else in it is refused', () => {
    const text = file('text', 'nothing of the kind\n');
    const clientCert = file('cert', pem);
    const refused = [
      { ...none, serverCa: text },
      { ...none, clientCert: text, clientKey: file('key', key) },
      { ...none, clientCert, clientKey: text },
      { ...none, serverCa: '/nowhere/ca' },
    ].map((flags) => refusal(() => connectionTo('https://h', flags, {})).code);
    expect(new Set(refused)).toEqual(new Set(['ARGUMENT_INVALID']));
  });
});
