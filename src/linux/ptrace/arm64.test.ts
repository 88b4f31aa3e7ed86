import { expect, test } from 'vitest';
import { arm64, signalFrameOf } from './arm64.ts';
import { program } from './arm64-program.ts';

/** struct user_pt_regs with a value of its own in each place: regs[31], sp, pc, pstate. */
function registers(): Buffer {
  const bytes = Buffer.alloc(272);
  for (let index = 0; index < 34; index += 1) bytes.writeBigUInt64LE(BigInt(0x1000 + index), index * 8);
  return bytes;
}

const at = (bytes: Buffer, index: number): bigint => bytes.readBigInt64LE(index * 8);
const SP = 31;
const PC = 32;
const PSTATE = 33;

test('a task of another ABI has registers of another length', () => {
  expect(arm64.registerBytes).toBe(272);
});

test('a batch: where, how many, with what to tell the end; everything else as it was', () => {
  const before = registers();
  const saved = { tid: 1, registers: before, mask: 0n };
  const after = arm64.registersFor({ kind: 'batch', table: 0x7000, count: 3 }, saved, 0x5000, 23);
  expect(at(after, PC)).toBe(0x5000n + BigInt(program.batch));
  expect([at(after, 19), at(after, 20), at(after, 21)]).toEqual([0x7000n, 3n, 23n]);
  for (const index of [0, 8, 18, 22, 30, SP, PSTATE]) expect(at(after, index)).toBe(at(before, index));
  expect(before).toEqual(registers());
});

test('one call: number in x8, arguments from x0 on, negative ones too; its result is in x23', () => {
  const saved = { tid: 1, registers: registers(), mask: 0n };
  const task = { kind: 'single', syscall: 222, values: [0, 4096, 3, 34, -1] } as const;
  const after = arm64.registersFor(task, saved, 0x5000, 28);
  expect(at(after, PC)).toBe(0x5000n + BigInt(program.single));
  expect([0, 1, 2, 3, 4, 5, 8].map((index) => at(after, index))).toEqual([0n, 4096n, 3n, 34n, -1n, 0n, 222n]);
  after.writeBigInt64LE(-12n, 23 * 8);
  expect(arm64.result(after)).toBe(-12);
});

test('no landing pad is expected where it enters', () => {
  const before = registers();
  before.writeBigUInt64LE(0x8000_0c00n, PSTATE * 8);
  const task = { kind: 'batch', table: 0, count: 0 } as const;
  const after = arm64.registersFor(task, { tid: 1, registers: before, mask: 0n }, 0, 23);
  expect(at(after, PSTATE)).toBe(0x8000_0000n);
});

test('the signal frame that brings it home', () => {
  const floats = Buffer.alloc(528, 0);
  for (let vector = 0; vector < 32; vector += 1) floats.writeBigUInt64LE(BigInt(0x2000 + vector), vector * 16);
  floats.writeUInt32LE(0x11, 512); // fpsr
  floats.writeUInt32LE(0x22, 516); // fpcr
  const frame = signalFrameOf(registers(), 0xfedc_0000_0000_0001n, floats);
  // struct rt_sigframe: siginfo 128, uc_flags 8, uc_link 8, stack_t 24, then the mask
  expect(frame.readInt32LE(152), 'ss_flags that no stack has').toBe(0x7f);
  expect(frame.readBigUInt64LE(168)).toBe(0xfedc_0000_0000_0001n);
  // struct sigcontext at the next multiple of 16: fault_address, then the registers as ptrace has them
  expect(frame.subarray(312, 312 + 272)).toEqual(registers());
  // struct fpsimd_context: magic, size, fpsr, fpcr, vectors; then the end of the list
  expect([592, 596, 600, 604].map((offset) => frame.readUInt32LE(offset))).toEqual([0x46508001, 528, 0x11, 0x22]);
  for (let vector = 0; vector < 32; vector += 1) {
    expect(frame.readBigUInt64LE(608 + vector * 16)).toBe(BigInt(0x2000 + vector));
  }
  expect(frame.subarray(592 + 528).every((byte) => byte === 0)).toBe(true);
  expect(frame.length).toBe(592 + 528 + 16);
});
