import type { BpfProgram } from '../../../linux/bpf/assembler.ts';
import type { Register } from '../../../linux/bpf/instruction.ts';
import { generatePredicate } from '../compiler/generate.ts';
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
  leaderOfCurrent,
  leaveInterrupts,
  openCounters,
  out,
  readKernel,
  stackAddress,
} from './common.ts';
import type { Design, MapReferences } from './design.ts';
import { followTo, findThread } from './frames.ts';
import { counterOffsets, hitBytes, hitOffsets, hitsKept } from './layout.ts';

/*
 * The program at the function that fails.
 */

/** Put a parameter of the function into a register. */
function parameterTo(draft: Draft): (index: number, dst: Register) => void {
  const { code, design, registers } = draft;
  if (design.fail.way === 'override') {
    return (index, dst) => void code.load(8, dst, context, registers.parameters[index] ?? 0);
  }
  // Loaded directly, a pointer would be one that the verifier knows and with which it lets nobody compute.
  return (index, dst) => {
    readKernel(draft, dst, context, index * 8, 8);
  };
}

/** Memory that is asked for with this flag must be given: the caller does not look whether it was. */
function spareNoFail(draft: Draft): void {
  const { code, design } = draft;
  const { gfpParameter, noFailBit } = design.fail;
  if (gfpParameter === null) return;
  code.remark('never where the caller cannot do without: __GFP_NOFAIL');
  parameterTo(draft)(gfpParameter, 7);
  code.compute(7, '>>=', noFailBit).jumpIf(7, '&', 1, out);
}

function checkChain(draft: Draft): void {
  const { code, design, registers } = draft;
  const { frames, fail } = design;
  if (frames.length === 0) {
    checkScope(draft);
    return;
  }
  leaveInterrupts(draft);
  const slots = findThread(draft);
  code.remark(`only within ${frames.map((frame) => frame.function).join(' → ')}`);
  if (fail.way === 'override') {
    code.load(8, 8, context, registers.stackPointer);
    followTo(draft, frames.length, slots, 8);
  } else followTo(draft, frames.length, slots, null);
}

function checkOwnPredicate(draft: Draft): void {
  const { code, stack, design } = draft;
  const { predicate, way, function: name } = design.fail;
  if (predicate === null || way === 'override') {
    checkPredicate(draft, name, predicate);
    return;
  }
  code.remark(predicate.source.text);
  generatePredicate({ code, stack, otherwise: out, parameter: parameterTo(draft) }, predicate.typed);
}

const word = (text: string): bigint => Buffer.from(text, 'latin1').readBigUInt64LE();

/** Who must go on, whoever else is meant: init, and those who undo this. */
function spareOurselves(draft: Draft): void {
  const { code, design } = draft;
  if (design.scope.kind !== 'system') return;
  code.remark('never init, nor Faultline');
  code.call('bpf_get_current_pid_tgid').compute(0, '>>=', 32).jumpIf(0, '==', 1, out);
  leaderOfCurrent(draft);
  readKernel(draft, 7, 7, design.task().comm, 8);
  code.wide(1, word('faultlin')).jumpIf(7, '==', { register: 1 }, out);
}

/** No more than so many, on all processors together: whoever draws a ticket beyond that has come too late. */
function drawTicket(draft: Draft): void {
  const { code, design } = draft;
  if (design.times === null) return;
  code.remark(`no more than ${design.times} times`);
  countUp(draft, counterOffsets.tickets);
  code.wide(2, BigInt(design.times)).jumpIf(1, '>=', { register: 2 }, out);
}

/** Count it, and write down who it was while there are few. */
function record(draft: Draft): void {
  const { code, maps, stack } = draft;
  code.remark('count it; of the first few keep who it was');
  countUp(draft, counterOffsets.injected);
  code.jumpIf(1, '>=', hitsKept, 'fail');
  stack.during(hitBytes, (hit) => {
    code.call('bpf_get_current_pid_tgid').store(8, framePointer, hit + hitOffsets.thread, { register: 0 });
    code.call('bpf_ktime_get_ns').store(8, framePointer, hit + hitOffsets.timeNs, { register: 0 });
    code.store(8, framePointer, hit + hitOffsets.comm, 0).store(8, framePointer, hit + hitOffsets.comm + 8, 0);
    stackAddress(code, 1, hit + hitOffsets.comm)
      .compute(2, '=', 16)
      .call('bpf_get_current_comm');
    code.map(1, maps.hits);
    stackAddress(code, 2, hit).compute(3, '=', hitBytes).compute(4, '=', 0).call('bpf_ringbuf_output');
  });
  code.label('fail');
}

/**
 * @param acts false: it stops short of failing anything, for a kernel that lets nobody; to see whether the rest is
 *   accepted
 */
export function failureProgram(design: Design, maps: MapReferences, acts = true): BpfProgram {
  const draft = beginProgram(design, maps);
  const { code } = draft;
  spareNoFail(draft);
  checkChain(draft);
  openCounters(draft);
  countUp(draft, counterOffsets.seen);
  checkOwnPredicate(draft);
  countUp(draft, counterOffsets.matched);
  spareOurselves(draft);
  if (design.frames.length === 0) drawChance(draft);
  drawTicket(draft);
  record(draft);
  code.remark(`fail: ${design.fail.function} returns ${design.fail.result}`);
  if (design.fail.way === 'modify-return') code.wide(0, BigInt.asUintN(64, design.fail.result)).exit();
  else if (acts) {
    code.compute(1, '=', { register: context }).wide(2, BigInt.asUintN(64, design.fail.result));
    code.call('bpf_override_return');
  }
  return endProgram(draft);
}
