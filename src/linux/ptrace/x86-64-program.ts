/**
 * The program for x86-64. System calls: number in rax, arguments in rdi, rsi, rdx, r10, r8, r9, result in rax; rcx and
 * r11 are lost (syscall(2)). It uses no stack, for there may be none worth the name below rsp: goroutines have little,
 * and leaf functions keep data there.
 */
import type { Program } from './arch.ts';
import { assemble, instruction, type Line, label } from './assembly.ts';

/** What the block behind the code holds, eight bytes each. `all` is a signal mask that blocks everything. */
export const homeSlots = [
  'all',
  'mask',
  'eflags',
  'rsp',
  'r15',
  'r14',
  'r13',
  'r12',
  'rbp',
  'rbx',
  'r11',
  'r10',
  'r9',
  'r8',
  'rax',
  'rcx',
  'rdx',
  'rsi',
  'rdi',
  'rip',
] as const;

export type HomeSlot = (typeof homeSlots)[number];

/** A jump over a distance of one byte. */
function jump(opcode: number, target: string): Line {
  return { length: 2, encode: (here, place) => [opcode, (place(target) - (here + 2)) & 0xff] };
}

/** An instruction with a slot of the block as its operand: `[rip + distance]`. */
function withSlot(opcode: readonly number[], slot: HomeSlot, _text: string): Line {
  const length = opcode.length + 4;
  return {
    length,
    encode: (here, place) => {
      const distance = place('home') + homeSlots.indexOf(slot) * 8 - (here + length);
      return [...opcode, distance & 0xff, (distance >> 8) & 0xff, (distance >> 16) & 0xff, distance >>> 24];
    },
  };
}

const syscall = instruction([0x0f, 0x05], 'syscall');

const batch: readonly Line[] = [
  label('batch'), // rbx: the next entry, rbp: how many are left
  instruction([0x48, 0x85, 0xed], 'test rbp, rbp'),
  jump(0x74, 'done'),
  instruction([0x48, 0x8b, 0x03], 'mov rax, [rbx]'),
  instruction([0x48, 0x8b, 0x7b, 0x08], 'mov rdi, [rbx + 8]'),
  instruction([0x48, 0x8b, 0x73, 0x10], 'mov rsi, [rbx + 16]'),
  instruction([0x48, 0x8b, 0x53, 0x18], 'mov rdx, [rbx + 24]'),
  instruction([0x4c, 0x8b, 0x53, 0x20], 'mov r10, [rbx + 32]'),
  instruction([0x4c, 0x8b, 0x43, 0x28], 'mov r8, [rbx + 40]'),
  instruction([0x4c, 0x8b, 0x4b, 0x30], 'mov r9, [rbx + 48]'),
  syscall,
  instruction([0x48, 0x89, 0x43, 0x38], 'mov [rbx + 56], rax'),
  instruction([0x48, 0x83, 0xc3, 0x40], 'add rbx, 64'),
  instruction([0x48, 0xff, 0xcd], 'dec rbp'),
  jump(0xeb, 'batch'),
];

const single: readonly Line[] = [
  label('single'), // everything is in its register
  syscall,
  instruction([0x49, 0x89, 0xc7], 'mov r15, rax'),
];

/** tgkill(getpid(), gettid(), signal): asked, for these numbers are others in another PID namespace. */
const tell: readonly Line[] = [
  label('done'), // r12: the signal
  instruction([0xb8, 0x27, 0, 0, 0], 'mov eax, 39'),
  syscall,
  instruction([0x89, 0xc7], 'mov edi, eax'),
  instruction([0xb8, 0xba, 0, 0, 0], 'mov eax, 186'),
  syscall,
  instruction([0x89, 0xc6], 'mov esi, eax'),
  instruction([0x44, 0x89, 0xe2], 'mov edx, r12d'),
  instruction([0xb8, 0xea, 0, 0, 0], 'mov eax, 234'),
  syscall,
  label('told'),
];

/**
 * The way home. Flags can only be loaded from a stack, so rsp points to the block for two instructions, with all
 * signals blocked: a handler would write there. rt_sigprocmask(SIG_SETMASK, …, NULL, 8) twice; it keeps the flags, and
 * so does mov.
 */
const goHome: readonly Line[] = [
  instruction([0xb8, 0x0e, 0, 0, 0], 'mov eax, 14'),
  instruction([0xbf, 0x02, 0, 0, 0], 'mov edi, 2'),
  withSlot([0x48, 0x8d, 0x35], 'all', 'lea rsi, all'),
  instruction([0xba, 0x00, 0, 0, 0], 'mov edx, 0'),
  instruction([0x41, 0xba, 0x08, 0, 0, 0], 'mov r10d, 8'),
  syscall,
  withSlot([0x48, 0x8d, 0x25], 'eflags', 'lea rsp, eflags'),
  instruction([0x9d], 'popfq'),
  withSlot([0x48, 0x8b, 0x25], 'rsp', 'mov rsp, [rsp]'),
  instruction([0xb8, 0x0e, 0, 0, 0], 'mov eax, 14'),
  withSlot([0x48, 0x8d, 0x35], 'mask', 'lea rsi, mask'),
  syscall,
  withSlot([0x4c, 0x8b, 0x3d], 'r15', 'mov r15, [r15]'),
  withSlot([0x4c, 0x8b, 0x35], 'r14', 'mov r14, [r14]'),
  withSlot([0x4c, 0x8b, 0x2d], 'r13', 'mov r13, [r13]'),
  withSlot([0x4c, 0x8b, 0x25], 'r12', 'mov r12, [r12]'),
  withSlot([0x48, 0x8b, 0x2d], 'rbp', 'mov rbp, [rbp]'),
  withSlot([0x48, 0x8b, 0x1d], 'rbx', 'mov rbx, [rbx]'),
  withSlot([0x4c, 0x8b, 0x1d], 'r11', 'mov r11, [r11]'),
  withSlot([0x4c, 0x8b, 0x15], 'r10', 'mov r10, [r10]'),
  withSlot([0x4c, 0x8b, 0x0d], 'r9', 'mov r9, [r9]'),
  withSlot([0x4c, 0x8b, 0x05], 'r8', 'mov r8, [r8]'),
  withSlot([0x48, 0x8b, 0x05], 'rax', 'mov rax, [rax]'),
  withSlot([0x48, 0x8b, 0x0d], 'rcx', 'mov rcx, [rcx]'),
  withSlot([0x48, 0x8b, 0x15], 'rdx', 'mov rdx, [rdx]'),
  withSlot([0x48, 0x8b, 0x35], 'rsi', 'mov rsi, [rsi]'),
  withSlot([0x48, 0x8b, 0x3d], 'rdi', 'mov rdi, [rdi]'),
  withSlot([0xff, 0x25], 'rip', 'jmp [rip]'),
  instruction([0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00], 'nop'), // to the next multiple of eight
  label('home'),
];

const { code, place } = assemble([...batch, ...single, ...tell, ...goHome]);

export const program: Program = Object.freeze({
  code,
  batch: place('batch'),
  single: place('single'),
  told: place('told'),
  home: place('home'),
  length: place('home') + homeSlots.length * 8,
  alignment: 8,
});
