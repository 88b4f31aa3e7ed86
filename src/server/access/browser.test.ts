import { expect, test } from 'vitest';
import { refuseForeignNames, refuseForeignPages } from './browser.ts';

function verdict(check: () => void): string {
  try {
    check();
    return 'answered';
  } catch (error) {
    expect(error).toMatchObject({ code: 'FORBIDDEN' });
    return 'refused';
  }
}

const host = '127.0.0.1:31767';

test.each([
  ['a program', { host }, 'answered'],
  ['our own page', { host, origin: 'http://127.0.0.1:31767', 'sec-fetch-site': 'same-origin' }, 'answered'],
  ['an address typed in', { host, 'sec-fetch-site': 'none' }, 'answered'],
  ['names are the same in capitals', { host: 'LocalHost:1', origin: 'http://localhost:1' }, 'answered'],
  ['another page', { host, origin: 'https://evil.example' }, 'refused'],
  ['a page of another port', { host, origin: 'http://127.0.0.1:3000' }, 'refused'],
  ['a page without a port', { host, origin: 'http://127.0.0.1' }, 'refused'],
  ['our page over TLS, which we do not speak', { host, origin: 'https://127.0.0.1:31767' }, 'refused'],
  ['a page of a file or a sandbox', { host, origin: 'null' }, 'refused'],
  ['an empty origin', { host, origin: '' }, 'refused'],
  ['two origins', { host, origin: ['http://127.0.0.1:31767', 'https://evil.example'] }, 'refused'],
  ['an image of another page', { host, 'sec-fetch-site': 'cross-site' }, 'refused'],
  ['an image of a page of another port', { host, 'sec-fetch-site': 'same-site' }, 'refused'],
  ['a value that nobody knows yet', { host, 'sec-fetch-site': 'near-site' }, 'refused'],
  ['an origin and no host', { origin: 'http://127.0.0.1' }, 'refused'],
])('%s: %j is %s', (_, headers, expected) => {
  expect(verdict(() => refuseForeignPages(headers, false))).toBe(expected);
});

test('over TLS our own page is one of https', () => {
  expect(verdict(() => refuseForeignPages({ host, origin: `https://${host}` }, true))).toBe('answered');
  expect(verdict(() => refuseForeignPages({ host, origin: `http://${host}` }, true))).toBe('refused');
});

test.each([
  ['127.0.0.1', 'answered'],
  ['127.0.0.1:31767', 'answered'],
  ['[::1]:31767', 'answered'],
  ['[::1]', 'answered'],
  ['localhost', 'answered'],
  ['LOCALHOST:80', 'answered'],
  ['chaos.internal:31767', 'answered'],
  ['evil.example', 'refused'],
  ['evil.example:31767', 'refused'],
  ['127.0.0.1.evil.example', 'refused'],
  ['localhost.evil.example', 'refused'],
  ['localhost.', 'refused'],
  ['user@localhost', 'refused'],
  ['localhost:1:2', 'refused'],
  ['[evil.example]', 'refused'],
  ['::1', 'refused'],
  ['2130706433', 'refused'],
  ['', 'refused'],
  [undefined, 'answered'],
])('Host %s is %s', (name, expected) => {
  expect(verdict(() => refuseForeignNames({ host: name }, ['chaos.internal']))).toBe(expected);
});
