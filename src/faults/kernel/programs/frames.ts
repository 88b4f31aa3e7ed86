import type { BpfProgram } from '../../../linux/bpf/assembler.ts';
import type { Register } from '../../../linux/bpf/instruction.ts';
import {
  beginProgram,
  checkPredicate,
  checkScope,
  context,
  countUp,
  drawChance,
  type Draft,
  endProgram,
  framePointer,
  leaveInterrupts,
  lookup,
  openCounters,
  out,
  stackAddress,
  storeEntry,
  storeThread,
} from './common.ts';
import type { Design, MapReferences } from './design.ts';
import { frameCounters, threadBytes, threadOffsets } from './layout.ts';

/*
 * Following a thread through the frames. Its state is how many frames it is in and where its stack was when each began:
 * - a frame counts only within the one before it, so that one function may be in the list twice;
 * - an inner call of a frame's own function changes nothing, and its return, with another stack, neither;
 * - if a return goes unseen, which happens when too many threads are in a function, what is left behind is known by the
 *   stack, which has been further out since, or by another entry into the kernel.
 */

const { depth, entry, stackPointers } = threadOffsets;
const stackPointerOf = (index: number): number => stackPointers + index * 8;

/** Where the thread's key and the mark of its entry are on the stack. */
interface Slots {
  readonly thread: number;
  readonly entry: number;
}

function takeSlots({ stack }: Draft): Slots {
  return { thread: stack.take(8), entry: stack.take(8) };
}

function forget(draft: Draft, slots: Slots): void {
  const { code, maps } = draft;
  code.map(1, maps.threads);
  stackAddress(code, 2, slots.thread).call('bpf_map_delete_elem');
}

/** Leave if this is a call within the outermost frame's own; forget what a return that was not seen has left. */
function leaveIfInner(draft: Draft, slots: Slots): void {
  const { code, maps, registers } = draft;
  code.remark('a call within one that counts already?');
  lookup(draft, maps.threads, slots.thread).jumpIf(0, '==', 0, 'fresh');
  code.load(8, 1, 0, entry).load(8, 2, framePointer, slots.entry).jumpIf(1, '!=', { register: 2 }, 'stale');
  code.load(8, 1, 0, stackPointerOf(0)).load(8, 2, context, registers.stackPointer);
  code.jumpIf(2, '<', { register: 1 }, out).label('stale');
  forget(draft, slots);
  code.label('fresh');
}

function remember(draft: Draft, slots: Slots): void {
  const { code, design, maps, registers, stack } = draft;
  code.remark('the thread is in the first frame');
  stack.during(threadBytes(design.frames.length), (value) => {
    for (let at = 0; at < threadBytes(design.frames.length); at += 8) code.store(8, framePointer, value + at, 0);
    code.store(8, framePointer, value + depth, 1);
    code.load(8, 1, framePointer, slots.entry).store(8, framePointer, value + entry, { register: 1 });
    code.load(8, 1, context, registers.stackPointer);
    code.store(8, framePointer, value + stackPointerOf(0), { register: 1 }).map(1, maps.threads);
    stackAddress(stackAddress(code, 2, slots.thread), 3, value)
      .compute(4, '=', 0)
      .call('bpf_map_update_elem');
  });
}

/** The beginning of the outermost frame. */
function outermostEntry(design: Design, maps: MapReferences): BpfProgram {
  const draft = beginProgram(design, maps);
  const { code } = draft;
  const [first] = design.frames;
  if (first === undefined) throw new Error('there is no frame');
  checkScope(draft);
  openCounters(draft);
  const slots = takeSlots(draft);
  code.remark('which thread, and which entry into the kernel');
  storeThread(draft, slots.thread);
  storeEntry(draft, slots.entry);
  leaveIfInner(draft, slots);
  const { seen, matched } = frameCounters(0);
  countUp(draft, seen);
  checkPredicate(draft, first.function, first.predicate);
  countUp(draft, matched);
  drawChance(draft);
  remember(draft, slots);
  return endProgram(draft);
}

/**
 * r0 = the state of a thread that is in all frames before this one; leaves where it is not.
 *
 * @param current holds the stack pointer of now; null: it is not known here
 */
export function followTo(draft: Draft, index: number, slots: Slots, current: Register | null): void {
  const { code, maps } = draft;
  lookup(draft, maps.threads, slots.thread).jumpIf(0, '==', 0, out);
  code.load(8, 1, 0, entry).load(8, 2, framePointer, slots.entry).jumpIf(1, '!=', { register: 2 }, out);
  code.load(8, 1, 0, depth);
  if (current !== null && index < draft.design.frames.length) {
    // It may be in this frame already. If the stack has been further out since, that call is over.
    code.jumpIf(1, '<=', index, 'reached').load(8, 2, 0, stackPointerOf(index));
    code.jumpIf(current, '<', { register: 2 }, out).compute(1, '=', index).label('reached');
  }
  code.jumpIf(1, '!=', index, out);
  if (current === null) return;
  code.load(8, 2, 0, stackPointerOf(index - 1)).jumpIf(current, '>=', { register: 2 }, out);
}

/** Put on the stack which thread it is, and which entry; leaves at once where the thread is in no frame. */
export function findThread(draft: Draft): Slots {
  const { code, maps } = draft;
  const slots = takeSlots(draft);
  code.remark('a thread that is in the first frame?');
  storeThread(draft, slots.thread);
  lookup(draft, maps.threads, slots.thread).jumpIf(0, '==', 0, out);
  storeEntry(draft, slots.entry);
  return slots;
}

/** The beginning of a frame within others. */
function innerEntry(design: Design, maps: MapReferences, index: number): BpfProgram {
  const draft = beginProgram(design, maps);
  const { code, registers, stack } = draft;
  const frame = design.frames[index];
  if (frame === undefined) throw new Error(`there is no frame ${index}`);
  leaveInterrupts(draft);
  const slots = findThread(draft);
  openCounters(draft);
  const state = stack.take(8);
  code.remark(`only within ${design.frames[index - 1]?.function ?? ''}`).load(8, 8, context, registers.stackPointer);
  followTo(draft, index, slots, 8);
  code.store(8, framePointer, state, { register: 0 });
  const { seen, matched } = frameCounters(index);
  countUp(draft, seen);
  checkPredicate(draft, frame.function, frame.predicate);
  countUp(draft, matched);
  code.remark('the thread is in this frame').load(8, 1, framePointer, state);
  code.load(8, 2, context, registers.stackPointer).store(8, 1, stackPointerOf(index), { register: 2 });
  code.store(8, 1, depth, index + 1);
  return endProgram(draft);
}

export function entryProgram(design: Design, maps: MapReferences, index: number): BpfProgram {
  return index === 0 ? outermostEntry(design, maps) : innerEntry(design, maps, index);
}

/** How far above its place at the beginning the stack may be at a return: where the return address was taken off. */
const returnAddressBytes = 8;

export function returnProgram(design: Design, maps: MapReferences, index: number): BpfProgram {
  const draft = beginProgram(design, maps);
  const { code, registers, stack } = draft;
  const thread = stack.take(8);
  code.remark('the end of the very call that counts?');
  storeThread(draft, thread);
  lookup(draft, maps.threads, thread).jumpIf(0, '==', 0, out).load(8, 1, 0, depth).jumpIf(1, '<=', index, out);
  code.load(8, 1, 0, stackPointerOf(index)).load(8, 2, context, registers.stackPointer);
  code.compute(2, '-=', { register: 1 }).jumpIf(2, '>', returnAddressBytes, out);
  if (index === 0) forget(draft, { thread, entry: 0 });
  else code.store(8, 0, depth, index);
  return endProgram(draft);
}
