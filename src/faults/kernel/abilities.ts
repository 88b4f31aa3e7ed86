import { closeSync } from 'node:fs';
import { isFaultlineError } from '../../base/error.ts';
import { assembler, type BpfProgram } from '../../linux/bpf/assembler.ts';
import { kprobeUnit } from '../../linux/bpf/attach.ts';
import { loadProgram, type ProgramKind } from '../../linux/bpf/program.ts';
import { findType, readBtf } from '../../linux/btf/btf.ts';
import { hasCapability } from '../../linux/fault-injection.ts';
import { type FailType, failPoints } from './fail-points.ts';

/*
 * What the running kernel lets programs do: not what its version promises, but what it does when it is asked.
 */

/** What a kernel has it keeps; what it lacks may have been refused for a moment only, and is asked for again. */
const had = new Set<string>();

function remembered(ability: string, ask: () => boolean): boolean {
  if (had.has(ability)) return true;
  const has = ask();
  if (has) had.add(ability);
  return has;
}

/** Would the kernel take this program? Some refusals look like those of permissions, which are asked about before. */
function isTaken(program: BpfProgram, kind: ProgramKind): boolean {
  try {
    closeSync(loadProgram('ability', program, kind));
    return true;
  } catch (error) {
    if (isFaultlineError(error, 'SYSCALL_FAILED') || isFaultlineError(error, 'PERMISSION_DENIED')) return false;
    throw error;
  }
}

/** Do nothing, and give back 0. */
function idle(): BpfProgram {
  return assembler().compute(0, '=', 0).exit().finish();
}

/** Can programs be run where functions of the kernel begin and return? */
export function hasKprobes(): boolean {
  return remembered('kprobes', () => kprobeUnit() !== undefined && isTaken(idle(), { type: 'kprobe' }));
}

/** May a program at the beginning of a function say what it returns? CONFIG_BPF_KPROBE_OVERRIDE */
export function hasOverride(): boolean {
  const program = assembler().compute(2, '=', 0).call('bpf_override_return').compute(0, '=', 0).exit().finish();
  return remembered('override', () => hasKprobes() && isTaken(program, { type: 'kprobe' }));
}

/** May a program take the place of this function? It must be in the error-injection list, and in the kernel's BTF. */
export function hasModifyReturn(name: string): boolean {
  let functionId: number | undefined;
  try {
    functionId = findType(readBtf(), name, 'function');
  } catch (error) {
    if (isFaultlineError(error, 'HOST_UNSUPPORTED')) return false;
    throw error;
  }
  if (functionId === undefined) return false;
  const kind: ProgramKind = { type: 'modify-return', functionId };
  return remembered(`fmod_ret:${name}`, () => isTaken(idle(), kind));
}

/** Do programs know the entry into the kernel that they are in, and count together? Linux 5.15 */
export function followsThreads(): boolean {
  const program = assembler()
    .call('bpf_get_current_task_btf')
    .compute(1, '=', { register: 0 })
    .call('bpf_task_pt_regs')
    .compute(0, '=', 0)
    .exit()
    .finish();
  return remembered('threads', () => isTaken(program, { type: 'kprobe' }));
}

/** Has the kernel fault injection of its own for this type? CONFIG_FAULT_INJECTION_DEBUG_FS, and one for each type. */
export function hasCapabilityFor(type: FailType): boolean {
  return hasCapability(failPoints[type].capability);
}

/** What the ladder of ways is climbed by; each is asked only when it is its turn. */
export interface Abilities {
  readonly override: () => boolean;
  readonly kprobes: () => boolean;
  readonly modifyReturn: (name: string) => boolean;
  readonly capabilityFor: (type: FailType) => boolean;
}

export const hostAbilities: Abilities = Object.freeze({
  override: hasOverride,
  kprobes: hasKprobes,
  modifyReturn: hasModifyReturn,
  capabilityFor: hasCapabilityFor,
});
