import { describe, expect, it } from 'vitest';
import { type BadFile, changed, problemsOf } from './test-support/problems-of.ts';

describe('limits', () => {
  it.each<BadFile>([
    [
      'no blast radius',
      'blastRadius: { targets: 1, duration: 60s }\n',
      '',
      ['1:1: the experiment has no "blastRadius"; add blastRadius: { targets: 1, duration: 60s }'],
    ],
    [
      'half of one',
      'targets: 1, ',
      '',
      ['16:14: blastRadius has no "targets"; add targets: 1, how many may be hit in all'],
    ],
    [
      'a share that may be a ratio',
      'targets: 1',
      'percent: 0.5, targets: 1',
      ['16:25: percent must be a share in percent, not 0.5; write it with its sign, such as 99.9%'],
    ],
    [
      'a share of nothing',
      'targets: 1',
      'percent: 0%, targets: 1',
      ['16:25: percent of 0% allows nothing; write more, or take it away'],
    ],
    [
      'a number that is none',
      'targets: 1',
      'targets: many',
      ['16:25: targets must be a whole number, not the text "many"; write 0 or a number above'],
    ],
    [
      'a list of conditions that is none',
      '- wait: 5s',
      '- wait: 5s\nabort:\n  unless: { servers: { count: 1 } }',
      ['17:3: abort must be a list, not keys with values; write [ { unless: …, for: 2s } ]'],
    ],
    [
      'a condition without one',
      '- wait: 5s',
      '- wait: 5s\nabort: [ { for: 2s } ]',
      ['16:10: the condition has no "unless"; add unless: { probe: { measure: tolerance } }'],
    ],
    [
      'a time in which the probe sees nothing',
      '- wait: 5s',
      '- wait: 5s\nabort:\n  - unless: { servers: { count: 1 } }\n    for: 500ms',
      [
        '18:10: the probe servers looks every 1s only: within 500ms it may see nothing; write "for: 1s" ' +
          'or more, or have it look more often',
      ],
    ],
    [
      'rollbacks that are none',
      '- wait: 5s',
      '- wait: 5s\nrollbacks: [ { recover: x }, [ls] ]',
      [
        '16:14: a rollback has no "run"; add run: [program, argument]',
        '16:16: there is no "recover" in a rollback; there is: run',
        '16:30: a rollback must be keys with values, not a list; write "- run: [program, argument]"',
      ],
    ],
  ])('tell of %s', async (_what, part, other, expected) => {
    expect(await problemsOf(changed(part, other))).toEqual(expected);
  });
});
