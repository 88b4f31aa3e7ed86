import { describe, expect, it } from 'vitest';
import { type BadFile, changed, problemsOf } from './test-support/problems-of.ts';

describe('what is expected of probes', () => {
  it.each<BadFile>([
    [
      'an unknown measure',
      'success: { atLeast: 99% }',
      'sucess: { atLeast: 99% }',
      ['7:17: a probe of the kind http has no measure "sucess"; did you mean success?'],
    ],
    [
      'a measure of another kind of probe',
      '{ count: 2 }',
      '{ p99: { atMost: 1s } }',
      ['10:17: a probe of the kind process has no measure "p99"; there is: count, age'],
    ],
    [
      'what every object inherits',
      'success: { atLeast: 99% }',
      'toString: 1',
      [
        '7:17: a probe of the kind http has no measure "toString"; there is: success, failures, p50, ' +
          'p95, p99, max, rate, status, body',
      ],
    ],
    [
      'nothing expected',
      '- wait: 5s',
      '- assert: { answers: {} }',
      ['15:24: answers expects nothing; name one of: success, failures, p50, p95, p99, max, rate, status, body'],
    ],
    [
      'an unknown probe',
      '- wait: 5s',
      '- assert: { answer: { success: 100% } }',
      ['15:15: there is no probe "answer"; did you mean answers?'],
    ],
    ['no probe', '- wait: 5s', '- assert: {}', ['15:13: assert names no probe; there is: answers, servers']],
    [
      'no map',
      '- wait: 5s',
      '- assert: answers',
      ['15:13: assert must be keys with values, not the text "answers"; write { probe: { measure: tolerance } }'],
    ],
    [
      'a probe of which nothing is expected',
      '\n      expect: { count: 2 }',
      '',
      ['9:7: nothing is expected of the probe servers; add "expect:", or take the probe away'],
    ],
  ])('tell of %s', async (_what, part, other, expected) => {
    expect(await problemsOf(changed(part, other))).toEqual(expected);
  });
});
