import { closeSync, fstatSync } from 'node:fs';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { isErrno } from '../syscall-error.ts';
import { isSameMount, type MountIdentity, mountOf } from './mount-identity.ts';
import { cloneMountTree, detachMount, placeMount } from './mount-tree.ts';
import { openInRoot } from './path-lookup.ts';

/*
 * What is done within a mount namespace, by a thread that is in it. All paths are looked up from an open root folder,
 * and nothing else is read by name: the thread's own `/` may be another one's.
 */

/** Where the thread stands. */
export interface Standpoint {
  /** The root folder of the process whose paths are meant. */
  readonly rootFd: number;
  /** A path, for this thread, of an open descriptor of this process. */
  readonly fdPath: (fd: number) => string;
  /** Called when all is looked up, before something is placed. @throws FaultlineError it is not wanted any more */
  readonly commit: () => void;
}

export interface PlaceTask {
  readonly kind: 'place';
  readonly path: string;
  /** The detached mount. It stays open, and stands there afterwards. */
  readonly mountFd: number;
  /** The folder that is meant: another one that has taken its name since is refused. */
  readonly folder?: { readonly inode: bigint; readonly mountId: number };
}

export interface Placed {
  /** The folder below, open with O_PATH. For the caller to close. */
  readonly rootFd: number;
  readonly mount: MountIdentity;
  readonly backing: MountIdentity;
}

export interface RemoveTask {
  readonly kind: 'remove';
  readonly mountPoint: string;
  readonly mount: Pick<MountIdentity, 'mountId' | 'uniqueMountId'>;
  /** Mounts that stand on ours at the very same place, so that it is not seen. */
  readonly covers: readonly number[];
  /** Mounts that were put into folders of ours since, to be kept: where they stand. */
  readonly children: readonly string[];
}

export interface Removed {
  /** False: what stands there is another mount. */
  readonly done: boolean;
  /** Mounts of others that have gone with it. */
  readonly lost: readonly string[];
}

export function perform(standpoint: Standpoint, task: PlaceTask | RemoveTask): Placed | Removed {
  return task.kind === 'place' ? place(standpoint, task) : remove(standpoint, task);
}

/**
 * Opens the folder, and places the mount on it.
 *
 * @throws FaultlineError VOLUME_BUSY: the folder is another one by now, or something was mounted at the same moment
 * @throws SyscallError as of {@link openInRoot} and {@link placeMount}
 */
function place({ rootFd: root, fdPath, commit }: Standpoint, task: PlaceTask): Placed {
  const { path, mountFd, folder } = task;
  const rootFd = openInRoot(root, path, { folder: true });
  try {
    const backing = mountOf(rootFd);
    if (folder !== undefined && !isFolder(rootFd, backing, folder)) {
      throw new FaultlineError('VOLUME_BUSY', `${printable(path)} is not the folder any more that it was`, {
        hint: 'something was mounted there, or it was replaced, a moment ago: try again',
      });
    }
    commit();
    placeMount(mountFd, rootFd);
    const mount = mountOf(mountFd);
    if (!isSameMount(mount, mountSeen(root, path))) {
      detachMount(fdPath(mountFd));
      throw new FaultlineError('VOLUME_BUSY', `something else was mounted on ${printable(path)} at the same moment`, {
        hint: 'try again',
      });
    }
    return { rootFd, mount, backing };
  } catch (error) {
    closeSync(rootFd);
    throw error;
  }
}

function isFolder(fd: number, { mountId }: MountIdentity, folder: NonNullable<PlaceTask['folder']>): boolean {
  return mountId === folder.mountId && fstatSync(fd, { bigint: true }).ino === folder.inode;
}

/** What somebody finds who goes there now. */
function mountSeen(root: number, path: string): MountIdentity {
  const fd = openInRoot(root, path, { folder: true });
  try {
    return mountOf(fd);
  } finally {
    closeSync(fd);
  }
}

/** A mount of somebody else's that stood on ours, and is to stand there again. */
interface Rescued {
  readonly path: string;
  readonly treeFd: number;
}

/**
 * Takes a mount of ours away, and puts what others have mounted on it onto what is below.
 *
 * Nothing of it asks whoever serves the mount, except for finding `children`.
 *
 * @throws FaultlineError VOLUME_BUSY: it is locked
 * @throws SyscallError as of {@link openInRoot} and {@link detachMount}
 */
function remove(standpoint: Standpoint, task: RemoveTask): Removed {
  const { rootFd: root } = standpoint;
  const rescued: Rescued[] = [];
  const lost: string[] = [];
  try {
    for (const path of task.children) rescue(root, path, rescued, lost);
    const done = uncover(standpoint, task, rescued, lost);
    // What was put there last comes back last.
    for (const { path, treeFd } of rescued.toReversed()) {
      if (done) putBack(root, path, treeFd, lost);
    }
    return { done, lost };
  } finally {
    for (const { treeFd } of rescued) closeSync(treeFd);
  }
}

/** Takes away what covers ours, then ours. @returns false when something else stands there */
function uncover({ rootFd: root, fdPath }: Standpoint, task: RemoveTask, rescued: Rescued[], lost: string[]): boolean {
  for (;;) {
    const fd = openInRoot(root, task.mountPoint, { folder: true });
    try {
      const seen = mountOf(fd);
      const ours = isSameMount(seen, task.mount);
      if (!ours && !task.covers.includes(seen.mountId)) return false;
      if (!ours) rescueOpen(fd, task.mountPoint, rescued, lost);
      // By the descriptor, not by the path: whatever is mounted there from now on is not what we have looked at.
      detachOpen(fdPath(fd), task.mountPoint);
      if (ours) return true;
    } finally {
      closeSync(fd);
    }
  }
}

/** The kernel locks what a namespace has got from a more privileged one: mount_namespaces(7). */
function detachOpen(fdPath: string, mountPoint: string): void {
  try {
    detachMount(fdPath);
  } catch (error) {
    if (!isErrno(error, 'EINVAL')) throw error;
    throw new FaultlineError('VOLUME_BUSY', `the kernel has locked the mount on ${printable(mountPoint)}`, {
      hint: 'its namespace, which has users of its own, was made while the mount stood, and keeps it until it ends',
      cause: error,
    });
  }
}

function rescue(root: number, path: string, rescued: Rescued[], lost: string[]): void {
  let fd: number;
  try {
    fd = openInRoot(root, path);
  } catch {
    // Whoever serves our mount does not answer any more.
    lost.push(path);
    return;
  }
  try {
    rescueOpen(fd, path, rescued, lost);
  } finally {
    closeSync(fd);
  }
}

function rescueOpen(fd: number, path: string, rescued: Rescued[], lost: string[]): void {
  try {
    rescued.push({ path, treeFd: cloneMountTree(fd) });
  } catch (error) {
    // Unbindable mounts cannot be copied, nor moved if their parent is shared.
    if (!isErrno(error, 'EINVAL')) throw error;
    lost.push(path);
  }
}

function putBack(root: number, path: string, treeFd: number, lost: string[]): void {
  try {
    const fd = openInRoot(root, path);
    try {
      placeMount(treeFd, fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // The folder is there only in what was served.
    lost.push(path);
  }
}
