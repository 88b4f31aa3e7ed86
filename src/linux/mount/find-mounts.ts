import { type Mount, readMounts } from '../mount-table.ts';
import { isErrno } from '../syscall-error.ts';
import { namespaceViews } from './namespace-members.ts';

/** A mount, and where it is. */
export interface FoundMount {
  /** Inode number of the namespace. */
  readonly mountNamespace: number;
  /** A process that sees it. */
  readonly pid: number;
  readonly mount: Mount;
}

/**
 * All mounts with this type and source that processes of this host see: a namespace that is made while ours stands (a
 * new container, `unshare --mount`) gets a copy of it, which does not go with the original.
 *
 * A namespace that has no process, and that only a file keeps (nsenter(1) calls it persistent), is not seen.
 */
export function findMounts(fsType: string, source: string): FoundMount[] {
  const found = new Map<string, FoundMount>();
  for (const { mountNamespace, pid } of namespaceViews()) {
    for (const mount of mountsOf(pid)) {
      const key = `${mountNamespace} ${mount.mountId}`;
      if (mount.fsType === fsType && mount.source === source && !found.has(key)) {
        found.set(key, { mountNamespace, pid, mount });
      }
    }
  }
  return [...found.values()];
}

/** None for a process that is gone meanwhile, or that we may not look at. */
function mountsOf(pid: number): readonly Mount[] {
  try {
    return readMounts(pid) ?? [];
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return [];
    throw error;
  }
}
