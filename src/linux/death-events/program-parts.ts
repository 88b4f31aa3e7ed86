import { type Assembler, assembler, type BpfProgram, type MapReference } from '../bpf/assembler.ts';
import type { Register } from '../bpf/instruction.ts';
import type { KernelLayout } from './kernel-layout.ts';
import { argBytes, argsAt, CgroupField, cgroupNameBytes, commBytes, ProcessField, RecordType } from './record.ts';
import { mostNamespaces, namespaceBytes, NamespaceField, namespacesAt, recordBytes } from './record.ts';

/*
 * What the programs have in common. r6 is a program's own; the rest of the registers that calls keep is used here as
 * it is said. A record is made on the stack, of which a program has 512 bytes.
 */

/** The frame pointer. */
export const FRAME: Register = 10;

/** Where things are on the stack; the record takes what is left of it. */
export const Slot = { record: -472, pointer: -480, key: -488, value: -496, cgroup: -504 } as const;

export interface DeathMaps {
  /** The ring buffer. */
  readonly events: MapReference;
  /** Numbers of cgroups that were told of. */
  readonly known: MapReference;
  /** Process and signal → who sent it. */
  readonly senders: MapReference;
  /** Process → what the OOM killer marked it with. */
  readonly victims: MapReference;
  /** How many records did not fit into the ring buffer. */
  readonly lost: MapReference;
}

export interface Parts {
  readonly asm: Assembler;
  readonly layout: KernelLayout;
  readonly maps: DeathMaps;
}

/** How deep cgroups may be nested to be told of whole. */
const deepest = 10;

/** `*(bytes *)(r10 + slot) = *(base + offset)` of the kernel; zeros where it cannot be read */
export function readKernel({ asm }: Parts, slot: number, bytes: number, base: Register, offset: number): void {
  asm
    .compute(3, '=', { register: base })
    .compute(3, '+=', offset)
    .compute(1, '=', { register: FRAME })
    .compute(1, '+=', slot)
    .compute(2, '=', bytes)
    .call('bpf_probe_read_kernel');
}

/** `dst = *(void **)(base + offset)` of the kernel */
export function follow(parts: Parts, dst: Register, base: Register, offset: number): void {
  readKernel(parts, Slot.pointer, 8, base, offset);
  parts.asm.load(8, dst, FRAME, Slot.pointer);
}

/** `r0 = &map[r10 + slot]`, or 0 */
export function look({ asm }: Parts, map: MapReference, slot: number): void {
  asm.map(1, map).compute(2, '=', { register: FRAME }).compute(2, '+=', slot).call('bpf_map_lookup_elem');
}

/** `delete map[r10 + slot]` */
export function forget({ asm }: Parts, map: MapReference, slot: number): void {
  asm.map(1, map).compute(2, '=', { register: FRAME }).compute(2, '+=', slot).call('bpf_map_delete_elem');
}

/** `map[r10 + key] = r10 + value` */
export function put({ asm }: Parts, map: MapReference, key: number, value: number): void {
  asm
    .map(1, map)
    .compute(2, '=', { register: FRAME })
    .compute(2, '+=', key)
    .compute(3, '=', { register: FRAME })
    .compute(3, '+=', value)
    .compute(4, '=', 0)
    .call('bpf_map_update_elem');
}

/** Hand the record over; r0 is 0 where it fitted in. */
function output({ asm, maps }: Parts, bytes: number): void {
  asm
    .map(1, maps.events)
    .compute(2, '=', { register: FRAME })
    .compute(2, '+=', Slot.record)
    .compute(3, '=', bytes)
    .compute(4, '=', 0)
    .call('bpf_ringbuf_output');
}

/** Hand the record over, or count it as lost. */
export function emit(parts: Parts, bytes: number): void {
  const { asm, maps } = parts;
  const done = asm.fresh('emitted');
  output(parts, bytes);
  asm.jumpIf(0, '==', 0, done).store(8, FRAME, Slot.key, 0);
  look(parts, maps.lost, Slot.key);
  asm.jumpIf(0, '==', 0, done).compute(1, '=', 1).fetchAdd(0, 0, 1).label(done);
}

export function clear({ asm }: Parts, bytes: number): void {
  for (let at = 0; at < bytes; at += 8) asm.store(8, FRAME, Slot.record + at, 0);
}

/** One cgroup of the path, whose node is in r9; then its parent's node is. */
function tellCgroup(parts: Parts, done: string): void {
  const { asm, layout, maps } = parts;
  const { node } = layout;
  const isRoot = asm.fresh('root');
  asm.jumpIf(9, '==', 0, done);
  readKernel(parts, Slot.key, 8, 9, node.id);
  look(parts, maps.known, Slot.key);
  asm.jumpIf(0, '!=', 0, done);
  clear(parts, recordBytes.cgroup);
  asm
    .store(4, FRAME, Slot.record, RecordType.cgroup)
    .load(8, 1, FRAME, Slot.key)
    .store(8, FRAME, Slot.record + CgroupField.id, { register: 1 });
  follow(parts, 3, 9, node.name);
  asm
    .compute(1, '=', { register: FRAME })
    .compute(1, '+=', Slot.record + CgroupField.name)
    .compute(2, '=', cgroupNameBytes)
    .call('bpf_probe_read_kernel_str');
  follow(parts, 9, 9, node.parent);
  asm.jumpIf(9, '==', 0, isRoot);
  readKernel(parts, Slot.record + CgroupField.parent, 8, 9, node.id);
  asm.label(isRoot);
  output(parts, recordBytes.cgroup);
  asm.jumpIf(0, '!=', 0, done).store(8, FRAME, Slot.value, 1);
  put(parts, maps.known, Slot.key, Slot.value);
}

/** The number of a task's cgroup to `Slot.cgroup`; its path is told where it was not before. Uses r9 and the record. */
export function noteCgroup(parts: Parts, task: Register): void {
  const { asm, layout } = parts;
  const done = asm.fresh('cgroup');
  asm.remark('the path of its cgroup').store(8, FRAME, Slot.cgroup, 0);
  follow(parts, 9, task, layout.task.cgroups);
  for (const offset of [...layout.cgroupPath, layout.cgroupNode]) follow(parts, 9, 9, offset);
  readKernel(parts, Slot.cgroup, 8, 9, layout.node.id);
  for (let level = 0; level < deepest; level += 1) tellCgroup(parts, done);
  asm.label(done);
}

/** `*(u32 *)(record + at) = ` the real user of a task. Uses r9. */
export function readUid(parts: Parts, at: number, task: Register): void {
  follow(parts, 9, task, parts.layout.task.cred);
  readKernel(parts, Slot.record + at, 4, 9, parts.layout.credUid);
}

/** One of the numbers of a `struct pid`: r9 is that, moved on by as many numbers as stand before this one. */
function readNumber(parts: Parts, at: number): void {
  const { asm, layout } = parts;
  readKernel(parts, at + NamespaceField.pid, 4, 9, layout.pid.numbers);
  if (layout.pid.namespaceInode === null) return;
  readKernel(parts, Slot.pointer, 8, 9, layout.pid.namespaces);
  asm.load(8, 1, FRAME, Slot.pointer).compute(3, '=', { register: 1 });
  asm
    .compute(3, '+=', layout.pid.namespaceInode)
    .compute(1, '=', { register: FRAME })
    .compute(1, '+=', at + NamespaceField.namespace)
    .compute(2, '=', 4)
    .call('bpf_probe_read_kernel');
}

/** The PID as each of its namespaces sees it, from its own outward: the numbers of its `struct pid`. Uses r9. */
function readNamespaces(parts: Parts, leader: Register): void {
  const { asm, layout } = parts;
  const { nsLevel } = ProcessField;
  const done = asm.fresh('namespaces');
  follow(parts, 9, leader, layout.task.pid);
  readKernel(parts, Slot.record + nsLevel, 4, 9, layout.pid.level);
  asm
    .load(4, 1, FRAME, Slot.record + nsLevel)
    .compute(1, '*=', layout.pid.numberSize)
    .compute(9, '+=', { register: 1 });
  for (let inward = 0; inward < mostNamespaces; inward += 1) {
    asm.load(4, 1, FRAME, Slot.record + nsLevel).jumpIf(1, '<=', inward, done);
    readNumber(parts, Slot.record + namespacesAt + inward * namespaceBytes);
    asm.compute(9, '-=', layout.pid.numberSize);
  }
  asm.label(done);
}

/** Everything that is told of any process: the task that is running, and in r8 its main thread. Uses r9. */
export function readProcess(parts: Parts, task: Register): void {
  const { asm, layout } = parts;
  const at = layout.task;
  const field = (name: keyof typeof ProcessField): number => Slot.record + ProcessField[name];
  asm
    .load(8, 1, FRAME, Slot.cgroup)
    .store(8, FRAME, field('cgroup'), { register: 1 })
    .call('bpf_ktime_get_ns')
    .store(8, FRAME, field('now'), { register: 0 });
  readKernel(parts, field('startTime'), 8, 8, at.startTime);
  readKernel(parts, field('startBootTime'), 8, 8, at.startBootTime);
  readKernel(parts, field('tgid'), 4, 8, at.tgid);
  readKernel(parts, field('comm'), commBytes, 8, at.comm);
  follow(parts, 9, 8, at.parent);
  readKernel(parts, field('ppid'), 4, 9, at.tgid);
  readUid(parts, ProcessField.uid, task);
  readNamespaces(parts, 8);
}

/** The beginning of the arguments, from the memory of the process itself, as far as that is there. Uses r9. */
export function readArguments(parts: Parts, task: Register, kind: keyof typeof argsAt): void {
  const { asm, layout } = parts;
  const [done, fits] = [asm.fresh('arguments'), asm.fresh('fits')];
  const length = Slot.record + ProcessField.argLength;
  asm.remark('its arguments');
  follow(parts, 9, task, layout.task.mm);
  asm.jumpIf(9, '==', 0, done);
  readKernel(parts, Slot.key, 8, 9, layout.mm.argStart);
  readKernel(parts, Slot.value, 8, 9, layout.mm.argEnd);
  asm
    .load(8, 3, FRAME, Slot.key)
    .load(8, 2, FRAME, Slot.value)
    .compute(2, '-=', { register: 3 })
    .jumpIf(2, '<=', argBytes, fits)
    .compute(2, '=', argBytes)
    .label(fits)
    .store(4, FRAME, length, { register: 2 })
    .compute(1, '=', { register: FRAME })
    .compute(1, '+=', Slot.record + argsAt[kind])
    .call('bpf_probe_read_user')
    .jumpIf(0, '==', 0, done)
    .store(4, FRAME, length, 0)
    .label(done);
}

/** A program that begins with its context in r6, and ends at the label `end`. */
export function program(layout: KernelLayout, maps: DeathMaps, body: (parts: Parts) => void): BpfProgram {
  const asm = assembler();
  asm.compute(6, '=', { register: 1 });
  body({ asm, layout, maps });
  return asm.label('end').compute(0, '=', 0).exit().finish();
}
