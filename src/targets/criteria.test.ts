import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FaultlineError, isFaultlineError } from '../base/error.ts';
import { parseInput } from '../base/schema.ts';
import { hasUnprintable } from '../base/text.ts';
import { describeCriteria, parseCriteria } from './criteria.ts';
import { type CriteriaInput, criteriaSchema } from './schema.ts';

/** Input as it comes from outside, where no compiler looks. */
function parse(input: unknown) {
  return parseCriteria(input as CriteriaInput);
}

function refusalOf(input: unknown): FaultlineError {
  try {
    parse(input);
  } catch (error) {
    if (isFaultlineError(error)) return error;
    throw error;
  }
  throw new Error(`was not refused: ${JSON.stringify(input)}`);
}

describe('parseCriteria', () => {
  it('fills in the defaults', () => {
    expect(parse({ process: 'nginx' })).toEqual({
      process: 'nginx',
      newest: false,
      oldest: false,
      exclude: [],
      children: false,
      mode: 'all',
    });
  });

  it('keeps everything that it is given, numbers as numbers and seeds as text', () => {
    const given = {
      process: 'nginx',
      cmdline: '--port=(80|443)',
      user: 'www',
      cgroup: '/system.slice',
      newest: true,
      oldest: false,
      exclude: ['4711', 'redis'],
      children: true,
      mode: 'fixed',
      value: '3',
      seed: 42,
    };
    expect(parse(given)).toEqual({ ...given, value: 3, seed: '42' });
  });

  it('changes nothing in criteria that it made, also after they were kept as JSON', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const criteria = parse(input);
        expect(parse(criteria)).toEqual(criteria);
        expect(parse(JSON.parse(JSON.stringify(criteria)))).toEqual(criteria);
      }),
    );
  });

  it('is frozen all through', () => {
    const criteria = parse({ process: 'nginx', exclude: ['a'] });
    expect(Object.isFrozen(criteria) && Object.isFrozen(criteria.exclude)).toBe(true);
  });

  it.each([
    'nginx',
    'my server',
    'naïve',
    '数据库',
    'a🐘b',
    'kworker/0:1',
    '(sd-pam)',
    '-bash',
    'NaN',
    '1.5',
    '-',
    '0x10',
  ])('takes the name %s', (process) => expect(parse({ process }).process).toBe(process));

  it.each(['1', '007', '4194304'])('takes the process ID %s', (process) => {
    expect(parse({ process }).process).toBe(process);
  });

  it.each(['0', '000', '-1', '-0', '-9999999999', '4194305', '99999999999999999999'])(
    'refuses the process ID %s',
    (process) => {
      expect(refusalOf({ process })).toMatchObject({ code: 'PID_INVALID', hint: expect.stringContaining('4194304') });
      expect(refusalOf({ process: 'x', exclude: ['ok', process] }).code).toBe('PID_INVALID');
    },
  );

  it('refuses every name with control or invisible characters, and prints none of them', () => {
    const bad = fc
      .tuple(
        fc.string(),
        fc.constantFrom('\0', '\n', '\x1b', '\x7f', '\u{9b}', '\u{200b}', '\u{202e}', '\u{feff}', '\ud800'),
      )
      .map(([text, character]) => `x${text}${character}y`);
    const field = fc.constantFrom('process', 'user', 'cgroup', 'seed', 'exclude');
    fc.assert(
      fc.property(bad, field, (text, name) => {
        const error = refusalOf({ process: 'x', [name]: name === 'exclude' ? [text] : text });
        expect(error.code).toBe('NAME_INVALID');
        expect(hasUnprintable(error.message)).toBe(false);
      }),
    );
  });

  it.each([
    ['nothing at all', {}],
    ['only how many', { newest: true, children: true, mode: 'one', exclude: ['x'] }],
    ['an empty process', { process: '' }],
    ['a blank process', { process: ' \t' }],
    ['an empty pattern, which everything matches', { cmdline: '' }],
    ['an empty user', { user: '' }],
    ['an empty cgroup', { cgroup: '' }],
    ['an empty exclusion', { process: 'x', exclude: [''] }],
    ['an empty seed', { process: 'x', seed: '' }],
    ['both ends', { process: 'x', newest: true, oldest: true }],
    ['an unknown mode', { process: 'x', mode: 'some' }],
    ['an inherited word for a mode', { process: 'x', mode: 'toString' }],
    ['a text of any length', { process: 'x'.repeat(5000) }],
    ['a number for a name', { process: 12 }],
    ['null for a name', { process: null }],
    ['a text for a switch', { process: 'x', newest: 'true' }],
    ['a text for a list', { process: 'x', exclude: 'y' }],
    ['a broken number for a seed', { process: 'x', seed: 1.5 }],
  ])('refuses %s', (_, input) => {
    const error = refusalOf(input);
    expect(error.code).toBe('ARGUMENT_INVALID');
    expect(error.hint).toBeTruthy();
  });

  it.each(['(', '[z-a]', '*', '\\', '\\A', 'a{2,1}', '\\p{Nonsense}'])('refuses the pattern %s', (cmdline) => {
    const error = refusalOf({ cmdline });
    expect(error.code).toBe('REGEX_INVALID');
    expect(error.message).toMatch(/Invalid regular expression: .+/);
  });
});

describe('the value of a mode', () => {
  const counting = fc.constantFrom('fixed', 'fixed-percent', 'random-max-percent');

  it('is taken as a number and as the text that Chaos Mesh sends', () => {
    fc.assert(
      fc.property(counting, fc.integer({ min: 1, max: 100 }), (mode, value) => {
        expect(parse({ process: 'x', mode, value }).value).toBe(value);
        expect(parse({ process: 'x', mode, value: `${value}` }).value).toBe(value);
      }),
    );
  });

  it.each([
    undefined,
    '',
    0,
    '0',
    -1,
    '-1',
    1.5,
    '1.5',
    Number.NaN,
    'NaN',
    Infinity,
    '1e1',
    '0x1',
    ' 1',
    '١',
    'ten',
    2 ** 53,
    null,
    true,
  ])('is not %s', (value) => {
    fc.assert(
      fc.property(counting, (mode) => {
        expect(refusalOf({ process: 'x', mode, value }).code).toBe('ARGUMENT_INVALID');
      }),
    );
  });

  it('is at most 100 where it is a percentage', () => {
    expect(parse({ process: 'x', mode: 'fixed', value: 101 }).value).toBe(101);
    for (const mode of ['fixed-percent', 'random-max-percent']) {
      expect(refusalOf({ process: 'x', mode, value: 101 }).message).toContain('101');
    }
  });

  it('is refused where it means nothing, though an empty text does no harm', () => {
    for (const mode of ['one', 'all', undefined]) {
      expect(refusalOf({ process: 'x', mode, value: 1 }).message).toContain('takes no value');
      expect(refusalOf({ process: 'x', mode, value: '1' }).message).toContain('takes no value');
      expect(parse({ process: 'x', mode, value: '' })).not.toHaveProperty('value');
    }
  });
});

describe('describeCriteria', () => {
  it('says what is looked for in one phrase, without control characters', () => {
    const criteria = parse({ process: 'nginx', user: 'www', cgroup: '/web', cmdline: 'a\nb' });
    expect(describeCriteria(criteria)).toBe(
      'named "nginx" with a command line that matches "a\\x0ab" of user "www" in cgroup "/web"',
    );
    expect(describeCriteria(parse({ process: '4711' }))).toBe('with the ID 4711');
  });
});

describe('criteriaSchema', () => {
  it('lets through what parseCriteria takes', async () => {
    await fc.assert(
      fc.asyncProperty(inputs, async (input) => {
        expect(await parseInput(criteriaSchema, input)).toBe(input);
      }),
    );
  });

  it.each([{ process: 12 }, { mode: 'some' }, { exclude: 'x' }, { newest: 1 }, { value: 1.5 }, { nonsense: true }])(
    'refuses %o',
    async (input) => {
      await expect(parseInput(criteriaSchema, { process: 'x', ...input })).rejects.toMatchObject({
        code: 'ARGUMENT_INVALID',
      });
    },
  );

  it('names the modes where a wrong one was given', async () => {
    await expect(parseInput(criteriaSchema, { mode: 'some' })).rejects.toMatchObject({
      hint: expect.stringContaining('random-max-percent'),
    });
  });
});

const name = fc.stringMatching(/^[a-zA-Z][a-z0-9_.-]{0,20}$/);
const inputs = fc
  .record(
    {
      process: fc.oneof(name, fc.integer({ min: 1, max: 4_194_304 }).map(String)),
      cmdline: fc.constantFrom('--port=80', 'java.*Main', '^\\S+$'),
      user: name,
      cgroup: name.map((folder) => `/${folder}`),
      newest: fc.boolean(),
      exclude: fc.array(name),
      children: fc.boolean(),
      mode: fc.constantFrom('fixed', 'fixed-percent', 'random-max-percent'),
      value: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }).map(String)),
      seed: fc.oneof(name, fc.integer()),
    },
    { requiredKeys: ['process', 'mode', 'value'] },
  )
  .map((input) => Object.freeze(input));
