import { describe, expect, it } from 'vitest';
import { type BadFile, changed, problemsOf } from './test-support/problems-of.ts';

describe('what probes look at', () => {
  it.each<BadFile>([
    [
      'an address without http',
      'url: "http://127.0.0.1:8080/"',
      'url: "127.0.0.1:8080"',
      ['6:20: url must be a URL of http or https, not the text "127.0.0.1:8080"; such as "http://127.0.0.1:8080/path"'],
    ],
    [
      'a password in the address',
      'http://127',
      'http://me:secret@127',
      ['6:20: url has a password in it, which reports would show; send it as a header'],
    ],
    [
      'no address',
      'url: "http://127.0.0.1:8080/", ',
      '',
      ['6:13: http has no "url"; add url: "http://127.0.0.1:8080/"'],
    ],
    [
      'a rate without its unit',
      'rate: 100/s',
      'rate: 100',
      ['6:52: rate must be a number a second, not 100; write it with its unit, such as 100/s or 6/m'],
    ],
    [
      'a rate of nothing',
      'rate: 100/s',
      'rate: 0/s',
      ['6:52: rate must be above zero, and at most 5000/s; such as 100/s'],
    ],
    [
      'a rate that is an attack of its own',
      'rate: 100/s',
      'rate: 100000/s',
      ['6:52: rate must be above zero, and at most 5000/s; such as 100/s'],
    ],
    [
      'several values that cannot be',
      'rate: 100/s',
      'timeout: 5, success: 2xx, method: "GE T", headers: { "a b": c, x: [1] }, body: 5',
      [
        '6:55: timeout has no unit: 5; write 5s or 5ms',
        '6:67: success must be HTTP statuses, not the text "2xx"; such as 200-299 or [200, 404]',
        '6:80: method cannot be the text "GE T"; such as GET, POST, PUT or DELETE',
        '6:99: "a b" cannot be a header; letters, digits and dashes',
        '6:112: the header x must be a text of one line; put it in quotation marks',
        '6:125: body must be a text, not 5; put it in quotation marks: "5"',
      ],
    ],
    [
      'a line for a shell',
      'process: api\n      expect: { count: 2 }',
      'command: ls -l /\n      expect: { exitCode: 0 }',
      ['9:16: command must be a list: no shell reads it; write [ls, -l, /]'],
    ],
    [
      'an empty list',
      'process: api\n      expect: { count: 2 }',
      'command: []\n      expect: { exitCode: 0 }',
      ['9:16: command names no program; write [program, argument]'],
    ],
    [
      'a port alone',
      'process: api\n      expect: { count: 2 }',
      'tcp: 5432\n      expect: { success: 100% }',
      ['9:12: tcp must be a host with a port, not 5432; such as "127.0.0.1:5432" or "[::1]:5432"'],
    ],
    [
      'a port that cannot be',
      'process: api\n      expect: { count: 2 }',
      'tcp: db:99999\n      expect: { success: 100% }',
      ['9:12: tcp must be a host with a port, not the text "db:99999"; such as "127.0.0.1:5432" or "[::1]:5432"'],
    ],
    [
      'what has no short form',
      'process: api\n      expect: { count: 2 }',
      'log: /var/log/x\n      expect: { lines: 0 }',
      [
        `9:12: log must be keys with values, not the text "/var/log/x"; write { path: ` +
          `/var/log/nginx/error.log, pattern: 'upstream' }`,
      ],
    ],
    [
      'a log without a pattern, and one that is no regex',
      'process: api\n      expect: { count: 2 }',
      'log: { path: /x }\n      expect: { lines: 0 }\n    other:\n      log: { path: /x, pattern: "[" ' +
        '}\n      expect: { lines: 0 }',
      [
        `9:12: log has no "pattern"; add pattern: 'a regex'`,
        '12:33: pattern is no regex: Unterminated character class; write one of JavaScript, with the flag u',
      ],
    ],
    [
      'a time that no timer holds',
      'process: api\n',
      'process: { name: api, every: 30d }\n',
      ['9:36: every is too long: 30d; write 24d or less'],
    ],
    [
      'looks that leave no time',
      'process: api\n',
      'process: { name: api, every: 1ms }\n',
      ['9:36: every is too short: 1ms; write 10ms or more'],
    ],
    [
      'an unknown key',
      'process: api\n',
      'process: { name: api, evry: 1s }\n',
      ['9:29: there is no "evry" in process; did you mean every?'],
    ],
    [
      'a query without a server',
      'process: api\n      expect: { count: 2 }',
      'prometheus: { query: up }\n      expect: { value: 1 }',
      [`9:19: prometheus has no "url"; add url: 'http://127.0.0.1:9090'`],
    ],
  ])('tell of %s', async (_what, part, other, expected) => {
    expect(await problemsOf(changed(part, other))).toEqual(expected);
  });
});
