import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hasTokens, readTokens, roleOfToken } from './token.ts';

const attack = 'attack-token-of-32-characters-01';
const read = 'read-token-of-32-characters-0001';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-token-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, content: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

const files = (tokenFile?: string, readTokenFile?: string) => ({ tokenFile, readTokenFile });

test('none, from files, and from the environment, which forgets them', () => {
  expect(hasTokens(readTokens(files(), {}))).toBe(false);
  const fromFiles = readTokens(files(file('a', `${attack}\n`), file('r', read)), {});
  const env = { FAULTLINE_SERVER_TOKEN: attack, FAULTLINE_SERVER_READ_TOKEN: read, OTHER: 'stays' };
  const fromEnvironment = readTokens(files(), env);
  expect(env).toEqual({ OTHER: 'stays' });
  expect(fromEnvironment).toEqual(fromFiles);
  expect(JSON.stringify(fromFiles)).not.toContain(attack);
});

test('the environment forgets a token even when the options are refused', () => {
  const env = { FAULTLINE_SERVER_TOKEN: 'short' };
  expect(() => readTokens(files(), env)).toThrow(expect.objectContaining({ code: 'SERVER_UNSAFE' }));
  expect(env).toEqual({});
});

test.each([
  ['nothing', '', 'is empty'],
  ['a newline', '\n', 'is empty'],
  ['15 characters', 'x'.repeat(15), 'is shorter than 16'],
  ['too many', 'x'.repeat(5_000), 'is longer than'],
  ['a space', `${attack} ${read}`, 'no token may have'],
  ['two lines', `${attack}\n${read}\n`, 'no token may have'],
  ['a control character', `${attack}\u0007`, 'no token may have'],
  ['a letter of no ASCII', `${attack}ü`, 'no token may have'],
])('a file with %s is refused, and not told', (_, content, sentence) => {
  const path = file('token', content);
  expect(() => readTokens(files(path), {})).toThrow(
    expect.objectContaining({ code: 'SERVER_UNSAFE', message: expect.stringContaining(sentence) }),
  );
});

test('16 characters are enough, and lines may end as elsewhere', () => {
  expect(readTokens(files(file('a', 'x'.repeat(16))), {})).toEqual(
    readTokens(files(file('b', `${'x'.repeat(16)}\r\n`)), {}),
  );
});

test.each([0o640, 0o604, 0o620, 0o602, 0o777])('mode %o is refused', (mode) => {
  expect(() => readTokens(files(file('token', attack, mode)), {})).toThrow(
    expect.objectContaining({ code: 'SERVER_UNSAFE', hint: expect.stringContaining('chmod 600') }),
  );
});

test('a credential of systemd may show a group, but never others', () => {
  const env = { CREDENTIALS_DIRECTORY: folder };
  expect(hasTokens(readTokens(files(file('token', attack, 0o440)), env))).toBe(true);
  expect(() => readTokens(files(file('other', attack, 0o444)), env)).toThrow(/can be read by other users/);
});

test('what is not there, and what is no file', () => {
  const invalid = expect.objectContaining({ code: 'ARGUMENT_INVALID' });
  expect(() => readTokens(files(join(folder, 'missing')), {})).toThrow(invalid);
  expect(() => readTokens(files(folder), {})).toThrow(invalid);
  expect(() => readTokens(files('/dev/zero'), {})).toThrow(invalid);
});

test('two tokens for one role, or one token for two', () => {
  const path = file('token', attack);
  expect(() => readTokens(files(path), { FAULTLINE_SERVER_TOKEN: read })).toThrow(/there are two tokens/);
  expect(() => readTokens(files(path, path), {})).toThrow(expect.objectContaining({ code: 'SERVER_UNSAFE' }));
});

test.each([
  [`Bearer ${attack}`, 'attack'],
  [`bearer ${attack}`, 'attack'],
  [`BEARER   ${attack} `, 'attack'],
  [`Bearer ${read}`, 'read'],
  [undefined, 'UNAUTHENTICATED'],
  ['', 'UNAUTHENTICATED'],
  ['Bearer', 'UNAUTHENTICATED'],
  ['Bearer ', 'UNAUTHENTICATED'],
  [attack, 'UNAUTHENTICATED'],
  [`Basic ${attack}`, 'UNAUTHENTICATED'],
  [`Bearer ${attack.slice(0, -1)}`, 'UNAUTHENTICATED'],
  [`Bearer ${attack}x`, 'UNAUTHENTICATED'],
  [`Bearer ${attack} ${read}`, 'UNAUTHENTICATED'],
  [`Bearer ${attack.toUpperCase()}`, 'UNAUTHENTICATED'],
  [`Bearer ${'x'.repeat(10_000)}`, 'UNAUTHENTICATED'],
])('%s: %s', (header, expected) => {
  const tokens = readTokens(files(), { FAULTLINE_SERVER_TOKEN: attack, FAULTLINE_SERVER_READ_TOKEN: read });
  const role = (): string => {
    try {
      return roleOfToken(tokens, header);
    } catch (error) {
      expect(String(error)).not.toContain(attack.slice(0, 10));
      return (error as { code: string }).code;
    }
  };
  expect(role()).toBe(expected);
});

test('where only one token is known, nothing else is let in', () => {
  const tokens = readTokens(files(), { FAULTLINE_SERVER_READ_TOKEN: read });
  expect(roleOfToken(tokens, `Bearer ${read}`)).toBe('read');
  expect(() => roleOfToken(tokens, 'Bearer undefined')).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
});
