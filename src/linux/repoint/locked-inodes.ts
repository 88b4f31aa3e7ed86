import { readFileSync } from 'node:fs';

/** `1: OFDLCK ADVISORY  WRITE -1 fe:00:10501293 0 EOF`: lock_get_status in fs/locks.c. Not those who wait (`->`). */
const lockPattern = /^\d+: [A-Z]+ .* (-?\d+) [0-9a-f]+:[0-9a-f]+:(\d+) \d+ \S+$/gmu;

/** In place of the owner, of a lock of an open file description. */
export const ANYBODY = -1;

/**
 * The inodes of which there are locks or leases on this host, by /proc/locks.
 *
 * @param owners only of these processes
 */
export function lockedInodes(owners?: ReadonlySet<number>): ReadonlySet<bigint> {
  const found = readFileSync('/proc/locks', 'latin1').matchAll(lockPattern);
  return new Set(
    [...found].flatMap(([, owner, inode = '']) =>
      owners === undefined || owners.has(Number(owner)) ? [BigInt(inode)] : [],
    ),
  );
}
