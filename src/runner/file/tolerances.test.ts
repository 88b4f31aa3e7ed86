import { describe, expect, it } from 'vitest';
import { type BadFile, changed, problemsOf } from './test-support/problems-of.ts';

describe('what measures are compared with', () => {
  it.each<BadFile>([
    [
      'a share without its sign',
      'success: { atLeast: 99% }',
      'success: { atLeast: 99 }',
      ['7:37: atLeast must be a share in percent, not 99; write it with its sign, such as 99.9%'],
    ],
    [
      'more than all',
      'success: { atLeast: 99% }',
      'success: { atLeast: 199% }',
      ['7:37: atLeast is more than all: 199%; write 100% or less'],
    ],
    [
      'a share that nothing is exactly',
      'success: { atLeast: 99% }',
      'success: 99%',
      ['7:26: success is hardly ever 99% exactly; write { atLeast: 99% }'],
    ],
    [
      'a time that nothing takes exactly',
      'success: { atLeast: 99% }',
      'p99: 250ms',
      ['7:22: p99 is hardly ever 250ms exactly; write { atMost: 250ms }'],
    ],
    [
      'a rate that nothing has exactly',
      'success: { atLeast: 99% }',
      'rate: 100/s',
      ['7:23: rate is hardly ever 100/s exactly; write { atLeast: 100/s }'],
    ],
    [
      'a time without its unit',
      'success: { atLeast: 99% }',
      'p99: { atMost: 250 }',
      ['7:32: atMost has no unit: 250; write 250s or 250ms'],
    ],
    [
      'a share where a time is wanted',
      'success: { atLeast: 99% }',
      'p99: { atMost: 50% }',
      ['7:32: atMost "50%" is not a duration; write a number with its unit, such as 500ms, 30s, 1m30s or 2h'],
    ],
    [
      'a regex for a number',
      'success: { atLeast: 99% }',
      'p99: { matches: fast }',
      [
        '7:24: p99 is a number, to which "matches" does not apply; write { atLeast: 10ms }, { atMost: ' +
          '250ms } or { between: [10ms, 250ms] }',
      ],
    ],
    [
      'a range for a text',
      'success: { atLeast: 99% }',
      'body: { atLeast: 3 }',
      [
        `7:25: body is a text, to which "atLeast" does not apply; write { matches: 'a regex' }, or { ` +
          `jsonpath: '$', atLeast: 3 } for a number in it`,
      ],
    ],
    [
      'no regex',
      'success: { atLeast: 99% }',
      "body: { matches: '(' }",
      ['7:34: matches is no regex: Unterminated group; write one of JavaScript, with the flag u'],
    ],
    [
      'no JSONPath',
      'success: { atLeast: 99% }',
      "body: { jsonpath: '$.[', equals: 1 }",
      [
        `7:35: "$.[" is no JSONPath: unexpected shorthand selector '[' ('$.[':2); write a query of RFC ` +
          `9535, such as '$.status' or '$.items[0].name'`,
      ],
    ],
    [
      'a query of which nothing is expected',
      'success: { atLeast: 99% }',
      "body: { jsonpath: '$.a' }",
      ['7:23: body says nothing of what the query must find; add equals, atLeast, atMost, between or matches'],
    ],
    [
      'a query in a query',
      'success: { atLeast: 99% }',
      "body: { jsonpath: '$.a', matches: x, equals: 2 }",
      ['7:23: body must be several things at once: matches, equals; keep one of them'],
    ],
    [
      'a range upside down',
      'success: { atLeast: 99% }',
      'status: { between: [300, 200] }',
      ['7:25: status can never be that: the lower end is above the upper one; swap them'],
    ],
    [
      'a range with one end',
      'success: { atLeast: 99% }',
      'status: { between: [300] }',
      ['7:36: between must be a list of two values; write [1, 2]'],
    ],
    [
      'a range and one of its ends',
      'success: { atLeast: 99% }',
      'status: { between: [200, 300], atMost: 299 }',
      ['7:25: status has both "between" and one of its ends; write { between: [a, b] } alone'],
    ],
    [
      'a text where a number is wanted',
      'success: { atLeast: 99% }',
      'status: ok',
      ['7:25: status must be a number, not the text "ok"; write a number, without a unit'],
    ],
    [
      'no tolerance',
      'success: { atLeast: 99% }',
      'status: {}',
      ['7:25: status has no tolerance; write { atLeast: 1 }, { atMost: 2 } or { between: [1, 2] }'],
    ],
    [
      'nothing',
      'success: { atLeast: 99% }',
      'status:',
      ['7:25: status has no tolerance; write { atLeast: 1 }, { atMost: 2 } or { between: [1, 2] }'],
    ],
    [
      'an unknown word',
      'success: { atLeast: 99% }',
      'status: { atleast: 3 }',
      ['7:27: there is no "atleast" in the tolerance of status; did you mean atLeast?'],
    ],
    [
      'what is neither true nor false',
      'process: api\n      expect: { count: 2 }',
      'file: /x\n      expect: { exists: yes }',
      ['10:25: exists must be true or false, not the text "yes"; write true or false'],
    ],
    [
      'a range of what is true or false',
      'process: api\n      expect: { count: 2 }',
      'file: /x\n      expect: { exists: { atLeast: 1 } }',
      ['10:27: exists is true or false, to which "atLeast" does not apply; write true or false'],
    ],
    [
      'bytes with another unit',
      'process: api\n      expect: { count: 2 }',
      'file: /x\n      expect: { size: { atMost: 10s } }',
      ['10:33: atMost must be a number of bytes, not the text "10s"; such as 4096, 4K, 10MiB or 10MB'],
    ],
    [
      'a list for a text',
      'success: { atLeast: 99% }',
      'body: [a]',
      [
        "7:23: body must be a text, not a list; write a text, { matches: 'a regex' } or { jsonpath: " +
          "'$.status', equals: up }",
      ],
    ],
  ])('tell of %s', async (_what, part, other, expected) => {
    expect(await problemsOf(changed(part, other))).toEqual(expected);
  });
});
