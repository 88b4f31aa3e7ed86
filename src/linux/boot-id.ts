import { readFileSync } from 'node:fs';
import { toSyscallError } from './syscall-error.ts';

let known: string | undefined;

/** The UUID that the kernel drew at boot: random(4). PIDs and start times mean something only together with it. */
export function bootId(): string {
  try {
    known ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch (error) {
    throw toSyscallError(error);
  }
  return known;
}
