import { type ProcessRef, readProcessFile } from './read.ts';

/**
 * The arguments of a process, argv[0] first: proc_pid_cmdline(5). Empty for kernel threads and zombies.
 *
 * The process may have overwritten them with anything, control characters included. Bytes that are no UTF-8 come out
 * as U+FFFD.
 *
 * @returns undefined when the process is gone
 */
export function readCmdline(process: ProcessRef): string[] | undefined {
  const bytes = readProcessFile(process, 'cmdline');
  return bytes === undefined ? undefined : parseCmdline(bytes);
}

/** Splits the content of /proc/PID/cmdline: each argument ends with NUL, except where the process wrote over it. */
export function parseCmdline(bytes: Uint8Array): string[] {
  if (bytes.length === 0) return [];
  const end = bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length;
  return Buffer.from(bytes.buffer, bytes.byteOffset, end).toString('utf8').split('\0');
}
