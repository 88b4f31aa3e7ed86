import { expect, test } from 'vitest';
import { forReaders } from './redaction.ts';

const secret = 'mysql -p"hunter2" -e "start slave"';

test('neither a recover command nor what it said is left, wherever it stands; all else is', () => {
  const seen = 'the recover command exited with 1 after 3 ms: /bin/sh: 1: mysql: not found';
  const document = {
    uid: 'one',
    spec: { recoverCmd: secret, waitMs: 5, criteria: { process: 'db' } },
    plan: { data: { spec: { recoverCmd: secret } }, notes: ['on recovery the recover command is run by sh -c'] },
    effects: [
      {
        type: 'recover-command',
        undo: { command: secret, timeoutMs: 30 },
        outcome: { output: 'hunter2', exitCode: 1 },
      },
      { type: 'signal', undo: { how: 'continue' }, outcome: null },
    ],
    targets: [{ seen, verdict: 'mismatch', evidence: { notStarted: null, output: 'hunter2', timedOut: false } }],
    timeline: [{ data: { seen, note: `ran ${secret} in vain` } }],
  };
  const shown = forReaders(document, document.spec.recoverCmd);
  expect(JSON.stringify(shown)).not.toMatch(/hunter2|mysql/);
  expect(shown).toEqual({
    ...document,
    spec: { ...document.spec, recoverCmd: '(given)' },
    plan: { ...document.plan, data: { spec: { recoverCmd: '(given)' } } },
    effects: [
      {
        type: 'recover-command',
        undo: { command: '(given)', timeoutMs: 30 },
        outcome: { output: '(hidden)', exitCode: 1 },
      },
      document.effects[1],
    ],
    targets: [
      {
        seen: 'the recover command exited with 1 after 3 ms',
        verdict: 'mismatch',
        evidence: { notStarted: null, output: '(hidden)', timedOut: false },
      },
    ],
    timeline: [{ data: { seen: 'the recover command exited with 1 after 3 ms', note: 'ran (given) in vain' } }],
  });
});

test('a short command is not looked for in words that hold its letters', () => {
  const document = { state: 'recovered', spec: { recoverCmd: 'cover' } };
  expect(forReaders(document, 'cover')).toEqual({ state: 'recovered', spec: { recoverCmd: '(given)' } });
});

test('what holds no command is as it was', () => {
  const document = { recoverCmd: null, list: [1, true, null, { a: 'b' }] };
  expect(forReaders(document)).toEqual(document);
});
