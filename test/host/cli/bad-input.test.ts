import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FaultlineError } from '../../../src/base/error.ts';
import { type JsonObject, toJson } from '../../../src/base/json.ts';
import { errorCodes } from '../../../src/base/error-codes.ts';
import { hasUnprintable } from '../../../src/base/text.ts';
import { openEngine } from '../../../src/experiment/engine.ts';
import { parseAttack } from '../../../src/experiment/request.ts';
import { cli, tempStateDir } from '../../support/cli.ts';
import { sleeper, stateOf } from '../targets/processes.ts';

const kill = ['attack', 'process', 'kill'];

/** Arguments that can never work, and the code that says why. */
const hopeless: readonly (readonly [readonly string[], string])[] = [
  [[...kill], 'ARGUMENT_INVALID'],
  [[...kill, '-p'], 'ARGUMENT_INVALID'],
  [[...kill, '-p', ''], 'ARGUMENT_INVALID'],
  [[...kill, '-p', '0'], 'PID_INVALID'],
  [[...kill, '-p', '-1'], 'PID_INVALID'],
  [[...kill, '-p', '-4123'], 'PID_INVALID'],
  [[...kill, '-p', '99999999999'], 'PID_INVALID'],
  [[...kill, '-p', '1'], 'GUARD_PROTECTED'],
  [[...kill, '-p', 'a\nb'], 'NAME_INVALID'],
  [[...kill, '-p', '\u001b[31mred'], 'NAME_INVALID'],
  [[...kill, '-p', '\u202Egnp.exe'], 'NAME_INVALID'],
  [[...kill, '-p', 'fl-x', '-s', '0'], 'SIGNAL_UNKNOWN'],
  [[...kill, '-p', 'fl-x', '-s', '65'], 'SIGNAL_UNKNOWN'],
  [[...kill, '-p', 'fl-x', '-s', '-9'], 'SIGNAL_UNKNOWN'],
  [[...kill, '-p', 'fl-x', '-s', 'NaN'], 'SIGNAL_UNKNOWN'],
  [[...kill, '-p', 'fl-x', '-s', 'SIGNOPE'], 'SIGNAL_UNKNOWN'],
  [[...kill, '-p', 'fl-x', '-s', ''], 'SIGNAL_UNKNOWN'],
  [[...kill, '-p', 'fl-x', '--grace', '10'], 'DURATION_INVALID'],
  [[...kill, '-p', 'fl-x', '--grace', '-5s'], 'DURATION_INVALID'],
  [[...kill, '-p', 'fl-x', '--grace', '0s'], 'DURATION_INVALID'],
  [[...kill, '-p', 'fl-x', '--grace', 'soon'], 'DURATION_INVALID'],
  [[...kill, '-p', 'fl-x', '--grace', '1s', '-s', '9'], 'ARGUMENT_INVALID'],
  [[...kill, '-p', 'fl-x', '--interval', '1ms', '--duration', '1s'], 'DURATION_INVALID'],
  [[...kill, '-p', 'fl-x', '--interval', '1s'], 'ARGUMENT_INVALID'],
  [[...kill, '-p', 'fl-x', '--duration', '1s'], 'ARGUMENT_INVALID'],
  [[...kill, '-p', 'fl-x', '--mode', 'some'], 'ARGUMENT_INVALID'],
  [[...kill, '-p', 'fl-x', '--mode', 'fixed'], 'ARGUMENT_INVALID'],
  [[...kill, '-p', 'fl-x', '--mode', 'fixed', '--value', 'NaN'], 'ARGUMENT_INVALID'],
  [[...kill, '-p', 'fl-x', '--mode', 'fixed', '--value', '-1'], 'ARGUMENT_INVALID'],
  [[...kill, '-p', 'fl-x', '--mode', 'fixed-percent', '--value', '101'], 'ARGUMENT_INVALID'],
  [[...kill, '-p', 'fl-x', '--max-targets', '0'], 'ARGUMENT_INVALID'],
  [[...kill, '-p', 'fl-x', '--max-targets', 'Infinity'], 'ARGUMENT_INVALID'],
  [[...kill, '-p', 'fl-x', '--max-percent', '-3'], 'ARGUMENT_INVALID'],
  [[...kill, '-p', 'fl-x', '--newest', '--oldest'], 'ARGUMENT_INVALID'],
  [[...kill, '--cmdline', '('], 'REGEX_INVALID'],
  [[...kill, '-p', 'fl-x', '--user', 'nobody-of-that-name'], 'USER_UNKNOWN'],
  [[...kill, '-p', 'fl-x', '--uid', '../../etc/passwd'], 'UID_INVALID'],
  [[...kill, '-p', 'fl-x', '--uid', 'x'.repeat(1000)], 'UID_INVALID'],
  [[...kill, '-p', 'fl-x', '--nope'], 'OPTION_UNKNOWN'],
  [[...kill, '-p', 'fl-x', 'extra'], 'ARGUMENT_INVALID'],
  [[...kill, '-p', 'fl-x', '-o', 'xml'], 'ARGUMENT_INVALID'],
  [[...kill, '-p', 'fl-x', '--log-level', 'loud'], 'ARGUMENT_INVALID'],
  [['attack', 'process', 'maim', '-p', 'fl-x'], 'COMMAND_UNKNOWN'],
  [['attack', 'nothing'], 'COMMAND_UNKNOWN'],
  [['nope'], 'COMMAND_UNKNOWN'],
  [['recover'], 'ARGUMENT_INVALID'],
  [['recover', 'x', '--all'], 'ARGUMENT_INVALID'],
  [['search', '--limit', '-1'], 'ARGUMENT_INVALID'],
  [['search', '--status', 'fine'], 'ARGUMENT_INVALID'],
  [['halt', '--release', '--status'], 'ARGUMENT_INVALID'],
  [['completion', 'tcsh'], 'COMMAND_UNKNOWN'],
];

describe('arguments that cannot work', () => {
  test.each(hopeless)('%j → %s, exit 128, two lines, nothing touched', async (args, code) => {
    const target = await sleeper('fl-x');
    const ran = await cli(args, { stateDir: tempStateDir() });
    expect(ran.code, ran.stderr).toBe(128);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toMatch(/^Error: .+ \[[A-Z_]+\]\nHint: .+\n$/);
    expect(ran.stderr).toContain(`[${code}]`);
    expect(hasUnprintable(ran.stderr.replaceAll('\n', ''))).toBe(false);
    expect(stateOf(target.pid)).toBe('S');
  });

  test('its own PID, its parents: refused with the rule', async () => {
    const ran = await cli([...kill, '-p', String(process.pid)], { stateDir: tempStateDir() });
    expect(ran.code).toBe(128);
    expect(ran.stderr).toMatch(/rule "ancestor".*\[GUARD_PROTECTED\]/);
  });

  test('errors are JSON where JSON was asked for', async () => {
    const ran = await cli([...kill, '-p', 'fl-x', '-s', '99', '-o', 'json'], { stateDir: tempStateDir() });
    expect(JSON.parse(ran.stderr)).toMatchObject({ error: { code: 'SIGNAL_UNKNOWN', hint: expect.any(String) } });
  });
});

describe('whatever is given', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.constantFrom(
      '',
      '0',
      '-1',
      '1',
      '1.5',
      'NaN',
      '1e9',
      '0x1',
      '９',
      ' 7',
      '7 ',
      '\0',
      '..',
      '$(id)',
      "'",
      '%s',
      '5s',
    ),
    fc.integer().map(String),
  );
  const oddField = fc.oneof(
    fc.record({ process: text }),
    fc.record({ cmdline: text }),
    fc.record({ user: text }),
    fc.record({ cgroup: text }),
    fc.record({ exclude: fc.array(text, { maxLength: 3 }) }),
    fc.record({ mode: fc.oneof(text, fc.constantFrom('one', 'fixed', 'fixed-percent', 'random-max-percent')) }),
    fc.record({ value: fc.oneof(text, fc.integer(), fc.double()) }),
    fc.record({ seed: fc.oneof(text, fc.integer()) }),
    fc.record({ signal: fc.oneof(text, fc.integer(), fc.double()) }),
    fc.record({ grace: text }),
    fc.record({ interval: text }),
    fc.record({ wait: text }),
    fc.record({ newest: fc.oneof(fc.boolean(), text) }),
    fc.record({ unknown: text }),
  );
  /** Something that would work, with one to three odd fields in place of, or beside, what makes it work. */
  const input = fc
    .array(oddField, { minLength: 1, maxLength: 3 })
    .map((fields) => fields.reduce<object>((sum, field) => ({ ...sum, ...field }), { process: 'fl-x' }));
  const oddOption = fc.oneof(
    fc.record({ uid: text }),
    fc.record({ duration: text }),
    fc.record({ maxTargets: fc.oneof(text, fc.double()) }),
    fc.record({ maxPercent: fc.oneof(text, fc.double()) }),
  );
  const options = fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: oddOption });

  test('a plan or an error with code and hint, printable; never a bug', { timeout: 600_000 }, async () => {
    await sleeper('fl-x');
    const engine = openEngine({
      stateDir: tempStateDir(),
      via: 'test',
      program: [],
      interrupted: new AbortController().signal,
      observe: () => undefined,
    });
    let planned = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('kill', 'stop'), options, input, async (action, common, given) => {
        try {
          const request = await parseAttack('process', action, common, toJson(given) as JsonObject);
          const plan = await engine.plan(request);
          planned++;
          expect(plan.targets.length).toBeGreaterThan(0);
          expect(plan.targets.map(({ about }) => about['pid'])).not.toContain(1);
          expect(plan.targets.map(({ about }) => about['pid'])).not.toContain(process.pid);
        } catch (error) {
          if (!(error instanceof FaultlineError)) throw error;
          expect(error.hint, error.message).toBeTruthy();
          expect(errorCodes[error.code].exit).toBeGreaterThanOrEqual(0);
          expect(hasUnprintable(error.message + (error.hint ?? '')), JSON.stringify(error.message)).toBe(false);
        }
      }),
      { numRuns: 1_500 },
    );
    engine.close();
    expect(planned, 'some of it works').toBeGreaterThan(20);
  });
});
