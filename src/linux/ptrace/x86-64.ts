import type { SavedThread, Task, TraceArchitecture } from './arch.ts';
import { NT_PRSTATUS, peek, writeRegisters } from './requests.ts';
import { type HomeSlot, homeSlots, program } from './x86-64-program.ts';

/** struct user_regs_struct: arch/x86/include/asm/user_64.h. */
const at = {
  r15: 0,
  r14: 8,
  r13: 16,
  r12: 24,
  rbp: 32,
  rbx: 40,
  r11: 48,
  r10: 56,
  r9: 64,
  r8: 72,
  rax: 80,
  rcx: 88,
  rdx: 96,
  rsi: 104,
  rdi: 112,
  orig_rax: 120,
  rip: 128,
  cs: 136,
  eflags: 144,
  rsp: 152,
} as const;

type Register = keyof typeof at;

const REGISTER_BYTES = 216;
const argumentRegisters = ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'] as const;

const EINTR = 4;
/** What the kernel alone sees of a call that is to be made anew: include/linux/errno.h. */
const ERESTARTSYS = 512;
const ERESTARTNOINTR = 513;
const ERESTARTNOHAND = 514;
const ERESTART_RESTARTBLOCK = 516;
/** restart_syscall(2), which goes on with a wait whose end the kernel has kept. */
const NR_RESTART_SYSCALL = 219;

/** `syscall`, 0f 05, as the highest bytes of a word. */
const SYSCALL_BYTES = 2;
const SYSCALL_WORD = 0x050fn;
/** orig_rax of a thread that is in no system call. */
const NO_SYSCALL = -1n;
/** The trap flag, which would end each instruction with a SIGTRAP: X86_EFLAGS_TF. */
const EFLAGS_TF = 0x100n;

function get(registers: Buffer, name: Register): bigint {
  return registers.readBigInt64LE(at[name]);
}

function set(registers: Buffer, name: Register, value: bigint | number): void {
  registers.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)), at[name]);
}

/** The register in which a negative errno stands, as a positive number; 0 if none does or the thread is in no call. */
function failure(registers: Buffer): number {
  const rax = get(registers, 'rax');
  const fails = get(registers, 'orig_rax') >= 0n && rax < 0n && rax > -4096n;
  return fails ? -Number(rax) : 0;
}

/**
 * EINTR in a table call becomes ERESTARTNOHAND: the kernel looks at it when the thread runs again, makes the call anew
 * if no handler is to run, and makes EINTR of it if one is. So there is no moment at which a signal could come too late
 * or too early. The instruction must be `syscall`: int 0x80 has other numbers.
 */
function interruptedCall(tid: number, registers: Buffer): number | undefined {
  if (failure(registers) !== EINTR) return undefined;
  const before = peek(tid, Number(get(registers, 'rip')) - 8);
  return before !== undefined && before >> 48n === SYSCALL_WORD ? Number(get(registers, 'orig_rax')) : undefined;
}

function repeatCall(_pid: number, tid: number, registers: Buffer): boolean {
  set(registers, 'rax', -ERESTARTNOHAND);
  return writeRegisters(tid, NT_PRSTATUS, registers) >= 0;
}

function registersFor(task: Task, saved: SavedThread, programAt: number, signal: number): Buffer {
  const registers = Buffer.from(saved.registers);
  set(registers, 'orig_rax', NO_SYSCALL);
  set(registers, 'eflags', get(registers, 'eflags') & ~EFLAGS_TF);
  set(registers, 'r12', signal);
  if (task.kind === 'batch') {
    set(registers, 'rip', programAt + program.batch);
    set(registers, 'rbx', task.table);
    set(registers, 'rbp', task.count);
  } else {
    set(registers, 'rip', programAt + program.single);
    set(registers, 'rax', task.syscall);
    for (const [index, name] of argumentRegisters.entries()) set(registers, name, task.values[index] ?? 0);
  }
  return registers;
}

/** With the kernel's restart of a call done by hand, which only the kernel could do otherwise. */
function home(saved: SavedThread): Buffer {
  const registers = Buffer.from(saved.registers);
  const error = failure(registers);
  if (error === ERESTARTSYS || error === ERESTARTNOINTR || error === ERESTARTNOHAND) {
    set(registers, 'rax', get(registers, 'orig_rax'));
    set(registers, 'rip', get(registers, 'rip') - BigInt(SYSCALL_BYTES));
  } else if (error === ERESTART_RESTARTBLOCK) {
    set(registers, 'rax', NR_RESTART_SYSCALL);
    set(registers, 'rip', get(registers, 'rip') - BigInt(SYSCALL_BYTES));
  }
  const valueOf = (slot: HomeSlot): bigint => {
    if (slot === 'all') return -1n;
    return slot === 'mask' ? saved.mask : get(registers, slot);
  };
  const block = Buffer.alloc(homeSlots.length * 8);
  for (const [index, slot] of homeSlots.entries()) {
    block.writeBigUInt64LE(BigInt.asUintN(64, valueOf(slot)), index * 8);
  }
  return block;
}

export const x86_64: TraceArchitecture = Object.freeze({
  name: 'x86_64',
  registerBytes: REGISTER_BYTES,
  program,
  programCounter: (registers) => Number(get(registers, 'rip')),
  setProgramCounter: (registers, address) => set(registers, 'rip', address),
  interruptedCall,
  repeatCall,
  // What a call waits for is in registers until the thread runs again, be it ever so often.
  losesTime: () => false,
  registersFor,
  result: (registers) => Number(get(registers, 'r15')),
  restore: ({ tid, registers }) => Math.min(0, writeRegisters(tid, NT_PRSTATUS, registers)),
  home,
} satisfies TraceArchitecture);
