import { readFileSync } from 'node:fs';

/**
 * A random UUID (version 4) from the kernel, a fresh one at each read of /proc/sys/kernel/random/uuid; see random(4).
 *
 * Not `crypto.randomUUID()`, for which Node.js loads its whole cryptography, some milliseconds of every attack.
 */
export function randomUuid(): string {
  return readFileSync('/proc/sys/kernel/random/uuid', 'latin1').trim();
}
