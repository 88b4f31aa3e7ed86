import { describe, expect, test } from 'vitest';
import { explainCode, explainLargeNumber } from './explain-code.ts';
import { parseCode } from './parse-code.ts';

function explain(text: string) {
  const given = parseCode(text);
  if (given === undefined) throw new Error(`${text} is no code`);
  return explainCode(text, given);
}

describe('exit codes', () => {
  test.each([
    ['136', 'exit code 136 = 128 + 8: ended by signal 8, SIGFPE (floating point exception)', 'own-fault'],
    ['143', 'exit code 143 = 128 + 15: ended by signal 15, SIGTERM (terminated)', 'signal-sent'],
    ['137', 'exit code 137 = 128 + 9: ended by signal 9, SIGKILL (killed)', 'signal-sent'],
    ['139', 'exit code 139 = 128 + 11: ended by signal 11, SIGSEGV', 'own-fault'],
    ['0', 'exit code 0: it ended by itself', 'program-code'],
    ['203', 'exit code 203: ExecStart= could not be executed (EXIT_EXEC)', 'systemd-code'],
    ['127', 'exit code 127: it depends on who tells it', 'sh-code'],
    ['125', 'exit code 125: the container runtime itself failed', 'container-code'],
    ['78', 'exit code 78: a wrong configuration (EX_CONFIG)', 'sysexits-code'],
    ['99', "exit code 99: the program's own", 'exit-by-itself'],
  ])('%s', (code, summary, first) => {
    const told = explain(code);
    expect(told.summary).toContain(summary);
    expect(told.causes[0]?.id).toBe(first);
  });

  test('137 may be the OOM killer, and says how to tell; 143 is not', () => {
    const oom = explain('137').causes.find(({ id }) => id === 'oom-killer');
    expect(oom?.likelihood).toBe('likely');
    expect(oom?.next.join()).toContain('kernel log');
    expect(explain('143').causes.map(({ id }) => id)).not.toContain('oom-killer');
  });

  test('every code from 0 to 255 has an answer with a cause', () => {
    for (let code = 0; code <= 255; code++) {
      const told = explain(String(code));
      expect(told.causes.length, String(code)).toBeGreaterThan(0);
      expect(told.facts['exitCode']).toBe(code);
    }
  });

  test('codes beyond the last signal are the program’s own', () => {
    expect(explain('193').causes[0]?.id).toBe('exit-by-itself');
    expect(explain('193').notes[0]).toContain('no signal');
  });
});

describe('wait statuses', () => {
  test.each([
    ['0x8b', 'ended by signal 11, SIGSEGV (segmentation fault); a core was dumped'],
    ['0x0b', 'ended by signal 11, SIGSEGV (segmentation fault); no core was dumped'],
    ['0x9', 'ended by signal 9, SIGKILL (killed)'],
    ['0x0300', 'exit code 3'],
    ['0x8900', 'exit code 137 = 128 + 9'],
    ['0x137f', 'not ended, but stopped by SIGSTOP'],
  ])('%s', (status, summary) => {
    expect(explain(status).summary).toContain(summary);
  });

  test('in decimal, as os.system() gives them', () => {
    expect(explainLargeNumber('34304')?.summary).toContain('exit code 134 = 128 + 6');
    expect(explainLargeNumber('4711')).toBeUndefined();
  });
});

describe('signals', () => {
  test.each([
    ['-9', 'ended by signal 9, SIGKILL'],
    ['SIGTERM', 'ended by signal 15, SIGTERM'],
    ['KILL', 'ended by signal 9, SIGKILL'],
  ])('%s', (text, summary) => {
    expect(explain(text).summary).toContain(summary);
  });

  test('one that ends nobody', () => {
    expect(explain('SIGCHLD').causes).toMatchObject([{ likelihood: 'unlikely' }]);
  });
});

test.each([
  ['-70', 186],
  ['0x12345678', 0x78],
])('%s is nothing at all, and says so', (text, lastByte) => {
  expect(explain(text)).toMatchObject({ causes: [], facts: { lastByte } });
});

test.each(['nginx', '256', '4123', 'my-app', '0x', ''])('%j is no code', (text) => {
  expect(parseCode(text)).toBeUndefined();
});
