import { describe, expect, it } from 'vitest';
import { type BadFile, changed, problemsOf } from './test-support/problems-of.ts';

describe('parts that do not fit each other', () => {
  it.each<BadFile>([
    [
      'waits as long as all may take',
      'duration: 60s',
      'duration: 5s',
      [
        '16:38: the waits of the method alone take 5 s, but blastRadius.duration is 5 s; allow more ' +
          'than that, or wait less',
      ],
    ],
    [
      'waits in branches that are longer',
      '- wait: 5s',
      '- parallel: [ [{wait: 20s}, {wait: 41s}], [{wait: 1s}] ]',
      [
        '16:38: the waits of the method alone take 1m1s, but blastRadius.duration is 1m; allow more ' +
          'than that, or wait less',
      ],
    ],
    [
      'no targets for an attack',
      'targets: 1',
      'targets: 0',
      ['16:25: blastRadius.targets is 0, but the method has 1 attack; write how many targets may be hit in all'],
    ],
    [
      'more attacks than targets',
      '  - wait: 5s',
      '  - parallel: [ [{ attack: process stop, with: { process: api } }] ]',
      ['16:25: blastRadius.targets is 1, but the method has 2 attacks; write how many targets may be hit in all'],
    ],
    [
      'an attack that lasts longer',
      'mode: one',
      'duration: 2m',
      [
        '14:37: the attack lasts 2m, but blastRadius.duration is 1m; attack for a shorter time, or ' +
          'allow more; all is undone after the method',
      ],
    ],
    [
      'a process that is not allowed',
      'duration: 60s }',
      'duration: 60s, processes: [nginx] }',
      [
        '14:22: the attack means api, but blastRadius.processes allows nginx; add api to ' +
          'blastRadius.processes, or attack another',
      ],
    ],
    [
      'no steady state',
      'expect: { success: { atLeast: 99% } }\n    servers:\n      process: api\n      expect',
      'during: { success: { atLeast: 99% } }\n    servers:\n      process: api\n      during',
      ['5:5: no probe expects anything before the method; a steady state needs an "expect:"'],
    ],
    [
      'a steady state that is too short for a probe',
      'process: api\n',
      'process: { name: api, every: 4s }\n',
      [
        '9:7: the probe servers looks every 4s only: "before: 3s" may be over before it has looked once; write ' +
          '"before: 4s" and "after: 4s" or more, or have it look more often',
      ],
    ],
    [
      'an end that is too short for one',
      'steadyState:\n',
      'steadyState:\n  after: 500ms\n',
      [
        '10:7: the probe servers looks every 1s only: "after: 500ms" may be over before it has looked once; write ' +
          '"before: 1s" and "after: 1s" or more, or have it look more often',
      ],
    ],
  ])('tell of %s', async (_what, part, other, expected) => {
    expect(await problemsOf(changed(part, other))).toEqual(expected);
  });

  it('do not tell of a probe that looks once in a phase, or of which nothing is expected then', async () => {
    expect(await problemsOf(changed('process: api\n', 'process: { name: api, every: 3s }\n'))).toEqual([]);
    const meanwhile = 'process: { name: api, every: 1m }\n      during: { count: 2 }';
    expect(await problemsOf(changed('process: api\n      expect: { count: 2 }', meanwhile))).toEqual([]);
  });
});
