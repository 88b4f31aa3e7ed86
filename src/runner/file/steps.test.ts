import { describe, expect, it } from 'vitest';
import { type BadFile, changed, problemsOf } from './test-support/problems-of.ts';

describe('steps', () => {
  it.each<BadFile>([
    [
      'an unknown attack',
      'process kill',
      'process kil',
      ['12:13: there is no attack "process kil"; did you mean process kill?'],
    ],
    [
      'no fault',
      'process kill',
      'kill',
      [
        '12:13: there is no attack "kill"; there is: process kill, process stop, process oom, io ' +
          'latency, io fault, io attr-override, io mistake, io rules, kernel fail, noop hold',
      ],
    ],
    [
      'an unknown option, and a uid',
      'mode: one',
      'mdoe: one, uid: x',
      [
        '14:27: process kill has no option "mdoe"; did you mean mode?',
        '14:38: the run gives its injections their uids; take it away; name is for people',
      ],
    ],
    [
      'an option of the body that says what the step says',
      'mode: one',
      'kind: io',
      [
        '14:27: process kill has no option "kind"; there is: process, cmdline, user, cgroup, newest, ' +
          'oldest, exclude, children, mode, value, seed, signal, grace, interval, observe, wait, ' +
          'recoverCmd, recoverTimeout, duration, maxTargets, maxPercent, allowOverlap, allowProtected',
      ],
    ],
    [
      'a value that an option does not take',
      'mode: one',
      'mode: on',
      ['14:33: mode is not valid: on; it is one of: one, all, fixed, fixed-percent, random-max-percent'],
    ],
    [
      'a value that the fault refuses',
      'mode: one',
      'signal: KILLL',
      [
        '14:35: "KILLL" is not a signal; use a number from 1 to 64, RTMIN, RTMIN+1 … RTMAX, or one of: ' +
          'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP ' +
          'TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS',
      ],
    ],
    [
      'a value that every attack refuses',
      'mode: one',
      'maxTargets: none',
      ['14:39: maxTargets is not valid: none; it is a whole number from 1 on'],
    ],
    [
      'a duration that is none',
      'mode: one',
      'duration: 5 minutes',
      ['14:37: duration "5 minutes" is not a duration; write a number with its unit, such as 500ms, 30s, 1m30s or 2h'],
    ],
    [
      'options that contradict each other',
      'mode: one',
      'grace: 1s, signal: KILL',
      [
        '14:34: grace with SIGKILL means nothing: it leaves no time; leave signal out (SIGTERM is sent ' +
          'first), or name a gentler one',
      ],
    ],
    [
      'no options',
      ', mode: one }',
      ', mode: one }\n    when: now',
      ['15:5: there is no "when" in a step that attacks; there is: attack, name, with'],
    ],
    [
      'a rule in a list that is wrong',
      'process kill\n    name: kill one\n    with: { process: api, mode: one }',
      'io rules\n    with: { volume: /data, rules: [ { latncy: 1s } ] }',
      ['13:37: rule 1 of the list: the rule has no type; there is: latency, fault, attr-override, mistake'],
    ],
    ['a wait without its unit', '- wait: 5s', '- wait: 5', ['15:11: wait has no unit: 5; write 5s or 5ms']],
    ['a mistyped step', '- wait: 5s', '- wiat: 5s', ['15:5: there is no step "wiat"; did you mean wait?']],
    [
      'two steps in one',
      '- wait: 5s',
      '- wait: 5s\n    run: [ls]',
      ['16:5: a step is several things at once: wait, run; one of them only'],
    ],
    [
      'a key that does not belong there',
      '- wait: 5s',
      '- wait: 5s\n    for: me',
      ['16:5: "for" does not go with "wait": a step is one thing; make it a step of its own, or take it away'],
    ],
    [
      'no step',
      '- wait: 5s',
      '- {}',
      ['15:5: a step says nothing of what it is; a step is one of: attack, recover, wait, assert, run, parallel'],
    ],
    ['what has no value', '- wait: 5s', '- wait:', ['15:5: "wait" has no value; give it one, or take the line away']],
    [
      'an attack that is not there',
      '- wait: 5s',
      '- recover: kill on',
      ['15:14: no step before this one is an attack called "kill on"; did you mean kill one?'],
    ],
    [
      'an attack that comes later',
      'method:\n',
      'method:\n  - recover: kill one\n',
      [
        '12:14: no step before this one is an attack called "kill one"; an attack comes first; its name ' +
          'stands beside it',
      ],
    ],
    [
      'an attack of another branch',
      '- wait: 5s',
      '- parallel: [ [{attack: noop hold, name: s, with: {name: x}}], [{recover: s}] ]',
      [
        '15:77: the attack "s" is of another branch: it may not have been made yet; undo it in its own ' +
          'branch, or after the parallel step',
      ],
    ],
    [
      'two attacks of one name',
      '- wait: 5s',
      '- attack: noop hold\n    name: kill one\n    with: { name: x }',
      ['16:11: the attack in line 12 is called "kill one", too; give it another name'],
    ],
    [
      'steps in the place of branches',
      '- wait: 5s',
      '- parallel: [ {wait: 1s} ]',
      ['15:17: branch 1 must be a list of steps, not keys with values; each begins with a dash: "- wait: 2s"'],
    ],
    [
      'no branch',
      '- wait: 5s',
      '- parallel: []',
      ['15:15: parallel has no branch; write parallel: [ [ {wait: 1s} ], [ {wait: 2s} ] ]'],
    ],
    [
      'a line for a shell',
      '- wait: 5s',
      '- run: systemctl restart api',
      ['15:10: run must be a list: no shell reads it; write [systemctl, restart, api]'],
    ],
    [
      'a command without one',
      '- wait: 5s',
      '- run: { timeout: 5s }',
      ['15:10: run has no "command"; add command: [program, argument]'],
    ],
    [
      'no steps',
      '- wait: 5s',
      '- wait: 5s\nx: []',
      [
        '16:1: there is no "x" in an experiment; there is: experiment, description, hypothesis, ' +
          'steadyState, method, blastRadius, abort, rollbacks',
      ],
    ],
    [
      'a map of steps',
      'method:\n',
      'method: { wait: 5s }\nx:\n',
      [
        '11:9: method must be a list of steps, not keys with values; each begins with a dash: "- wait: 2s"',
        '12:1: there is no "x" in an experiment; there is: experiment, description, hypothesis, ' +
          'steadyState, method, blastRadius, abort, rollbacks',
      ],
    ],
  ])('tell of %s', async (_what, part, other, expected) => {
    expect(await problemsOf(changed(part, other))).toEqual(expected);
  });
});
