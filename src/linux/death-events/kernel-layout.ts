import { FaultlineError } from '../../base/error.ts';
import { readFileSync } from 'node:fs';
import { type Btf, findType, parseBtf } from '../btf/btf.ts';
import { isErrno, toSyscallError } from '../syscall-error.ts';
import { findConstant, findMember, plainType, sizeOf } from '../btf/types.ts';

/*
 * Where the running kernel keeps what is told of a death: offsets in its structures, as its BTF has them. All
 * structures are those of include/linux/sched.h, sched/signal.h, pid.h, mm_types.h, cgroup-defs.h and kernfs.h.
 */

/** Where the counters of resident pages are: mm_struct.rss_stat. */
export interface RssLayout {
  readonly file: number;
  readonly anon: number;
  readonly shmem: number;
}

export interface KernelLayout {
  readonly task: {
    readonly flags: number;
    readonly tgid: number;
    readonly comm: number;
    readonly leader: number;
    readonly parent: number;
    readonly startTime: number;
    readonly startBootTime: number;
    readonly exitCode: number;
    readonly signal: number;
    readonly pid: number;
    readonly cgroups: number;
    readonly cred: number;
    readonly mm: number;
  };
  readonly signal: {
    readonly live: number;
    readonly flags: number;
    readonly groupExitCode: number;
    readonly oomScoreAdj: number;
  };
  readonly pid: {
    readonly level: number;
    /** The first of its numbers, and the namespace that has given it. */
    readonly numbers: number;
    readonly namespaces: number;
    readonly numberSize: number;
    /** Within `struct pid_namespace`; null: this kernel keeps it elsewhere. */
    readonly namespaceInode: number | null;
  };
  readonly credUid: number;
  readonly siCode: number;
  readonly mm: { readonly argStart: number; readonly argEnd: number; readonly totalVm: number };
  /** null: this kernel counts them in a way that is not known. */
  readonly rss: RssLayout | null;
  /** From `struct css_set` to a `struct cgroup *`, each step through a pointer. */
  readonly cgroupPath: readonly number[];
  readonly node: { readonly id: number; readonly name: number; readonly parent: number };
  readonly cgroupNode: number;
  /** Linux 6.16: the tracepoint of an exit says whether it is the last thread's. */
  readonly exitTellsGroup: boolean;
  /** Linux 6.8: the tracepoint of a victim is given the process and not its number alone. */
  readonly victimIsTask: boolean;
}

function lacking(what: string): FaultlineError {
  return new FaultlineError('HOST_UNSUPPORTED', `the kernel's types have no ${what}`);
}

/** The kernel's types, not kept: they take seven megabytes, and a service is not to hold them for ever. */
function readTypes(): Btf {
  try {
    return parseBtf(readFileSync('/sys/kernel/btf/vmlinux'));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw toSyscallError(error);
    throw new FaultlineError('HOST_UNSUPPORTED', 'this kernel does not show its types (BTF)', {
      hint: 'it needs CONFIG_DEBUG_INFO_BTF',
    });
  }
}

/** The offset, in bytes, of `a.b` in a structure; the first of the paths that there is. */
function offsetOf(btf: Btf, structure: string, ...paths: readonly string[]): number {
  const number = findType(btf, structure, 'structure');
  for (const path of number === undefined ? [] : paths) {
    const found = walk(btf, number ?? 0, path.split('.'));
    if (found !== undefined) return found;
  }
  throw lacking(`${structure}.${paths[0] ?? ''}`);
}

function walk(btf: Btf, structure: number, [name, ...rest]: readonly string[]): number | undefined {
  if (name === undefined) return 0;
  const member = findMember(btf, structure, name);
  if (member === undefined) return undefined;
  const inner = walk(btf, plainType(btf, member.type).number, rest);
  return inner === undefined ? undefined : member.bitOffset / 8 + inner;
}

/** The types of a tracepoint's arguments: those of `btf_trace_NAME`, a pointer to a function, without its first. */
function tracepointArguments(btf: Btf, name: string): readonly number[] {
  const number = findType(btf, `btf_trace_${name}`, 'named');
  const pointer = number === undefined ? undefined : plainType(btf, number).type;
  const prototype = pointer?.kind === 'pointer' ? plainType(btf, pointer.to).type : undefined;
  if (prototype?.kind !== 'prototype') throw lacking(`tracepoint ${name}`);
  return prototype.parameters.slice(1).map(({ type }) => type);
}

/** enum of include/linux/mm_types_task.h: MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS, MM_SHMEMPAGES */
const rssKinds = { file: 0, anon: 1, shmem: 3 } as const;

function rssLayout(btf: Btf): RssLayout | null {
  const mm = findType(btf, 'mm_struct', 'structure');
  const member = mm === undefined ? undefined : findMember(btf, mm, 'rss_stat');
  if (member === undefined) return null;
  const { number, type } = plainType(btf, member.type);
  const first = member.bitOffset / 8;
  if (type.kind === 'array') {
    // Linux 6.2: struct percpu_counter rss_stat[NR_MM_COUNTERS]
    const count = walk(btf, plainType(btf, type.element).number, ['count']);
    const size = sizeOf(btf, type.element);
    if (count === undefined) return null;
    const at = (kind: number): number => first + kind * size + count;
    return { file: at(rssKinds.file), anon: at(rssKinds.anon), shmem: at(rssKinds.shmem) };
  }
  // Before: struct mm_rss_stat { atomic_long_t count[NR_MM_COUNTERS]; }
  const count = walk(btf, number, ['count']);
  if (count === undefined) return null;
  const at = (kind: number): number => first + count + kind * 8;
  return { file: at(rssKinds.file), anon: at(rssKinds.anon), shmem: at(rssKinds.shmem) };
}

/** The cgroup that memory is counted in: that of the v1 hierarchy where memory has one, else the unified one. */
function cgroupPath(btf: Btf, memoryIsV1: boolean): readonly number[] {
  if (!memoryIsV1) return [offsetOf(btf, 'css_set', 'dfl_cgrp')];
  const memory = findConstant(btf, 'memory_cgrp_id');
  if (memory === undefined) throw lacking('memory controller');
  return [
    offsetOf(btf, 'css_set', 'subsys') + Number(memory.value) * 8,
    offsetOf(btf, 'cgroup_subsys_state', 'cgroup'),
  ];
}

function taskLayout(btf: Btf): KernelLayout['task'] {
  const at = (...paths: readonly string[]): number => offsetOf(btf, 'task_struct', ...paths);
  return {
    flags: at('flags'),
    tgid: at('tgid'),
    comm: at('comm'),
    leader: at('group_leader'),
    parent: at('real_parent'),
    startTime: at('start_time'),
    startBootTime: at('start_boottime', 'real_start_time'),
    exitCode: at('exit_code'),
    signal: at('signal'),
    pid: at('thread_pid'),
    cgroups: at('cgroups'),
    cred: at('cred'),
    mm: at('mm'),
  };
}

/**
 * @param memoryIsV1 is memory counted in a hierarchy of cgroup v1?
 * @throws {FaultlineError} HOST_UNSUPPORTED: the kernel does not show its types, or they are not those that are known
 */
export function readKernelLayout(memoryIsV1: boolean): KernelLayout {
  const btf = readTypes();
  const victim = tracepointArguments(btf, 'mark_victim')[0] ?? 0;
  const upid = findType(btf, 'upid', 'structure') ?? 0;
  return Object.freeze({
    task: taskLayout(btf),
    signal: {
      live: offsetOf(btf, 'signal_struct', 'live'),
      flags: offsetOf(btf, 'signal_struct', 'flags'),
      groupExitCode: offsetOf(btf, 'signal_struct', 'group_exit_code'),
      oomScoreAdj: offsetOf(btf, 'signal_struct', 'oom_score_adj'),
    },
    pid: {
      level: offsetOf(btf, 'pid', 'level'),
      numbers: offsetOf(btf, 'pid', 'numbers') + offsetOf(btf, 'upid', 'nr'),
      namespaces: offsetOf(btf, 'pid', 'numbers') + offsetOf(btf, 'upid', 'ns'),
      namespaceInode: walk(btf, findType(btf, 'pid_namespace', 'structure') ?? 0, ['ns', 'inum']) ?? null,
      numberSize: sizeOf(btf, upid),
    },
    credUid: offsetOf(btf, 'cred', 'uid'),
    siCode: offsetOf(btf, 'kernel_siginfo', 'si_code'),
    mm: {
      argStart: offsetOf(btf, 'mm_struct', 'arg_start'),
      argEnd: offsetOf(btf, 'mm_struct', 'arg_end'),
      totalVm: offsetOf(btf, 'mm_struct', 'total_vm'),
    },
    rss: rssLayout(btf),
    cgroupPath: cgroupPath(btf, memoryIsV1),
    cgroupNode: offsetOf(btf, 'cgroup', 'kn'),
    node: {
      id: offsetOf(btf, 'kernfs_node', 'id'),
      name: offsetOf(btf, 'kernfs_node', 'name'),
      parent: offsetOf(btf, 'kernfs_node', '__parent', 'parent'),
    },
    exitTellsGroup: tracepointArguments(btf, 'sched_process_exit').length > 1,
    victimIsTask: plainType(btf, victim).type.kind === 'pointer',
  });
}
