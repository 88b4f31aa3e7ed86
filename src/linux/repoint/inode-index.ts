import { listDescriptors } from './open-files.ts';
import { placeAt } from './volume-place.ts';
import type { VolumeSide } from './volume-side.ts';

/** Files that some processes have open, by inode number, to be opened again though they have no name any more. */
export interface InodeIndex {
  has(inode: bigint): boolean;
  /** A link of /proc that means the file. */
  find(inode: bigint): string | undefined;
}

/**
 * Looks at what processes have open of the volume on this side; where two different files have the same number, neither
 * is listed.
 *
 * @throws SyscallError EACCES
 */
export function indexOpenInodes(side: VolumeSide, pids: readonly number[]): InodeIndex {
  const found = new Map<bigint, { readonly link: string; readonly device: string }>();
  const ambiguous = new Set<bigint>();
  for (const pid of pids) {
    for (const fd of listDescriptors(pid, pid)) {
      const link = `/proc/${pid}/fd/${fd}`;
      const place = placeAt(side, link);
      if (place === undefined) continue;
      const { inode, device } = place;
      if ((found.get(inode)?.device ?? device) !== device) ambiguous.add(inode);
      found.set(inode, { link, device });
    }
  }
  return {
    has: (inode) => found.has(inode) && !ambiguous.has(inode),
    find: (inode) => (ambiguous.has(inode) ? undefined : found.get(inode)?.link),
  };
}
