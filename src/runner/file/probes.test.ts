import { describe, expect, it } from 'vitest';
import { type BadFile, changed, problemsOf } from './test-support/problems-of.ts';

describe('probes', () => {
  it.each<BadFile>([
    [
      'a mistyped kind',
      'process: api\n',
      'proces: api\n',
      ['9:7: there is no "proces" in the probe servers; did you mean process?'],
    ],
    [
      'no kind',
      'process: api\n',
      '',
      [
        '9:13: the probe servers says nothing of what it is; name one of: http, tcp, command, process, ' +
          'log, prometheus, file',
      ],
    ],
    [
      'two kinds',
      'process: api\n',
      'process: api\n      tcp: "a:1"\n',
      ['10:7: the probe servers is several things at once: process, tcp; one of them only'],
    ],
    [
      'a kind without a value',
      'process: api\n',
      'process:\n',
      ['9:7: "process" has no value; give it one, or take the line away'],
    ],
    [
      'a name with a blank',
      'servers:',
      'the servers:',
      ['8:5: "the servers" cannot be the name of a probe; letters, digits, - and _'],
    ],
    [
      'a name that stands there twice',
      'servers:',
      'answers:',
      ['8:5: "answers" stands in line 5 already; keep one of them'],
    ],
    [
      'a window in which nothing is seen',
      'expect: { count: 2 }',
      'expect: { count: 2 }\n      window: 100ms',
      ['11:15: the window is over before the probe has looked once; write 1s or more'],
    ],
    [
      'no map',
      'steadyState:\n',
      'steadyState:\n  before: 1s\nx:\n',
      [
        '4:3: steadyState has no "probes"; add probes: what is measured, each with a name',
        '5:1: there is no "x" in an experiment; there is: experiment, description, hypothesis, ' +
          'steadyState, method, blastRadius, abort, rollbacks',
      ],
    ],
  ])('tell of %s', async (_what, part, other, expected) => {
    expect(await problemsOf(changed(part, other))).toEqual(expected);
  });
});
