import { FaultlineError } from '../../base/error.ts';
import { type ProcessRef, readProcessRecord } from './read.ts';

/** /proc/PID/status, the fields that are used: proc_pid_status(5). */
export interface ProcessStatus {
  /** The process that this thread belongs to. */
  readonly tgid: number;
  readonly ppid: number;
  /** Who traces it, 0 for nobody. */
  readonly tracerPid: number;
  readonly realUid: number;
  readonly effectiveUid: number;
  readonly realGid: number;
  readonly effectiveGid: number;
  readonly threads: number;
  /** Its PID in each nested PID namespace, from that of the /proc mount inward; empty before Linux 4.1. */
  readonly nsPids: readonly number[];
  /** Signal sets: bit n-1 stands for signal n. Pending for this thread, and for the whole process. */
  readonly pending: bigint;
  readonly sharedPending: bigint;
  readonly blocked: bigint;
  readonly ignored: bigint;
  readonly caught: bigint;
  /** Effective capabilities: bit n stands for capability n of include/uapi/linux/capability.h. */
  readonly effectiveCapabilities: bigint;
}

/** What a process does with a signal, as far as the kernel knows. */
export interface SignalDisposition {
  readonly pending: boolean;
  readonly blocked: boolean;
  readonly ignored: boolean;
  readonly caught: boolean;
}

/** Reads /proc/PID/status; undefined when the process is gone. */
export function readStatus(process: ProcessRef): ProcessStatus | undefined {
  const bytes = readProcessRecord(process, 'status');
  return bytes === undefined ? undefined : parseStatus(bytes);
}

/**
 * Parses /proc/PID/status.
 *
 * @throws FaultlineError HOST_UNSUPPORTED: a field is missing
 */
export function parseStatus(bytes: Uint8Array): ProcessStatus {
  // The kernel escapes newlines in the process's name here, so what follows a newline is a key.
  const lines = `\n${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')}\n`;
  const text = (key: string): string | undefined => {
    const start = lines.indexOf(`\n${key}:`);
    return start === -1 ? undefined : lines.slice(start + key.length + 2, lines.indexOf('\n', start + 1)).trim();
  };
  const required = (key: string): string => {
    const value = text(key);
    if (value === undefined) throw new FaultlineError('HOST_UNSUPPORTED', `/proc/PID/status has no field ${key}`);
    return value;
  };
  const numbers = (value: string): number[] => value.split('\t').map(Number);
  const number = (key: string, index = 0): number => numbers(required(key))[index] ?? Number.NaN;
  const mask = (key: string): bigint => BigInt(`0x${required(key)}`);
  const nsPids = text('NSpid');
  return {
    tgid: number('Tgid'),
    ppid: number('PPid'),
    tracerPid: number('TracerPid'),
    realUid: number('Uid'),
    effectiveUid: number('Uid', 1),
    realGid: number('Gid'),
    effectiveGid: number('Gid', 1),
    threads: number('Threads'),
    nsPids: nsPids === undefined ? [] : numbers(nsPids),
    pending: mask('SigPnd'),
    sharedPending: mask('ShdPnd'),
    blocked: mask('SigBlk'),
    ignored: mask('SigIgn'),
    caught: mask('SigCgt'),
    effectiveCapabilities: mask('CapEff'),
  };
}

/** What the main thread of a process does with signal `number`. */
export function signalDisposition(status: ProcessStatus, number: number): SignalDisposition {
  const bit = 1n << BigInt(number - 1);
  const has = (mask: bigint): boolean => (mask & bit) !== 0n;
  return {
    pending: has(status.pending | status.sharedPending),
    blocked: has(status.blocked),
    ignored: has(status.ignored),
    caught: has(status.caught),
  };
}
