import { describe, expect, test } from 'vitest';
import { x86_64 } from './x86-64.ts';
import { homeSlots, program } from './x86-64-program.ts';

/** The order of struct user_regs_struct. */
const order = [
  'r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp',
  'ss fs_base gs_base ds es fs gs',
]
  .join(' ')
  .split(' ');

function registers(values: Readonly<Record<string, bigint>> = {}): Buffer {
  const bytes = Buffer.alloc(order.length * 8);
  for (const [index, name] of order.entries()) {
    bytes.writeBigInt64LE(values[name] ?? BigInt(0x1000 + index), index * 8);
  }
  return bytes;
}

const at = (bytes: Buffer, name: string): bigint => bytes.readBigInt64LE(order.indexOf(name) * 8);
const saved = (values: Readonly<Record<string, bigint>> = {}) => ({
  tid: 1,
  registers: registers(values),
  mask: 0x55n,
});

test('a task of another ABI has registers of another length', () => {
  expect(x86_64.registerBytes).toBe(order.length * 8);
});

describe('what the program is to do', () => {
  test('a batch: where, how many, with what to tell the end, in no system call; everything else as it was', () => {
    const task = { kind: 'batch', table: 0x7000, count: 3 } as const;
    const after = x86_64.registersFor(task, saved(), 0x5000, 23);
    const changed = order.filter((name) => at(after, name) !== at(registers(), name));
    expect(changed.sort()).toEqual(['orig_rax', 'r12', 'rbp', 'rbx', 'rip']);
    expect(['rip', 'rbx', 'rbp', 'r12', 'orig_rax'].map((name) => at(after, name))).toEqual([
      0x5000n + BigInt(program.batch),
      0x7000n,
      3n,
      23n,
      -1n,
    ]);
  });

  test('one call: number and arguments in their registers; its result is in r15', () => {
    const task = { kind: 'single', syscall: 9, values: [0, 4096, 3, 34, -1] } as const;
    const after = x86_64.registersFor(task, saved(), 0x5000, 28);
    expect(at(after, 'rip')).toBe(0x5000n + BigInt(program.single));
    expect(['rax', 'rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'].map((name) => at(after, name))).toEqual([
      9n,
      0n,
      4096n,
      3n,
      34n,
      -1n,
      0n,
    ]);
    after.writeBigInt64LE(-12n, 0);
    expect(x86_64.result(after)).toBe(-12);
  });

  test('a program that steps through itself does not step through ours', () => {
    const task = { kind: 'batch', table: 0, count: 0 } as const;
    expect(at(x86_64.registersFor(task, saved({ eflags: 0x346n }), 0, 23), 'eflags')).toBe(0x246n);
  });
});

describe('the way home', () => {
  const slots = (values: Readonly<Record<string, bigint>>): Readonly<Record<string, bigint>> => {
    const block = x86_64.home(saved(values), 0x5000);
    return Object.fromEntries(homeSlots.map((slot, index) => [slot, block.readBigInt64LE(index * 8)]));
  };

  test('every register, the flags and the mask', () => {
    const values = slots({ orig_rax: -1n });
    const before = registers();
    for (const slot of homeSlots.filter((one) => one !== 'all' && one !== 'mask')) {
      expect(values[slot], slot).toBe(at(before, slot));
    }
    expect(values).toMatchObject({ all: -1n, mask: 0x55n });
  });

  test.each([-512n, -513n, -514n])('a call that the kernel would make anew (%s)', (rax) => {
    expect(slots({ orig_rax: 61n, rax, rip: 0x402n })).toMatchObject({ rax: 61n, rip: 0x400n });
  });

  test('a wait that the kernel would go on with', () => {
    expect(slots({ orig_rax: 35n, rax: -516n, rip: 0x402n })).toMatchObject({ rax: 219n, rip: 0x400n });
  });

  test.each([
    ['a result', { orig_rax: 0n, rax: 5n }],
    ['an error of the program’s own', { orig_rax: 0n, rax: -11n }],
    ['no system call, and by chance such a number', { orig_rax: -1n, rax: -514n }],
  ])('%s stays', (_, values) => {
    expect(slots({ ...values, rip: 0x402n })).toMatchObject({ rax: values.rax, rip: 0x402n });
  });
});
