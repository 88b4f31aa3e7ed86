import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { type Mount, readMounts } from '../mount-table.ts';
import { readNamespace } from '../procfs/namespaces.ts';
import { inMountNamespace } from './hop.ts';
import type { MountIdentity } from './mount-identity.ts';
import { namespaceMembers } from './namespace-members.ts';
import type { RemoveTask } from './placing.ts';

export interface AttachRequest {
  /** Whose mount namespace, and whose root the path begins at; ourselves if left out. */
  readonly pid?: number;
  /** An absolute path of a folder. */
  readonly path: string;
  /** A detached mount, of `createFuseMount`. It stays open, for the caller to close. */
  readonly mountFd: number;
  /** The folder that was looked at before (`resolveVolume`): another one is refused. */
  readonly expected?: { readonly mountNamespace: number; readonly inode: bigint; readonly mountId: number };
  /** For how long to wait for file systems on the way, in another namespace; 20,000 if left out. */
  readonly patienceMs?: number;
}

/** A mount that stands. All but `rootFd` is plain data, and finds the mount again from another process. */
export interface Attachment {
  /** The folder below, opened with O_PATH before it was covered. For the caller to close. */
  readonly rootFd: number;
  /** Inode number of the mount namespace. */
  readonly mountNamespace: number;
  readonly mountId: number;
  /** Undefined before Linux 6.8. */
  readonly uniqueMountId: number | undefined;
  /** `major:minor` of the file system that was mounted. */
  readonly device: string;
  /** The mount that the folder below lies on. */
  readonly backingMountId: number;
}

/**
 * Mounts over a folder, in our mount namespace or in another one.
 *
 * The folder need not be a mount point, and what it lies on may be read-only or shared. In the latter case the mount
 * appears wherever the kernel passes mounts on to, and goes from there with it: mount_namespaces(7).
 *
 * When this throws, nothing stands there. One exception: if a file system stops answering just between placing and
 * looking, which only `findMounts` tells then.
 *
 * @throws FaultlineError PROCESS_NOT_FOUND; VOLUME_BUSY: it is not the expected folder any more, something else was
 *   mounted there at the same moment, or a file system does not answer
 * @throws SyscallError ENOENT, ENOTDIR, ELOOP of the path; EPERM, EACCES: CAP_SYS_ADMIN or CAP_SYS_PTRACE are missing
 */
export async function attach(request: AttachRequest): Promise<Attachment> {
  const { pid = process.pid, path, mountFd, expected } = request;
  const mountNamespace = readNamespace(pid, 'mnt');
  if (mountNamespace === undefined) {
    throw new FaultlineError('PROCESS_NOT_FOUND', `there is no process ${pid}`);
  }
  if (expected !== undefined && expected.mountNamespace !== mountNamespace) {
    throw new FaultlineError('VOLUME_BUSY', `process ${pid} is not in the mount namespace any more that it was in`);
  }
  const placed = await inMountNamespace(
    { pid, mountNamespace, patienceMs: request.patienceMs },
    { kind: 'place', path, mountFd, ...(expected === undefined ? {} : { folder: expected }) },
  );
  return Object.freeze({
    rootFd: placed.rootFd,
    mountNamespace,
    mountId: placed.mount.mountId,
    uniqueMountId: placed.mount.uniqueMountId,
    device: placed.mount.device,
    backingMountId: placed.backing.mountId,
  });
}

export interface DetachRequest {
  /** Processes that were seen in the namespace, best the one it was attached for; others are found if they are gone. */
  readonly pids: readonly number[];
  /** Inode number of the mount namespace. */
  readonly mountNamespace: number;
  readonly mount: Pick<MountIdentity, 'mountId' | 'uniqueMountId'>;
  /** The source that it was made with: a second mark by which a stranger with the same number is told. */
  readonly source: string;
  /**
   * Somebody serves the mount. Then what others have mounted within it since is put onto the folder below; otherwise
   * such mounts cannot be reached, and go with it.
   */
  readonly served: boolean;
  /** As in {@link AttachRequest}. */
  readonly patienceMs?: number;
}

export interface Detached {
  /** `gone`: it was not there any more; `namespace-gone`: nobody is in the namespace, so that it has ended. */
  readonly outcome: 'detached' | 'gone' | 'namespace-gone';
  /** Where it stood. */
  readonly path?: string;
  /** Mounts of others, made within ours, that could not be kept: their paths. */
  readonly lost: readonly string[];
}

/**
 * Takes a mount of ours away, in its namespace; whoever has files of it open goes on having them (MNT_DETACH).
 *
 * Where it stands is looked up by its number, so that it is found even if somebody has moved it, or a folder above it.
 *
 * @throws FaultlineError VOLUME_BUSY: it is there but cannot be reached; it is locked, which happens to copies that
 *   namespaces with users of their own got while it stood
 * @throws SyscallError EPERM, EACCES: capabilities are missing
 */
export async function detach(request: DetachRequest): Promise<Detached> {
  const { mountNamespace, patienceMs } = request;
  let members = 0;
  for (const pid of namespaceMembers(mountNamespace, request.pids)) {
    members += 1;
    const mounts = readMounts(pid) ?? [];
    const ours = mounts.find((mount) => isOurs(mount, request));
    if (ours === undefined) continue;
    const removed = await inMountNamespace({ pid, mountNamespace, patienceMs }, removal(ours, mounts, request));
    if (!removed.done || readMounts(pid)?.some((mount) => isOurs(mount, request)) === true) {
      throw unreachable(ours);
    }
    const lost = request.served ? removed.lost : [...childrenOf(ours, mounts), ...removed.lost];
    return { outcome: 'detached', path: ours.mountPoint, lost };
  }
  return { outcome: members === 0 ? 'namespace-gone' : 'gone', lost: [] };
}

function isOurs(mount: Mount, { mount: { mountId }, source }: DetachRequest): boolean {
  return mount.mountId === mountId && mount.source === source;
}

function removal(ours: Mount, mounts: readonly Mount[], { mount, served }: DetachRequest): RemoveTask {
  return {
    kind: 'remove',
    mountPoint: ours.mountPoint,
    mount,
    covers: coversOf(ours, mounts),
    children: served ? childrenOf(ours, mounts) : [],
  };
}

/** Where others have mounted something within ours. */
function childrenOf(ours: Mount, mounts: readonly Mount[]): string[] {
  return mounts
    .filter(({ parentId, mountPoint }) => parentId === ours.mountId && mountPoint !== ours.mountPoint)
    .map(({ mountPoint }) => mountPoint);
}

/** Mounts that stand on it at the same place, and on those. */
function coversOf(ours: Mount, mounts: readonly Mount[]): number[] {
  const covers: number[] = [];
  for (let below = ours.mountId; ; ) {
    const cover = mounts.find(({ parentId, mountPoint }) => parentId === below && mountPoint === ours.mountPoint);
    if (cover === undefined) return covers;
    covers.push(cover.mountId);
    below = cover.mountId;
  }
}

function unreachable({ mountPoint, mountId }: Mount): FaultlineError {
  return new FaultlineError('VOLUME_BUSY', `another mount stands in the way on ${printable(mountPoint)}`, {
    hint: `unmount what was mounted there since, then recover again; ours has the number ${mountId}`,
  });
}
