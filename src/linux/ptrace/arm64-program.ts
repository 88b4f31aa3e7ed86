/**
 * The program for arm64. System calls: number in x8, arguments in x0 to x5, result in x0; nothing else is lost
 * (syscall(2)).
 *
 * No instruction of arm64 jumps to an address in memory without losing a register, so the way home is rt_sigreturn(2):
 * the block behind the code is what the kernel leaves on the stack for a signal handler.
 */
import type { Program } from './arch.ts';
import { assemble, instruction, type Line, label } from './assembly.ts';

/**
 * struct rt_sigframe with its siginfo, up to and with a struct fpsimd_context:
 * arch/arm64/include/uapi/asm/sigcontext.h.
 */
export const signalFrame = {
  stackFlags: 128 + 16 + 8,
  mask: 128 + 40,
  /** x0 to x30, sp, pc, pstate: as NT_PRSTATUS has them. */
  registers: 312,
  fpsimd: 592,
  /** After struct fpsimd_context, a record of zeros that ends the list. */
  end: 592 + 528,
  length: 592 + 528 + 16,
} as const;

function word(value: number): readonly number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
}

function fixed(value: number, text: string): Line {
  return instruction(word(value), text);
}

/** A branch: the distance in instructions stands in `bits` bits from `shift` on. */
function branch(opcode: number, target: string, bits: number, shift: number): Line {
  const mask = 2 ** bits - 1;
  return { length: 4, encode: (here, place) => word(opcode | ((((place(target) - here) / 4) & mask) << shift)) };
}

/** `adr`: the distance in bytes, its lowest two bits apart from the others. */
function addressOf(opcode: number, target: string): Line {
  return {
    length: 4,
    encode: (here, place) => {
      const distance = place(target) - here;
      return word(opcode | ((distance & 3) << 29) | (((distance >> 2) & 0x7ffff) << 5));
    },
  };
}

const svc = fixed(0xd4000001, 'svc #0');

const batch: readonly Line[] = [
  label('batch'), // x19: the next entry, x20: how many are left
  branch(0xb4000014, 'done', 19, 5), // cbz x20, done
  fixed(0xf9400268, 'ldr x8, [x19]'),
  fixed(0xa9408660, 'ldp x0, x1, [x19, #8]'),
  fixed(0xa9418e62, 'ldp x2, x3, [x19, #24]'),
  fixed(0xa9429664, 'ldp x4, x5, [x19, #40]'),
  svc,
  fixed(0xf9001e60, 'str x0, [x19, #56]'),
  fixed(0x91010273, 'add x19, x19, #64'),
  fixed(0xd1000694, 'sub x20, x20, #1'),
  branch(0x14000000, 'batch', 26, 0), // b batch
];

const single: readonly Line[] = [
  label('single'), // everything is in its register
  svc,
  fixed(0xaa0003f7, 'mov x23, x0'),
];

/** tgkill(getpid(), gettid(), signal): asked, for these numbers are others in another PID namespace. */
const tell: readonly Line[] = [
  label('done'), // x21: the signal
  fixed(0xd2801588, 'mov x8, #172'),
  svc,
  fixed(0xaa0003f8, 'mov x24, x0'),
  fixed(0xd2801648, 'mov x8, #178'),
  svc,
  fixed(0xaa0003e1, 'mov x1, x0'),
  fixed(0xaa1803e0, 'mov x0, x24'),
  fixed(0xaa1503e2, 'mov x2, x21'),
  fixed(0xd2801068, 'mov x8, #131'),
  svc,
  label('told'),
];

const goHome: readonly Line[] = [
  addressOf(0x10000009, 'home'), // adr x9, home
  fixed(0x9100013f, 'mov sp, x9'),
  fixed(0xd2801168, 'mov x8, #139'),
  svc,
  fixed(0xd503201f, 'nop'), // to the next multiple of 16
  fixed(0xd503201f, 'nop'),
  label('home'),
];

const { code, place } = assemble([...batch, ...single, ...tell, ...goHome]);

export const program: Program = Object.freeze({
  code,
  batch: place('batch'),
  single: place('single'),
  told: place('told'),
  home: place('home'),
  length: place('home') + signalFrame.length,
  alignment: 16,
});
