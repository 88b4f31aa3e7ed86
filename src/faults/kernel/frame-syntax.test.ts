import { describe, expect, it } from 'vitest';
import { FaultlineError } from '../../base/error.ts';
import { parseFrame, parseSpecText } from './frame-syntax.ts';

describe('a frame', () => {
  it.each([
    ['__x64_sys_mount', { function: '__x64_sys_mount', parameters: null, predicate: null }],
    ['btrfs_mount()', { function: 'btrfs_mount', parameters: null, predicate: null }],
    [' f ( int a ) ( a == 1 ) ', { function: 'f', parameters: 'int a', predicate: 'a == 1' }],
    [
      'd_alloc_parallel(struct dentry *parent, const struct qstr *name)(STRNCMP(name->name, "b)(\\"a", 8))',
      {
        function: 'd_alloc_parallel',
        parameters: 'struct dentry *parent, const struct qstr *name',
        predicate: 'STRNCMP(name->name, "b)(\\"a", 8)',
      },
    ],
    ["f()((a == ')'))", { function: 'f', parameters: null, predicate: "(a == ')')" }],
    ['(gfpflags & 1)', { function: '', parameters: null, predicate: 'gfpflags & 1' }],
    ['(void *s, gfp_t f)(f & 1)', { function: '', parameters: 'void *s, gfp_t f', predicate: 'f & 1' }],
  ])('%s', (text, frame) => {
    expect(parseFrame(text)).toStrictEqual(frame);
  });

  it.each([
    ['f(int a', 'this parenthesis is not closed', '   ^'],
    ['f(a)(b)(c)', 'there is more than parameters and a predicate', '  ^~~~~~~~~~'],
    ['f g', 'this is no part of a frame', '    ^'],
    ['', 'there is no frame here', '  ^'],
    ['f => g', 'this is no part of a frame', '    ^~~~'],
  ])('%s is refused', (text, problem, mark) => {
    try {
      parseFrame(text);
      expect.unreachable();
    } catch (error) {
      if (!(error instanceof FaultlineError)) throw error;
      expect([error.message, error.hint?.split('\n').at(-1)]).toStrictEqual([`the frame: ${problem}`, mark]);
    }
  });

  it('comes from the text of inject.py innermost first', () => {
    const frames = parseSpecText('(true) => btrfs_alloc_device(int a)(a > 1) => close_devices()=>open_it');
    expect(frames.map((one) => [one.function, one.predicate])).toStrictEqual([
      ['open_it', null],
      ['close_devices', null],
      ['btrfs_alloc_device', 'a > 1'],
      ['', 'true'],
    ]);
    expect(() => parseSpecText('a => ')).toThrow('there is no frame here');
    expect(() => parseSpecText('a b')).toThrow('no part of a frame');
  });
});
