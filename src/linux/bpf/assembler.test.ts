import { describe, expect, it } from 'vitest';
import { assembler } from './assembler.ts';
import { encode } from './instruction.ts';
import { listProgram } from './listing.ts';

const hex = (program: ReturnType<ReturnType<typeof assembler>['finish']>): readonly string[] =>
  [...encode(program.instructions).toString('hex').matchAll(/.{16}/gu)].map(([one]) => one);

describe('the assembler', () => {
  it('encodes as the kernel decodes', () => {
    const program = assembler()
      .compute(6, '=', { register: 1 })
      .compute(2, '+=', -8)
      .negate(3)
      .load(4, 1, 10, -4)
      .store(8, 10, -16, { register: 0 })
      .store(1, 10, -1, 7)
      .fetchAdd(9, 8, 1)
      .wide(4, -2n)
      .call('bpf_get_prandom_u32')
      .exit()
      .finish();
    expect(hex(program)).toStrictEqual([
      'bf16000000000000',
      '07020000f8ffffff',
      '8703000000000000',
      '61a1fcff00000000',
      '7b0af0ff00000000',
      '720affff07000000',
      'db19080001000000',
      '18040000feffffff',
      '00000000ffffffff',
      '8500000007000000',
      '9500000000000000',
    ]);
  });

  it('jumps to labels, forward over wide instructions too', () => {
    const program = assembler()
      .jumpIf(1, 's<', 3, 'end')
      .wide(2, 1n)
      .jumpIf(1, '==', { register: 2 }, 'end')
      .jump('end')
      .label('end')
      .exit()
      .finish();
    expect(program.instructions.map(({ offset }) => offset)).toStrictEqual([4, 0, 0, 1, 0, 0]);
  });

  it('refuses labels that are nowhere or twice, and numbers that do not fit', () => {
    expect(() => assembler().jump('nowhere').finish()).toThrow('nowhere');
    expect(() => assembler().label('a').label('a')).toThrow('two places');
    expect(() => assembler().compute(1, '=', 2 ** 31)).toThrow('32 bits');
  });

  it('lists programs with labels, maps and remarks', () => {
    const code = assembler().remark('who is it?').call('bpf_get_current_pid_tgid');
    code.map(1, { name: 'threads', fd: 5 }).jumpIf(0, '!=', 0, 'out').wide(3, 0xffff_ffff_ffffn);
    const program = code.fetchAdd(9, 16, 1).label('out').compute(0, '=', 0).exit().finish();
    expect(listProgram(program)).toStrictEqual([
      '   0: call bpf_get_current_pid_tgid                  ; who is it?',
      '   1: r1 = map[threads]',
      '   3: if r0 != 0 goto out',
      '   4: r3 = 0xffffffffffff ll',
      '   6: r1 = atomic_fetch_add((u64 *)(r9 + 16), r1)',
      'out:',
      '   7: r0 = 0',
      '   8: exit',
    ]);
  });
});
