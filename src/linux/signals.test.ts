import { constants } from 'node:os';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FaultlineError } from '../base/error.ts';
import { defaultAction, parseSignal, signalName, signalNames } from './signals.ts';

test('agrees with every signal that Node knows', () => {
  for (const [name, number] of Object.entries(constants.signals)) {
    expect([name, parseSignal(name).number]).toEqual([name, number]);
  }
});

test.each([
  ['TERM', 15, 'SIGTERM'],
  ['SIGTERM', 15, 'SIGTERM'],
  ['sigterm', 15, 'SIGTERM'],
  ['term', 15, 'SIGTERM'],
  ['15', 15, 'SIGTERM'],
  [15, 15, 'SIGTERM'],
  [9, 9, 'SIGKILL'],
  ['STOP', 19, 'SIGSTOP'],
  ['CLD', 17, 'SIGCHLD'],
  ['SIGIOT', 6, 'SIGABRT'],
  ['POLL', 29, 'SIGIO'],
  ['UNUSED', 31, 'SIGSYS'],
  ['RTMIN', 34, 'SIGRTMIN'],
  ['SIGRTMIN+0', 34, 'SIGRTMIN'],
  ['RTMIN+1', 35, 'SIGRTMIN+1'],
  ['rtmin+3', 37, 'SIGRTMIN+3'],
  ['RTMIN+30', 64, 'SIGRTMAX'],
  ['RTMAX', 64, 'SIGRTMAX'],
  ['RTMAX-0', 64, 'SIGRTMAX'],
  ['RTMAX-1', 63, 'SIGRTMAX-1'],
  ['SIGRTMAX-30', 34, 'SIGRTMIN'],
  ['SIG32', 32, 'SIG32'],
  [33, 33, 'SIG33'],
  ['64', 64, 'SIGRTMAX'],
])('%j is signal %d, %s', (text, number, name) => {
  expect(parseSignal(text)).toEqual({ number, name });
});

test.each([
  0,
  65,
  -1,
  9.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '',
  ' 9',
  '9 ',
  '9abc',
  '0',
  '-9',
  '+9',
  '09',
  '9.0',
  '1e1',
  '0x9',
  '65',
  '999999999999',
  'NaN',
  'SIG',
  'SIG9',
  'SIGSIGTERM',
  'KILL\n',
  'ſTOP',
  'ſigkill',
  'KİLL',
  'toString',
  '__proto__',
  'RTMIN-1',
  'RTMAX+1',
  'RTMIN+31',
  'RTMAX-31',
  'RTMIN+',
  'RTMIN+1.5',
])('%j is refused, with the list', (text) => {
  expect(() => parseSignal(text)).toThrow(
    expect.objectContaining({ code: 'SIGNAL_UNKNOWN', hint: expect.stringMatching(/HUP INT.* TERM .*SYS/) }),
  );
});

/** The name of the signal, or the code of the refusal; anything else that is thrown goes on. */
function answerTo(input: string | number): string | undefined {
  try {
    return signalName(parseSignal(input).number);
  } catch (error) {
    if (error instanceof FaultlineError) return error.code;
    throw error;
  }
}

test('whatever is asked for, the answer is a signal from 1 to 64 or a refusal', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.integer()), (input) => {
      const answer = answerTo(input);
      expect(answer).toBeOneOf(['SIGNAL_UNKNOWN', ...signalNames()]);
    }),
  );
});

test('each of the 64 has one name, which is understood again in any case and without SIG', () => {
  const names = signalNames();
  expect(names).toHaveLength(64);
  expect(new Set(names).size).toBe(64);
  for (const [index, name] of names.entries()) {
    expect(signalName(index + 1)).toBe(name);
    for (const written of [name, name.toLowerCase(), name.slice(/^SIG\d/.test(name) ? 0 : 3), index + 1]) {
      expect(parseSignal(written)).toEqual({ number: index + 1, name });
    }
  }
});

test.each([0, 65, -1, 1.5])('%d has no name and no action', (number) => {
  expect(signalName(number)).toBeUndefined();
  expect(() => defaultAction(number)).toThrow(expect.objectContaining({ code: 'SIGNAL_UNKNOWN' }));
});

test('default actions are those of signal(7)', () => {
  const withAction = (action: string): string[] =>
    signalNames().filter((name) => defaultAction(parseSignal(name).number) === action);
  expect(withAction('ignore')).toEqual(['SIGCHLD', 'SIGURG', 'SIGWINCH']);
  expect(withAction('continue')).toEqual(['SIGCONT']);
  expect(withAction('stop')).toEqual(['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU']);
  expect(withAction('core')).toEqual(
    'QUIT ILL TRAP ABRT BUS FPE SEGV XCPU XFSZ SYS'.split(' ').map((name) => `SIG${name}`),
  );
  expect(withAction('terminate')).toHaveLength(64 - 3 - 1 - 4 - 10);
});
