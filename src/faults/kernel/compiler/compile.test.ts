import { describe, expect, it } from 'vitest';
import { FaultlineError } from '../../../base/error.ts';
import { assembler } from '../../../linux/bpf/assembler.ts';
import { listProgram } from '../../../linux/bpf/listing.ts';
import { parseBtf } from '../../../linux/btf/btf.ts';
import { btfBuilder } from '../../../linux/btf/test-support/btf-builder.ts';
import { sampleBtf } from '../test-support/sample-types.ts';
import { compilePredicate } from './compile.ts';
import { generatePredicate } from './generate.ts';
import { emptyStack, StackFull } from './stack.ts';

const btf = sampleBtf();
const declared = 'struct sample *it, int n, unsigned long m, unsigned char c';

function listing(predicate: string, parameters: string | null = declared, name = 'look'): readonly string[] {
  const { typed } = compilePredicate(btf, { function: name, parameters, predicate });
  const code = assembler();
  generatePredicate(
    {
      code,
      stack: emptyStack(),
      otherwise: 'out',
      parameter: (index, dst) => void code.load(8, dst, 6, index * 8),
    },
    typed,
  );
  return listProgram(code.label('out').exit().finish()).map((line) => line.replace(/^ *\d+: /u, ''));
}

function refusal(predicate: string, parameters: string | null = declared, name = 'look'): readonly string[] {
  try {
    listing(predicate, parameters, name);
  } catch (error) {
    if (error instanceof FaultlineError) return [error.message, ...(error.hint ?? '').split('\n')];
    throw error;
  }
  return ['it was accepted'];
}

describe('a predicate', () => {
  it('reads what it names, and nothing else', () => {
    expect(listing('it->s16 < 3')).toStrictEqual([
      'r7 = *(u64 *)(r6 + 0)',
      'r3 = r7',
      'r3 += 2',
      'r2 = 2',
      'r1 = r10',
      'r1 += -8',
      'call bpf_probe_read_kernel',
      'if r0 != 0 goto out',
      'r7 = *(u16 *)(r10 - 8)',
      'r7 <<= 48',
      'r7 s>>= 48',
      'if r7 s>= 3 goto out',
      'out:',
      'exit',
    ]);
  });

  it('compares a text with the NUL that ends it', () => {
    const whole = listing('STRNCMP(it->name, "bananas", 8)');
    expect(whole).toContain(`r8 = 0x${Buffer.from('bananas\0').readBigUInt64LE().toString(16)} ll`);
    expect(whole).toContain('r2 = 9');
    expect(listing('STRCMP(it->name, "bananas")')).toStrictEqual(whole);
    // Without it whatever begins so is the same.
    expect(listing('STRNCMP(it->name, "bananas", 3)').filter((line) => line.startsWith('if r7'))).toStrictEqual([
      `if r7 != ${Buffer.from('ba').readUInt16LE()} goto out`,
      `if r7 != ${'n'.codePointAt(0)} goto out`,
    ]);
  });

  it('is refused in a moment and in a few words, whatever it is', () => {
    const escapes = '\\000'.repeat(1000);
    expect(refusal(`n == '${escapes}`)[0]).toContain('the quotes are not closed');
    expect(refusal(`n == '${escapes}'`)[0]).toContain('this is no character');
    for (const part of ['n + ', 'n || ', 'n == 3 && ']) {
      expect(refusal(`${part.repeat(10_000)}n`)[0]).toContain('this has more than 500 operators');
    }
    expect(refusal(`it${'->next'.repeat(10_000)}`)[0]).toContain('this has more than 500 operators');
    expect(refusal('('.repeat(60_000))[0]).toContain('nested too deeply');
    for (const words of [`it->${'a'.repeat(60_000)}`, 'a'.repeat(60_000), `it->u8 ${'a'.repeat(60_000)}`]) {
      expect(refusal(words).join('').length).toBeLessThan(1500);
    }
    expect(listing(`${'n + '.repeat(499)}n`).length).toBeGreaterThan(500);
  });

  it('knows parameters by the names that the kernel has for them', () => {
    expect(listing('it->u8 == 1', null)).toStrictEqual(listing('it->u8 == 1'));
  });

  it("reads a process's memory by another function, and what that points to", () => {
    for (const calls of [
      listing('it->next->u8 == 1', 'struct sample __user *it'),
      listing('it->next->u8 == 1', 'struct sample *it', '__x64_sys_look'),
      listing('((struct sample __user *)m)->next->u8 == 1'),
    ]) {
      expect(calls.filter((line) => line.startsWith('call'))).toStrictEqual([
        'call bpf_probe_read_user',
        'call bpf_probe_read_user',
      ]);
    }
  });

  it.each([
    ['it->nonsense == 3', 'struct sample has no member nonsense', '  it->nonsense == 3', '      ^~~~~~~~'],
    ['it->u33 == 3', 'struct sample has no member u33', '  it->u33 == 3', '      ^~~'],
    ['id->u32', 'there is nothing called id', '  id->u32', '  ^~'],
    ['it.u32 == 1', 'struct sample * has no members', '  it.u32 == 1', '  ^~'],
    ['n->u32 == 1', 'int is no pointer', '  n->u32 == 1', '  ^'],
    ['it == 3', 'struct sample * and int cannot be compared', '  it == 3', '     ^~'],
    ['n = 3', '= would change a value', '  n = 3', '    ^'],
    ['n == 3 ? 1 : 0', '?: is not known here', '  n == 3 ? 1 : 0', '         ^'],
    ['n++ > 3', '++ would change a value', '  n++ > 3', '   ^~'],
    ['n ==', 'a value is missing, and the text ends here', '  n ==', '      ^'],
    ['(n == 3', 'a ")" is missing, and the text ends here', '  (n == 3', '         ^'],
    ['n == 3 n', 'the condition is over here', '  n == 3 n', '         ^'],
    ['n == 08', 'this is no whole number', '  n == 08', '       ^~'],
    ['n == 1.5', 'this is no whole number', '  n == 1.5', '       ^~~'],
    ["n == 'ab'", 'this is no character', "  n == 'ab'", '       ^~~~'],
    ['STRCMP(it->name, "ab)', 'the quotes are not closed', '  STRCMP(it->name, "ab)', '                   ^'],
    ['STRCMP(n, "ab")', 'int is no text', '  STRCMP(n, "ab")', '         ^'],
    ['STRNCMP(it->name, "ab")', 'STRNCMP takes 3 arguments', '  STRNCMP(it->name, "ab")', '  ^~~~~~~~~~~~~~~~~~~~~~~'],
    ['STRLEN(it->name) > 1', 'there is no function STRLEN here', '  STRLEN(it->name) > 1', '  ^~~~~~'],
    ['*m == 1', 'unsigned long is no pointer', '  *m == 1', '   ^'],
    ['*(void *)m == 1', 'what a void * points to is not known', '  *(void *)m == 1', '   ^~~~~~~~~'],
    ['((struct simple *)m)->a', 'the kernel has no struct simple', '  ((struct simple *)m)->a', '    ^~~~~~~~~~~~~~~'],
    ['&it->b3', 'a bit-field has no address', '  &it->b3', '   ^~~~~~'],
    ['*it', 'struct sample is no number', '  *it', '  ^~~'],
    ['sizeof(void) == 1', 'the size of void is not known', '  sizeof(void) == 1', '  ^~~~~~~~~~~~'],
    ['n @ 3', 'this means nothing here', '  n @ 3', '    ^'],
  ])('%s is refused where it is wrong', (predicate, problem, ...shown) => {
    const [message, , ...excerpt] = refusal(predicate);
    expect(message).toBe(`the predicate of look: ${problem}`);
    expect(excerpt).toStrictEqual(shown);
  });

  it.each([
    ['struct sample *it, int n, long m, char c, int z', 'look has no parameter 5'],
    ['int it', 'parameter 1 of look is a struct sample *'],
    ['struct sample *it, struct sample *n', 'parameter 2 of look is a int'],
    ['struct sample *it, int it', 'it is declared twice'],
    ['struct sample it', 'it would be passed whole, and where is not known'],
    ['struct sample *it int n', 'a "," is missing'],
    ['foo_t it', 'the kernel has no type foo_t'],
    ['int a, int b, int c, int d, int e, int f, int g', 'there are more than 6 parameters'],
    ['unsigned char long it', 'there is no such type before this'],
  ])('with the parameters %s is refused', (parameters, problem) => {
    expect(refusal('1', parameters)[0]).toBe(`the parameters of look: ${problem}`);
  });

  it('does not read a bit-field that no single number holds', () => {
    const build = btfBuilder();
    const u32 = build.int('unsigned int', 4, false);
    build.structure('struct', 'packed', 8, [
      { name: 'within', type: u32, bitOffset: 8, bitSize: 24 },
      { name: 'across', type: u32, bitOffset: 32 - 4, bitSize: 8 },
    ]);
    const packed = parseBtf(build.bytes());
    const compile = (member: string): unknown =>
      compilePredicate(packed, { function: 'look', parameters: 'struct packed *it', predicate: `it->${member} == 1` });
    expect(() => compile('within')).not.toThrow();
    expect(() => compile('across')).toThrow('across lies across two unsigned int');
  });

  it('takes what C takes', () => {
    for (const parameters of ['const struct sample * const it, long unsigned m', 'struct sample *, int', 'void', '']) {
      expect(refusal('1', parameters)).toStrictEqual(['it was accepted']);
    }
    for (const predicate of [
      'n',
      '!n',
      'it && it->next != NULL && it->next->next == 0',
      'it->numbers[n & 3] == KIND_FAR || *it->numbers < 0',
      '(u32)it->s64 == 0xffU && sizeof(struct sample) > 8ul',
      '*(&it->u32) == 1 && (&it->numbers)[0] != NULL',
      "it->text[0] == '\\n' || it->text[1] == '\\x41' || STRCMP(it->text, \"a\\tb\")",
      '-it->s32 > ~n && +n >= 0 && (n << 3 >> 1) % 7 == m / 3 - 2 * 4',
      '((struct sample *)m)->u8',
      'it + 1 != it->next - n',
      'true && !false',
    ]) {
      expect([predicate, refusal(predicate)]).toStrictEqual([predicate, ['it was accepted']]);
    }
  });

  it('says that there is no room on the stack', () => {
    expect(() => listing(`STRCMP(it->name, "${'x'.repeat(520)}")`)).toThrow(StackFull);
    expect(() => listing(`${'(n + '.repeat(12)}m${')'.repeat(12)} == 1`)).not.toThrow();
    expect(refusal(`${'('.repeat(60)}n${')'.repeat(60)}`)[0]).toContain('nested too deeply');
  });
});
