import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bashReply, parseBashLine } from './bash-line.ts';

const breaks = ' \t\n"\'@><=;|&(:';

const parse = (line: string) => parseBashLine(line, breaks);

describe('a command line is split as bash splits it', () => {
  test.each([
    ['faultline ', ['faultline'], ''],
    ['faultline att', ['faultline'], 'att'],
    ['faultline  attack\tprocess ', ['faultline', 'attack', 'process'], ''],
    ["f -p 'my proc' -s ", ['f', '-p', 'my proc', '-s'], ''],
    ['f -p my\\ proc -s ', ['f', '-p', 'my proc', '-s'], ''],
    ['f -p "my \\"proc\\"" x', ['f', '-p', 'my "proc"'], 'x'],
    ['f -p "a\\b', ['f', '-p'], 'a\\b'],
    ["f -p 'a\\", ['f', '-p'], 'a\\'],
    ["f '' ", ['f', ''], ''],
    ["f 'my'\\ \"pr", ['f'], 'my pr'],
    ['f trailing\\', ['f'], 'trailing'],
    ['f "$(reboot)" `x` ', ['f', '$(reboot)', '`x`'], ''],
  ])('%s', (line, words, current) => {
    expect(parse(line)).toMatchObject({ words, current });
  });

  test.each([
    ['f --signal=TE', '--signal=', ''],
    ['f --signal=', '--signal=', ''],
    ['f a:b', 'a:', ''],
    ['f a\\:b', '', ''],
    ["f --process='my pr", '--process=', "'"],
    ["f --process=x'my pr", '--process=x', "'"],
    ["f 'a b'c", '', ''],
    ["f --x='a b'c", '--x=', ''],
    ['f "a b', '', '"'],
    ['f plain', '', ''],
  ])('%s: what bash keeps, and the open quote', (line, kept, quote) => {
    expect(parse(line)).toMatchObject({ kept, quote });
  });

  test('with the word breaks that are set', () => {
    expect(parseBashLine('f a:b=c', ' \t\n=').kept).toBe('a:b=');
    expect(parseBashLine('f a:b=c', '').kept).toBe('');
  });
});

describe('what bash is to insert', () => {
  test.each([
    ['f my', 'my proc', 'my\\ proc'],
    ["f 'my", 'my proc', 'my proc'],
    ["f 'it", "it's", "it'\\''s"],
    ["f 'the", "the dogs'", "the dogs'\\'''"],
    ['f "q', 'q"', 'q\\""'],
    ['f "stop', 'stop!', 'stop"\\!""'],
    ['f "a', 'a$(b)`c`"d"\\!', 'a\\$(b)\\`c\\`\\"d\\"\\\\"\\!""'],
    ['f a', 'a$(b);c&d|e', 'a\\$\\(b\\)\\;c\\&d\\|e'],
    ['f --signal=T', '--signal=TERM', 'TERM'],
    ['f a:', 'a:b', 'b'],
    ['f é', 'é~', 'é\\~'],
    ["f 'a b'c", 'a bcd', 'a\\ bcd'],
  ])('%s becomes %s by %s', (line, value, reply) => {
    expect(bashReply(parse(line), value)).toBe(reply);
  });

  test('nothing where what was typed does not fit', () => {
    expect(bashReply(parse('f b'), 'a')).toBeUndefined();
    expect(bashReply(parse('f --signal=K'), '--signal=TERM')).toBeUndefined();
  });
});

describe('bash takes what was inserted for the text itself', () => {
  const text = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((one) => !/[\p{C}\p{Z}]/u.test(one.replaceAll(' ', '')));

  /** The words that a real bash makes of these, each in a file of its own so that one cannot hide another's end. */
  function wordsOf(sources: readonly string[]): readonly string[] {
    const script = sources.map((source) => `printf '%s\\0' ${source}\n`).join('');
    const env = { PATH: '/nonexistent', LC_ALL: 'C.UTF-8' };
    return execFileSync('/bin/bash', ['--norc', '-s'], { input: script, encoding: 'utf8', env })
      .split('\0')
      .slice(0, -1);
  }

  /** A word with an open quote, as readline completes it. */
  function completed(quote: string, value: string): string {
    const reply = bashReply(parse(`f ${quote}`), value) ?? '';
    return `${quote}${reply}${reply.endsWith(quote) ? '' : quote}`;
  }

  test.each([
    ['without quotes', ''],
    ['within single quotes', "'"],
    ['within double quotes', '"'],
  ])('%s', (_name, quote) => {
    const many = fc.array(text, { minLength: 50, maxLength: 50 });
    fc.assert(
      fc.property(many, (values) => {
        const sources = values.map((value) => completed(quote, value));
        expect(wordsOf(sources)).toEqual(values);
        for (const source of sources) {
          expect(parse(`f ${source} `).words).toEqual(['f', values[sources.indexOf(source)]]);
        }
      }),
      { numRuns: 20 },
    );
  });
});
