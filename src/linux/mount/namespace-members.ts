import { readlinkSync } from 'node:fs';
import { readNamespace } from '../procfs/namespaces.ts';
import { listPids } from '../procfs/process-list.ts';
import { isErrno, SyscallError } from '../syscall-error.ts';

/** What the processes of a mount namespace with one root folder see: a process in a chroot does not see all mounts. */
export interface NamespaceView {
  /** Inode number of the namespace. */
  readonly mountNamespace: number;
  /** A process that sees it so. */
  readonly pid: number;
}

/**
 * All views that processes of this host have of mounts, one process for each, in the order of the PIDs after those that
 * are preferred. Processes that are gone, or that we may not look at, are passed over.
 *
 * Costs two readlinks for each process that is looked at.
 */
export function* namespaceViews(preferred: readonly number[] = []): Generator<NamespaceView> {
  const seen = new Set<string>();
  for (const pid of [...preferred, process.pid, ...listPids()]) {
    const mountNamespace = unlessGone(() => readNamespace(pid, 'mnt'));
    const root = mountNamespace && unlessGone(() => readlinkSync(`/proc/${pid}/root`));
    if (mountNamespace === undefined || root === undefined || seen.has(`${mountNamespace} ${root}`)) continue;
    seen.add(`${mountNamespace} ${root}`);
    yield { mountNamespace, pid };
  }
}

/** PIDs through which a mount namespace can be reached, one for each view; none when nobody is in it any more. */
export function* namespaceMembers(wanted: number, preferred: readonly number[]): Generator<number> {
  for (const { mountNamespace, pid } of namespaceViews(preferred)) {
    if (mountNamespace === wanted) yield pid;
  }
}

/** A process of a mount namespace: this one, if it still is in it, or else any; undefined when nobody is. */
export function someoneIn(mountNamespace: number, preferred: number): number | undefined {
  const [pid] = namespaceMembers(mountNamespace, [preferred]);
  return pid;
}

function unlessGone<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof SyscallError || isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}
