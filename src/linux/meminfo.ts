import { readFileSync } from 'node:fs';
import { toSyscallError } from './syscall-error.ts';

/** Memory of the host in bytes: proc_meminfo(5). */
export interface MemoryInfo {
  readonly totalBytes: number;
  /** What programs could be given without swapping. */
  readonly availableBytes: number;
  readonly swapTotalBytes: number;
  readonly swapFreeBytes: number;
}

export function parseMeminfo(text: string): MemoryInfo {
  const value = (key: string): number => Number(new RegExp(`^${key}: +(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return Object.freeze({
    totalBytes: value('MemTotal'),
    availableBytes: value('MemAvailable'),
    swapTotalBytes: value('SwapTotal'),
    swapFreeBytes: value('SwapFree'),
  });
}

export function readMeminfo(): MemoryInfo {
  try {
    return parseMeminfo(readFileSync('/proc/meminfo', 'latin1'));
  } catch (error) {
    throw toSyscallError(error);
  }
}
