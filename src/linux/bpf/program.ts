import { closeSync } from 'node:fs';
import { FaultlineError } from '../../base/error.ts';
import { isErrno } from '../syscall-error.ts';
import type { BpfProgram } from './assembler.ts';
import { encode, instructionSize } from './instruction.ts';
import { objectName } from './map.ts';
import { attributes, type Attributes, bpf, BpfCommand, stableCopy, stableMemory, stableText } from './system-call.ts';

/*
 * Loading programs: BPF_PROG_LOAD, with what the verifier has to say when it refuses one.
 */

/** What a program is attached to, which decides what it is given and what it may call. */
export type ProgramKind =
  | { readonly type: 'kprobe' | 'tracepoint' | 'raw-tracepoint' }
  /** Takes the place of a function that may fail: BPF_MODIFY_RETURN. `functionId` is its type in the kernel's BTF. */
  | { readonly type: 'modify-return'; readonly functionId: number };

/** enum bpf_prog_type */
const programTypes = { kprobe: 2, tracepoint: 5, 'raw-tracepoint': 17, 'modify-return': 26 } as const;

/** enum bpf_attach_type */
const BPF_MODIFY_RETURN = 26;

const logBytes = 1024 * 1024;

interface Log {
  readonly level: number;
  readonly buffer: Buffer;
}

/** Offsets in `union bpf_attr` for BPF_PROG_LOAD. */
function loadAttributes(name: string, program: BpfProgram, kind: ProgramKind, log: Log | undefined): Attributes {
  const code = stableCopy(encode(program.instructions));
  const asked = attributes(120, [
    [0, 32, programTypes[kind.type]],
    [4, 32, code.length / instructionSize],
    [8, 64, code],
    [16, 64, stableText('GPL')], // most of what programs call is for those only
    ...(log === undefined
      ? []
      : [[24, 32, log.level] as const, [28, 32, log.buffer.length] as const, [32, 64, log.buffer] as const]),
    ...(kind.type === 'modify-return'
      ? [[68, 32, BPF_MODIFY_RETURN] as const, [108, 32, kind.functionId] as const]
      : []),
  ]);
  objectName(name).copy(asked.bytes, 48);
  return asked;
}

function textOf({ buffer }: Log): string {
  const end = buffer.indexOf(0);
  return buffer.toString('latin1', 0, end === -1 ? buffer.length : end).trim();
}

/** What the verifier says last is why it refuses; what comes after it are statistics. */
function lastWords(log: string): string {
  const lines = log.split('\n').filter((line) => !/^(?:processed|verification time|stack depth|from )/u.test(line));
  return lines.at(-1) ?? '';
}

/** A signal that comes while the verifier is at work makes it give up with EAGAIN: kernel/bpf/verifier.c, do_check. */
const maxTries = 20;

function load(asked: () => Attributes): number {
  for (let tries = 1; ; tries += 1) {
    try {
      return bpf(BpfCommand.PROG_LOAD, asked());
    } catch (error) {
      if (tries === maxTries || !isErrno(error, 'EAGAIN')) throw error;
    }
  }
}

/**
 * Load a program: BPF_PROG_LOAD. Close it with `closeSync`; it lives as long as a descriptor or what it is attached to.
 *
 * @returns its descriptor
 * @throws {FaultlineError} SYSCALL_FAILED: the verifier refuses it; `details.log` has all of its words
 * @throws {SyscallError} EPERM
 */
export function loadProgram(name: string, program: BpfProgram, kind: ProgramKind): number {
  try {
    return load(() => loadAttributes(name, program, kind, undefined));
  } catch (error) {
    if (isErrno(error, 'EPERM')) throw error;
    // Once more for its words: writing them takes time, which a program that is accepted need not spend.
    const log: Log = { level: 1, buffer: stableMemory(logBytes) };
    try {
      return load(() => loadAttributes(name, program, kind, log));
    } catch (cause) {
      throw refused(name, textOf(log), cause);
    }
  }
}

function refused(name: string, log: string, cause: unknown): unknown {
  if (log === '') return cause;
  return new FaultlineError('SYSCALL_FAILED', `the kernel refuses the program ${name}: ${lastWords(log)}`, {
    hint: 'with -o json, details.log has all that its verifier says',
    cause,
    details: { log: log.slice(-8192) },
  });
}

/** Is there still a program of this number? */
export function programExists(id: number): boolean {
  try {
    closeSync(bpf(BpfCommand.PROG_GET_FD_BY_ID, attributes(12, [[0, 32, id]])));
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

/**
 * Run a raw tracepoint's program once, now, on these arguments: BPF_PROG_TEST_RUN, Linux 5.10.
 *
 * @returns what the program returned
 */
export function runProgram(fd: number, parameters: readonly bigint[]): number {
  const context = stableMemory(parameters.length * 8);
  for (const [index, value] of parameters.entries()) context.writeBigUInt64LE(BigInt.asUintN(64, value), index * 8);
  const asked = attributes(80, [
    [0, 32, fd],
    [40, 32, context.length],
    [48, 64, context],
  ]);
  bpf(BpfCommand.PROG_TEST_RUN, asked);
  return asked.bytes.readUInt32LE(4);
}
