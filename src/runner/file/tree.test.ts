import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openProblems } from './problems.ts';
import { type BadFile, changed, problemsOf } from './test-support/problems-of.ts';
import { readTree } from './tree.ts';

describe('files', () => {
  it.each<BadFile>([
    ['a tab', 'hypothesis', '	hypothesis', ['2:1: Tabs are not allowed as indentation; indent with spaces']],
    [
      'a key that stands there twice',
      'hypothesis',
      'experiment',
      [
        '1:1: the experiment has no "hypothesis"; add hypothesis: what you believe, in a sentence',
        '2:1: "experiment" stands in line 1 already; keep one of them',
      ],
    ],
    [
      'a second document',
      'steadyState:',
      '---\nsteadyState:',
      ['3:1: a second document begins here; one experiment a file: take away what follows the line ---'],
    ],
    ['a tag', 'steadyState:', 'steadyState: !x', ['3:14: Unresolved tag: !x; write it without a tag']],
    [
      'a bracket that is not closed',
      '- wait: 5s',
      '- wait: [5s',
      [
        '16:1: Flow sequence in block collection must be sufficiently indented and end with a ]; indent ' +
          'with spaces: what belongs together begins in the same column',
      ],
    ],
    [
      'an alias of nothing',
      '- wait: 5s',
      '- wait: *x',
      ['15:11: nothing is called &x before; put the text in quotation marks'],
    ],
    [
      'a control character',
      'kill-one\n',
      'kill-one\n',
      ['1:18: here is a control character: \\x07; an experiment is a text file, in YAML'],
    ],
    ['a key that is a list', 'method:', '[a, b]: 1\nmethod:', ['11:1: a key must be a word; write "key: value"']],
    [
      'a number that is too large',
      'targets: 1',
      'targets: 99999999999999999999',
      ['16:25: 99999999999999999999 is too large for a number; put it in quotation marks'],
    ],
    [
      'a number that is none',
      'targets: 1',
      'targets: .inf',
      [
        '16:25: .inf is no number that anything could have; write a finite one',
        '16:25: targets must be a whole number, not .inf; write 0 or a number above',
      ],
    ],
  ])('tell of %s', async (_what, part, other, expected) => {
    expect(await problemsOf(changed(part, other))).toEqual(expected);
  });

  it.each<readonly [string, string, string]>([
    ['nothing', '', '1:1: the file is empty'],
    ['a comment', '# x\n', '1:1: the file is empty'],
    ['a word', 'experiment', '1:1: this is no experiment'],
    ['a list', '- experiment: x', '1:1: this is no experiment'],
    ['what means itself', 'experiment: x\nmethod: &a [*a]', '2:12: here the file unfolds to too much'],
    ['brackets', '['.repeat(50_000), 'this is nested too deeply'],
    ['dashes', '- '.repeat(5_000), 'nested too deeply|unfolds to too much'],
    ['bytes', '\u0000\u0001ELF', '1:1: here is a control character: \\\\x00'],
    ['half a character', 'a: "\ud800"', '1:5: here is a control character'],
    ['an image of a disk', 'x'.repeat(1024 * 1024), '1:1: the file is too large: 1 MiB'],
  ])('that are %s are refused', async (_what, text, told) => {
    const [first] = await problemsOf(text);
    expect(first).toMatch(new RegExp(told, 'u'));
  });

  it('that unfold to billions are refused', async () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 12; level += 1) {
      lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`);
    }
    expect((await problemsOf(lines.join('\n'))).join()).toContain('here the file unfolds to too much');
  });

  it('may use aliases, Windows line ends and a byte order mark', async () => {
    const aliased = changed('{ process: api, mode: one }', '&who { process: api }')
      .replace('- wait: 5s', '- attack: process stop\n    with: *who')
      .replace('targets: 1', 'targets: 2');
    expect(await problemsOf(aliased)).toEqual([]);
    expect(await problemsOf(`\ufeff${aliased.replaceAll('\n', '\r\n')}`)).toEqual([]);
  });

  it('of whatever text are a tree or a problem, and never a crash', async () => {
    const yamlish = fc.array(
      fc.oneof(
        fc.constantFrom('\n', '  ', '- ', ': ', 'a', '{', '}', '[', ']', '&a ', '*a', '|', '>', '"', "'", '#', '!x '),
        fc.constantFrom(',', '?', '%', '@', '---', '...', '\t', '<<', '0x1', '.nan', 'null', '~', '\\'),
        fc.string({ unit: 'binary', maxLength: 3 }),
      ),
      { maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(yamlish, async (parts) => {
        const problems = openProblems();
        const tree = await readTree(parts.join(''), problems);
        expect(tree !== undefined || problems.all().length > 0).toBe(true);
      }),
      { numRuns: 300 },
    );
  }, 120_000);
});
