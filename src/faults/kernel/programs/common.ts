import { type Assembler, assembler, type BpfProgram, type MapReference } from '../../../linux/bpf/assembler.ts';
import { type Register } from '../../../linux/bpf/instruction.ts';
import { registerOffsets, type RegisterOffsets } from '../../../linux/bpf/registers.ts';
import { takesRegisters, type Predicate } from '../compiler/compile.ts';
import { generatePredicate } from '../compiler/generate.ts';
import { emptyStack, type Stack } from '../compiler/stack.ts';
import { counterOffsets, tickNs } from './layout.ts';
import type { Design, MapReferences } from './design.ts';

/*
 * What the programs have in common. r6 is the context, r9 the counters; r7 and r8 belong to predicates.
 */

export const context: Register = 6;
const counters: Register = 9;
export const framePointer: Register = 10;

/** Every program goes here when there is nothing to do for it. */
export const out = 'out';

/** A program that is being written. */
export interface Draft {
  readonly code: Assembler;
  readonly stack: Stack;
  readonly design: Design;
  readonly maps: MapReferences;
  readonly registers: RegisterOffsets;
}

export function beginProgram(design: Design, maps: MapReferences): Draft {
  const code = assembler();
  code.compute(context, '=', { register: 1 });
  return { code, stack: emptyStack(), design, maps, registers: registerOffsets(design.architecture) };
}

/** Leave with 0: nothing else happens to what was probed. */
export function endProgram({ code }: Draft): BpfProgram {
  return code.label(out).compute(0, '=', 0).exit().finish();
}

/** `dst = r10 + offset` */
export function stackAddress(code: Assembler, dst: Register, offset: number): Assembler {
  return code.compute(dst, '=', { register: framePointer }).compute(dst, '+=', offset);
}

/** r0 = the value of a key on the stack, or 0. */
export function lookup({ code }: Draft, map: MapReference, key: number): Assembler {
  code.map(1, map);
  return stackAddress(code, 2, key).call('bpf_map_lookup_elem');
}

/** Put the number of the thread and its process on the stack; r0 has it, too. */
export function storeThread({ code }: Draft, at: number): void {
  code.call('bpf_get_current_pid_tgid').store(8, framePointer, at, { register: 0 });
}

/** r9 = the counters; leaves where the injection is over. */
export function openCounters(draft: Draft): void {
  const { code, maps, stack } = draft;
  code.remark('the counters; leave if the injection is over');
  stack.during(8, (key) => {
    code.store(4, framePointer, key, 0);
    lookup(draft, maps.counters, key).jumpIf(0, '==', 0, out).compute(counters, '=', { register: 0 });
  });
  code.load(8, 1, counters, counterOffsets.stop).jumpIf(1, '!=', 0, out);
}

/** One more; r1 is what it was before. */
export function countUp({ code }: Draft, offset: number): void {
  code.compute(1, '=', 1).fetchAdd(counters, offset, 1);
}

/** `dst = *(base + offset)` of the kernel's memory, through the stack; leaves where it cannot be read. */
export function readKernel({ code, stack }: Draft, dst: Register, base: Register, offset: number, size: 4 | 8): void {
  stack.during(8, (slot) => {
    code.compute(3, '=', { register: base }).compute(3, '+=', offset).compute(2, '=', size);
    stackAddress(code, 1, slot).call('bpf_probe_read_kernel').jumpIf(0, '!=', 0, out);
    code.load(size, dst, framePointer, slot);
  });
}

/** r7 = the leader of the running thread's process. */
export function leaderOfCurrent(draft: Draft): void {
  const { code, design } = draft;
  code.call('bpf_get_current_task').compute(7, '=', { register: 0 });
  readKernel(draft, 7, 7, design.task().groupLeader, 8);
}

/** r7 = when the task in r7 was started, in clock ticks as /proc shows it. */
export function startTicks(draft: Draft): void {
  readKernel(draft, 7, 7, draft.design.task().startBootTime, 8);
  draft.code.compute(7, '/=', tickNs);
}

/** THREAD_SIZE of most kernels. Where stacks are larger, what is deeper than this in one is left alone. */
const stackBytes = 16_384;

/**
 * Leave in an interrupt: it has come while the thread was running, and what it does is done for others. Interrupts have
 * stacks of their own; a thread's lies below the registers of its entry into the kernel, and our context lies on it.
 */
export function leaveInterrupts({ code, design }: Draft): void {
  if (!design.sparesInterrupts) return;
  code.remark("only on the thread's own stack, not in an interrupt");
  code.call('bpf_get_current_task_btf').compute(1, '=', { register: 0 }).call('bpf_task_pt_regs');
  code.jumpIf(context, '>=', { register: 0 }, out).compute(0, '+=', -stackBytes);
  code.jumpIf(context, '<', { register: 0 }, out);
}

/** Leave unless the running thread is one of those that are meant. */
export function checkScope(draft: Draft): void {
  const { code, design, maps } = draft;
  leaveInterrupts(draft);
  switch (design.scope.kind) {
    case 'system':
      return;
    case 'cgroup':
      code.remark('only in the cgroup, and in those below it');
      code.map(1, maps.cgroup).compute(2, '=', 0).call('bpf_current_task_under_cgroup').jumpIf(0, '!=', 1, out);
      return;
    case 'processes':
      code.remark('only in the processes: by number and start time');
      checkProcess(draft);
  }
}

/** Leave unless the running thread's process is in the map of processes. Uses r7 and r8. */
export function checkProcess(draft: Draft): void {
  const { code, maps, stack } = draft;
  stack.during(8, (key) => {
    code.call('bpf_get_current_pid_tgid').compute(0, '>>=', 32).store(4, framePointer, key, { register: 0 });
    lookup(draft, maps.processes, key).jumpIf(0, '==', 0, out).load(8, 8, 0, 0);
    leaderOfCurrent(draft);
    startTicks(draft);
    code.jumpIf(7, '!=', { register: 8 }, out);
  });
}

/**
 * Put on the stack what tells this thread's entry into the kernel from others: where in its program it was, where that
 * one's stack, and which system call it is, for a program may make all of them in one place (syscall(2)). A thread
 * whose leaving of a frame went unseen is found out by it.
 */
export function storeEntry({ code, registers }: Draft, at: number): void {
  code.call('bpf_get_current_task_btf').compute(1, '=', { register: 0 }).call('bpf_task_pt_regs');
  code.load(8, 1, 0, registers.instructionPointer).load(8, 2, 0, registers.stackPointer);
  code.compute(2, '<<=', 16).compute(1, '^=', { register: 2 });
  code.load(4, 2, 0, registers.callNumber).compute(2, '<<=', 52).compute(1, '^=', { register: 2 });
  code.store(8, framePointer, at, { register: 1 });
}

/** Go on in so many of a hundred cases. */
export function drawChance({ code, design }: Draft): void {
  if (design.probability >= 100) return;
  const threshold = Math.floor((design.probability / 100) * 2 ** 32);
  code.remark(`in ${design.probability} of 100 cases, by chance`);
  code.call('bpf_get_prandom_u32').wide(1, BigInt(threshold)).jumpIf(0, '>=', { register: 1 }, out);
}

/** Leave unless a predicate on the parameters of a probed function holds. */
export function checkPredicate(draft: Draft, name: string, predicate: Predicate | null): void {
  if (predicate === null) return;
  const { code, stack, registers } = draft;
  code.remark(predicate.source.text);
  if (!takesRegisters(name)) {
    const parameter = (index: number, dst: Register): void =>
      void code.load(8, dst, context, registers.parameters[index] ?? 0);
    generatePredicate({ code, stack, otherwise: out, parameter }, predicate.typed);
    return;
  }
  // The one parameter is where the registers of the caller are.
  const parameter = (index: number, dst: Register): void => {
    code.load(8, dst, context, registers.parameters[0] ?? 0);
    readKernel(draft, dst, dst, registers.callParameters[index] ?? 0, 8);
  };
  generatePredicate({ code, stack, otherwise: out, parameter }, predicate.typed);
}
