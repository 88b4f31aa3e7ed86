import type { Architecture } from '../../../linux/arch.ts';
import type { MapReference } from '../../../linux/bpf/assembler.ts';
import type { Btf } from '../../../linux/btf/btf.ts';
import { findType } from '../../../linux/btf/btf.ts';
import { findMember } from '../../../linux/btf/types.ts';
import type { Predicate } from '../compiler/compile.ts';

/*
 * What an injection's programs are made from.
 */

export interface FrameDesign {
  readonly function: string;
  readonly predicate: Predicate | null;
}

/** How the function that fails is made to. */
export type FailureWay = 'override' | 'modify-return';

export interface FailDesign {
  readonly function: string;
  readonly predicate: Predicate | null;
  /** What it returns instead. */
  readonly result: bigint;
  /** Which parameter tells how memory is asked for, of whom some must not be failed; null: none. */
  readonly gfpParameter: number | null;
  /** The bit in it that says so. */
  readonly noFailBit: number;
  readonly way: FailureWay;
}

export type ScopeDesign =
  | { readonly kind: 'cgroup' }
  /** `follow`: those that they start, too. */
  | { readonly kind: 'processes'; readonly follow: boolean }
  | { readonly kind: 'system' };

/** Where a task's facts are in struct task_struct, in bytes. */
export interface TaskOffsets {
  readonly pid: number;
  readonly tgid: number;
  readonly comm: number;
  readonly groupLeader: number;
  /** When it was started, in ns since boot, with time asleep. */
  readonly startBootTime: number;
}

export interface Design {
  readonly architecture: Architecture;
  /** The outermost first. */
  readonly frames: readonly FrameDesign[];
  readonly fail: FailDesign;
  readonly scope: ScopeDesign;
  /** Interrupts are not failed: they do not work for the thread that they come upon. */
  readonly sparesInterrupts: boolean;
  /** More than 0, up to 100. */
  readonly probability: number;
  /** null: without end. */
  readonly times: number | null;
  /** Asked for only where it is needed: the kernel's types take a while to read. */
  readonly task: () => TaskOffsets;
}

/** The maps that the programs refer to. */
export interface MapReferences {
  readonly counters: MapReference;
  readonly threads: MapReference;
  readonly hits: MapReference;
  readonly cgroup: MapReference;
  readonly processes: MapReference;
}

function offsetIn(btf: Btf, structure: number | undefined, ...names: readonly string[]): number {
  for (const name of names) {
    const member = structure === undefined ? undefined : findMember(btf, structure, name);
    if (member !== undefined) return member.bitOffset / 8;
  }
  throw new Error(`struct task_struct has no ${names.join(' or ')}`);
}

export function taskOffsets(btf: Btf): TaskOffsets {
  const task = findType(btf, 'task_struct', 'structure');
  return Object.freeze({
    pid: offsetIn(btf, task, 'pid'),
    tgid: offsetIn(btf, task, 'tgid'),
    comm: offsetIn(btf, task, 'comm'),
    groupLeader: offsetIn(btf, task, 'group_leader'),
    startBootTime: offsetIn(btf, task, 'start_boottime', 'real_start_time'),
  });
}
