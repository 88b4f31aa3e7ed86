import { closeSync, fstatSync, openSync, readlinkSync } from 'node:fs';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { type Mount, readMounts } from '../mount-table.ts';
import { readNamespace } from '../procfs/namespaces.ts';
import { isErrno, toSyscallError } from '../syscall-error.ts';
import { type MountAttribute, mountAttributes } from './fs-context.ts';
import { mountOf } from './mount-identity.ts';
import { namespaceMembers } from './namespace-members.ts';
import { FOLDER_PATH_FLAGS, openInRoot } from './path-lookup.ts';
import { type KeptOut, refuseKeptOut } from './volume-overlap.ts';
import { isWithin, mountByName, normalizeVolumePath, refuseMount, refuseRoot } from './volume-rules.ts';

export interface VolumeRequest {
  /** As users write it: absolute, from the root of the process. */
  readonly path: string;
  /** Whose files; our own if left out. */
  readonly pid?: number;
  /** Folders of this host that must neither be in the volume nor around it: the state folder, the program. */
  readonly keepOut: readonly KeptOut[];
}

/** A folder that can be mounted over, and what is known of it. Plain data but for `inode`. */
export interface Volume {
  /** As it was given, tidied. Symbolic links may be on the way, so that this is what the users' globs begin with. */
  readonly path: string;
  /** Without symbolic links: what /proc shows of files in it. Begins at the root of the process, as `path` does. */
  readonly realPath: string;
  readonly pid: number;
  /** Inode number of the mount namespace. */
  readonly mountNamespace: number;
  /** The mount that the folder lies on, or is the root of. */
  readonly mountId: number;
  /** The folder is the root of that mount. */
  readonly isMountPoint: boolean;
  /** `major:minor` as in mountinfo. */
  readonly device: string;
  readonly inode: bigint;
  /** st_mode of the folder. */
  readonly mode: number;
  readonly fsType: string;
  readonly readOnly: boolean;
  /** What our mount has to have, too: for `createFuseMount`. */
  readonly attributes: readonly MountAttribute[];
  /** Mounts go to other places from here, and with them ours: mount_namespaces(7). */
  readonly shared: boolean;
  /** What is mounted below the folder. It stays to be seen through our mount. */
  readonly submounts: readonly Submount[];
}

export interface Submount {
  readonly mountId: number;
  /** From the root of the process. */
  readonly mountPoint: string;
  readonly fsType: string;
}

/**
 * Looks at a folder that faults are to be put into, as a process sees it. Changes nothing.
 *
 * Symbolic links on the way are followed within the root of the process. The folder itself must not be one: the mount
 * would stand where the link leads today, and programs that follow it would miss the faults once it leads elsewhere.
 *
 * @throws FaultlineError VOLUME_INVALID, VOLUME_NOT_FOUND, VOLUME_BUSY, PROCESS_NOT_FOUND
 * @throws SyscallError EACCES, EPERM: not ours to look at
 */
export function resolveVolume(request: VolumeRequest): Volume {
  const path = normalizeVolumePath(request.path);
  const pid = request.pid ?? process.pid;
  const mountNamespace = readNamespace(pid, 'mnt');
  const mounts = readMounts(pid);
  if (mountNamespace === undefined || mounts === undefined) throw processGone(pid);
  const named = mountByName(path, mounts);
  if (named !== undefined) refuseMount(path, named, []);

  const root = openRoot(pid);
  try {
    const fd = openFolder(root, path);
    try {
      return look({ path, pid, mountNamespace, mounts, root, fd, keepOut: request.keepOut });
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(root);
  }
}

function processGone(pid: number): FaultlineError {
  return new FaultlineError('PROCESS_NOT_FOUND', `there is no process ${pid}`, { hint: 'see ps -e' });
}

function openRoot(pid: number): number {
  try {
    return openSync(`/proc/${pid}/root`, FOLDER_PATH_FLAGS);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) throw processGone(pid);
    throw toSyscallError(error);
  }
}

function openFolder(root: number, path: string): number {
  const shown = printable(path);
  let fd: number;
  try {
    fd = openInRoot(root, path, { keepLink: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      throw new FaultlineError('VOLUME_NOT_FOUND', `there is no folder ${shown}`, {
        hint: 'the path is looked up as the process sees it, which in a container is not as the host does',
        cause: error,
      });
    }
    if (isErrno(error, 'ENOTCONN', 'ECONNABORTED')) {
      throw new FaultlineError(
        'VOLUME_BUSY',
        `there is a FUSE mount on the way to ${shown} that nobody serves any more`,
        {
          hint: 'if it is left from an injection, recover that; otherwise unmount it',
          cause: error,
        },
      );
    }
    if (isErrno(error, 'ENOTDIR', 'ELOOP', 'EXDEV', 'ENAMETOOLONG')) {
      throw new FaultlineError('VOLUME_INVALID', `${shown} is not a path of a folder`, {
        hint: 'something on the way is no folder, or a symbolic link that leads in a circle or into /proc',
        cause: error,
      });
    }
    throw error;
  }
  const status = fstatSync(fd);
  if (status.isDirectory()) return fd;
  try {
    throw status.isSymbolicLink() ? isLink(root, path) : notFolder(shown);
  } finally {
    closeSync(fd);
  }
}

function notFolder(shown: string): FaultlineError {
  return new FaultlineError('VOLUME_INVALID', `${shown} is not a folder`, {
    hint: 'name the folder that the file is in',
  });
}

function isLink(root: number, path: string): FaultlineError {
  const target = placeBehind(root, path);
  const leads = target === undefined ? 'nowhere' : `to ${printable(target)}`;
  return new FaultlineError('VOLUME_INVALID', `${printable(path)} is a symbolic link, which leads ${leads}`, {
    hint: target === undefined ? 'name a folder' : `name the folder itself: ${printable(target)}`,
  });
}

function placeBehind(root: number, path: string): string | undefined {
  try {
    const fd = openInRoot(root, path);
    try {
      return realPathOf(root, fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** Where an open place lies, from an open root on. Both lie in the same mount namespace, which need not be ours. */
function realPathOf(root: number, fd: number): string {
  const [rootPath, path] = [root, fd].map((one) => readlinkSync(`/proc/self/fd/${one}`));
  if (rootPath === undefined || path === undefined || rootPath === '/') return path ?? '/';
  return path.slice(rootPath.length) || '/';
}

interface Found {
  readonly path: string;
  readonly pid: number;
  readonly mountNamespace: number;
  readonly mounts: readonly Mount[];
  readonly root: number;
  readonly fd: number;
  readonly keepOut: readonly KeptOut[];
}

function look(found: Found): Volume {
  const { path, pid, mountNamespace, root, fd } = found;
  const status = fstatSync(fd, { bigint: true });
  if (status.nlink === 0n) {
    throw new FaultlineError('VOLUME_NOT_FOUND', `${printable(path)} was removed`, { hint: 'make it anew' });
  }
  const realPath = realPathOf(root, fd);
  refuseRoot(realPath);
  const { mountId, isMountRoot } = mountOf(fd);
  const mount = mountNumbered(mountId, found);
  const submounts = mountsBelow(realPath, mountId, found.mounts);
  refuseMount(realPath, mount, submounts);
  const readOnly = mount.options.includes('ro') || mount.superOptions.includes('ro');
  refuseKeptOut({ path, realPath, fd, mount }, found.keepOut);
  return Object.freeze({
    path,
    realPath,
    pid,
    mountNamespace,
    mountId,
    isMountPoint: isMountRoot,
    device: mount.device,
    inode: status.ino,
    mode: Number(status.mode),
    fsType: mount.fsType,
    readOnly,
    attributes: Object.freeze(mountAttributes(readOnly ? [...new Set(['ro', ...mount.options])] : mount.options)),
    shared: mount.propagation.some((field) => field.startsWith('shared:')),
    submounts: Object.freeze(
      submounts.map(({ mountPoint, fsType, mountId: id }) => ({ mountId: id, mountPoint, fsType })),
    ),
  });
}

/** The mount in the table; a process in a chroot does not see the one that its root lies on, but others do. */
function mountNumbered(mountId: number, { pid, mountNamespace, mounts, path }: Found): Mount {
  const ownView = mounts.find((mount) => mount.mountId === mountId);
  if (ownView !== undefined) return ownView;
  for (const other of namespaceMembers(mountNamespace, [pid])) {
    const mount = readMounts(other)?.find((candidate) => candidate.mountId === mountId);
    if (mount !== undefined) return mount;
  }
  throw new FaultlineError('VOLUME_INVALID', `it cannot be told what ${printable(path)} lies on`, {
    hint: `the process has another root than its mount namespace, and nobody else is in that; name a mount point`,
  });
}

/** Only what stands on the mount, and on what stands there: others in the table may be covered by it. */
function mountsBelow(folder: string, mountId: number, mounts: readonly Mount[]): Mount[] {
  return mounts
    .filter(({ parentId, mountPoint }) => parentId === mountId && mountPoint !== folder && isWithin(mountPoint, folder))
    .flatMap((mount) => [mount, ...mountsBelow(folder, mount.mountId, mounts)]);
}
