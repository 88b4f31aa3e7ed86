import { closeSync, readFileSync } from 'node:fs';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { addressOf, bindSyscall } from '../libc.ts';
import { isErrno } from '../syscall-error.ts';
import { attributes, bpf, BpfCommand, stableMemory, stableText } from './system-call.ts';

/*
 * Where programs run. Each function gives back a descriptor; the program is attached as long as it is open, in whatever
 * process, and nothing is left in the file system that could outlive it.
 */

const perfEventOpen = bindSyscall('perf_event_open', ['pointer', 'int', 'int', 'int', 'ulong']);
const ioctl = bindSyscall('ioctl', ['int', 'ulong', 'ulong']);

/** include/uapi/linux/perf_event.h */
const PERF_FLAG_FD_CLOEXEC = 8;
const PERF_EVENT_IOC_ENABLE = 0x2400;
const PERF_EVENT_IOC_SET_BPF = 0x4004_2408;
const PERF_TYPE_TRACEPOINT = 2;
const PERF_ATTR_SIZE_VER6 = 120;

/** enum bpf_attach_type */
const BPF_MODIFY_RETURN = 26;
const BPF_PERF_EVENT = 41;

const pmuFolder = '/sys/bus/event_source/devices/kprobe';

interface KprobeUnit {
  /** The type of its events. */
  readonly type: number;
  /** The bit of `config` that asks for the function's return. */
  readonly returnBit: number;
}

let unit: KprobeUnit | undefined;

/** Whether and how the kernel makes kprobes; undefined without CONFIG_KPROBE_EVENTS. */
export function kprobeUnit(): KprobeUnit | undefined {
  try {
    const type = Number(readFileSync(`${pmuFolder}/type`, 'utf8'));
    const format = readFileSync(`${pmuFolder}/format/retprobe`, 'utf8');
    unit ??= Object.freeze({ type, returnBit: Number(/config:(\d+)/.exec(format)?.[1] ?? 0) });
    return unit;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

interface PerfEvent {
  readonly type: number;
  readonly config: bigint;
  /** The function of a kprobe. */
  readonly function?: string;
}

/** An event of all processes; the kernel wants one processor named and counts on all for probes and tracepoints. */
function openPerfEvent(event: PerfEvent): number {
  const bytes = stableMemory(PERF_ATTR_SIZE_VER6);
  const name = event.function === undefined ? undefined : stableText(event.function);
  bytes.writeUInt32LE(event.type, 0);
  bytes.writeUInt32LE(PERF_ATTR_SIZE_VER6, 4);
  bytes.writeBigUInt64LE(event.config, 8);
  bytes.writeBigUInt64LE(1n, 16); // sample_period: every time
  if (name !== undefined) bytes.writeBigUInt64LE(addressOf(name), 56); // kprobe_func, with probe_offset 0 after it
  return perfEventOpen(bytes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
}

/** BPF_LINK_CREATE with BPF_PERF_EVENT, Linux 5.15; before that by ioctl(2). @returns what to hold */
function attachToEvent(event: number, program: number): number {
  try {
    const link = attributes(48, [
      [0, 32, program],
      [4, 32, event],
      [8, 32, BPF_PERF_EVENT],
    ]);
    const fd = bpf(BpfCommand.LINK_CREATE, link);
    closeSync(event); // the link has it
    return fd;
  } catch (error) {
    if (!isErrno(error, 'EINVAL')) throw error;
  }
  ioctl(event, PERF_EVENT_IOC_SET_BPF, program);
  ioctl(event, PERF_EVENT_IOC_ENABLE, 0);
  return event;
}

function attachOrClose(event: number, program: number): number {
  try {
    return attachToEvent(event, program);
  } catch (error) {
    closeSync(event);
    throw error;
  }
}

export type ProbePlace = 'entry' | 'return';

/**
 * Run a program whenever a function of the kernel begins or returns: kprobes, Documentation/trace/kprobes.rst.
 *
 * @throws {FaultlineError} HOST_UNSUPPORTED: this kernel has no kprobes
 * @throws {SyscallError} ENOENT, EADDRNOTAVAIL: there is no such function; EINVAL: it must not be probed, or the
 *   program overrides what it returns and it is not in the kernel's list of those that may fail
 */
export function attachKprobe(name: string, place: ProbePlace, program: number): number {
  const kprobes = kprobeUnit();
  if (kprobes === undefined) {
    throw new FaultlineError('HOST_UNSUPPORTED', 'this kernel has no kprobes', {
      hint: 'it needs CONFIG_KPROBES and CONFIG_KPROBE_EVENTS',
    });
  }
  const config = place === 'return' ? 1n << BigInt(kprobes.returnBit) : 0n;
  return attachOrClose(openPerfEvent({ type: kprobes.type, config, function: name }), program);
}

/** Where tracefs is, or debugfs with it. */
const tracefsFolders = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'] as const;

function tracepointId(category: string, name: string): number {
  for (const folder of tracefsFolders) {
    try {
      return Number(readFileSync(`${folder}/events/${category}/${name}/id`, 'utf8'));
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
  throw new FaultlineError('HOST_UNSUPPORTED', `there is no tracepoint ${printable(`${category}/${name}`)}`, {
    hint: 'mount tracefs (mount -t tracefs tracefs /sys/kernel/tracing), or see in it what there is',
  });
}

/**
 * Run a program of the type `tracepoint` whenever a tracepoint is passed; its context is the record that the
 * tracepoint's `format` file describes.
 *
 * @throws {FaultlineError} HOST_UNSUPPORTED: there is no such tracepoint, or no tracefs
 */
export function attachTracepoint(category: string, name: string, program: number): number {
  const config = BigInt(tracepointId(category, name));
  return attachOrClose(openPerfEvent({ type: PERF_TYPE_TRACEPOINT, config }), program);
}

/**
 * Run a program of the type `raw-tracepoint` whenever a tracepoint is passed; its context are the arguments of the
 * tracepoint, 64 bits each. BPF_RAW_TRACEPOINT_OPEN, needs no tracefs.
 *
 * @throws {SyscallError} ENOENT: there is no such tracepoint
 */
export function attachRawTracepoint(name: string, program: number): number {
  return bpf(
    BpfCommand.RAW_TRACEPOINT_OPEN,
    attributes(16, [
      [0, 64, stableText(name)],
      [8, 32, program],
    ]),
  );
}

/**
 * Let a program of the type `modify-return` take the place of the function that it was loaded for. Linux 5.7.
 *
 * @throws {SyscallError} EINVAL, ENOTSUPP, EBUSY: this kernel cannot
 */
export function attachModifyReturn(program: number): number {
  try {
    return bpf(
      BpfCommand.LINK_CREATE,
      attributes(48, [
        [0, 32, program],
        [4, 32, 0],
        [8, 32, BPF_MODIFY_RETURN],
      ]),
    );
  } catch (error) {
    if (!isErrno(error, 'EINVAL')) throw error;
    // Before Linux 5.14 such links are made as those of raw tracepoints are, without a name.
    return bpf(BpfCommand.RAW_TRACEPOINT_OPEN, attributes(16, [[8, 32, program]]));
  }
}
