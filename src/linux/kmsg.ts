import { closeSync, constants, openSync, readSync } from 'node:fs';
import { isErrno } from './syscall-error.ts';

/** Larger than any record: CONSOLE_EXT_LOG_MAX of kernel/printk/printk.c. */
const recordBytes = 16 * 1024;

/** Why the kernel's log cannot be read here. */
export type KmsgRefusal = 'absent' | 'forbidden';

/**
 * The kernel's log as it is now, record by record: /dev/kmsg, as Documentation/ABI/testing/dev-kmsg has it.
 *
 * @param take is given each record with its newlines: `6,1234,14658582809,-;message`; valid only during the call
 * @returns why it cannot be read, if so: containers have no /dev/kmsg, and kernel.dmesg_restrict keeps it for root
 */
export function readKmsg(take: (record: Uint8Array) => void): KmsgRefusal | undefined {
  let fd: number;
  try {
    fd = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isErrno(error, 'EPERM', 'EACCES')) return 'forbidden';
    if (isErrno(error, 'ENOENT', 'ENXIO', 'ENODEV')) return 'absent';
    throw error;
  }
  const buffer = Buffer.allocUnsafe(recordBytes);
  try {
    for (;;) {
      const count = readRecord(fd, buffer);
      if (count === undefined) return undefined;
      if (count > 0) take(buffer.subarray(0, count));
    }
  } finally {
    closeSync(fd);
  }
}

/** @returns undefined at the end; 0 where records were overwritten while it was read */
function readRecord(fd: number, buffer: Buffer): number | undefined {
  try {
    const count = readSync(fd, buffer, 0, buffer.length, null);
    return count === 0 ? undefined : count;
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return undefined;
    if (isErrno(error, 'EPIPE')) return 0;
    throw error;
  }
}
