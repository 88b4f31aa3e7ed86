import { readdirSync, readFileSync, realpathSync, statfsSync } from 'node:fs';
import { join } from 'node:path/posix';
import { FaultlineError } from '../base/error.ts';
import { type Mount, readMounts } from './mount-table.ts';
import { readStatus } from './procfs/status.ts';
import { isErrno, toSyscallError } from './syscall-error.ts';

/** File system types as statfs(2) tells them: include/uapi/linux/magic.h. */
const CGROUP_SUPER_MAGIC = 0x0027_e0eb;
const CGROUP2_SUPER_MAGIC = 0x6367_7270;

/**
 * The processes of a cgroup and of all cgroups below it, v1 or v2: cgroups(7).
 *
 * @param path a folder of a cgroup file system (`/sys/fs/cgroup/system.slice`), or a path from the root of the
 *   hierarchy as /proc/PID/cgroup shows it (`/system.slice`). The latter is looked up in every hierarchy that is
 *   mounted, and the members of all of them are given together.
 * @returns PIDs as our PID namespace sees them; members that it does not see are left out
 * @throws FaultlineError CGROUP_NOT_FOUND
 */
export function cgroupMembers(path: string): Set<number> {
  if (path === '' || path.includes('\0') || path.split('/').includes('..')) {
    throw notFound(path, 'give the path without `..`');
  }
  const folders = foldersOf(path);
  if (folders.length === 0) {
    throw notFound(path, 'give a folder below /sys/fs/cgroup, or a path as /proc/PID/cgroup shows it');
  }
  const members = new Set<number>();
  for (const folder of folders) collect(folder, members);
  return members;
}

/**
 * The folder of a cgroup in the unified hierarchy (v2), the only one that the kernel's programs can ask about.
 *
 * @param path as {@link cgroupMembers} takes it
 * @throws FaultlineError CGROUP_NOT_FOUND
 */
export function unifiedCgroupFolder(path: string): string {
  if (path === '' || path.includes('\0') || path.split('/').includes('..')) {
    throw notFound(path, 'give the path without `..`');
  }
  const folders = foldersOf(path);
  const unified = folders.find((folder) => statfsSync(folder).type === CGROUP2_SUPER_MAGIC);
  if (unified !== undefined) return unified;
  const anywhere = 'give a folder below /sys/fs/cgroup, or a path as /proc/PID/cgroup shows it';
  throw notFound(path, folders.length === 0 ? anywhere : 'this is of version 1, and must be of version 2: cgroups(7)');
}

/** The folder itself where it is one of a cgroup file system; else the cgroup of that name in every hierarchy. */
function foldersOf(path: string): string[] {
  const itself = path.startsWith('/') ? cgroupFolder(path) : undefined;
  if (itself !== undefined) return [itself];
  const mounts = (readMounts('self') ?? []).filter(({ fsType }) => fsType === 'cgroup' || fsType === 'cgroup2');
  const folders = mounts.flatMap((mount) => cgroupFolder(folderInMount(mount, path)) ?? []);
  return [...new Set(folders)];
}

/**
 * The folder of a cgroup in the hierarchy that has a controller.
 *
 * @param controller of a v1 hierarchy: `memory`; null for v2
 * @param path from the root of the hierarchy, as /proc/PID/cgroup shows it
 * @returns undefined where the hierarchy, or that part of it, is not mounted
 */
export function controllerFolder(controller: string | null, path: string): string | undefined {
  for (const mount of readMounts('self') ?? []) {
    const fits = controller === null ? mount.fsType === 'cgroup2' : isV1Hierarchy(mount, controller);
    const folder = fits ? cgroupFolder(folderInMount(mount, path)) : undefined;
    if (folder !== undefined) return folder;
  }
  return undefined;
}

function isV1Hierarchy({ fsType, superOptions }: Mount, controller: string): boolean {
  return fsType === 'cgroup' && superOptions.includes(controller);
}

/** Where a mount shows a path of its hierarchy; undefined where only another part of the hierarchy is mounted. */
function folderInMount(mount: Mount, path: string): string | undefined {
  const wanted = join('/', path);
  const root = mount.root === '/' ? '' : mount.root;
  const inside = wanted === root || wanted.startsWith(`${root}/`);
  return inside ? join(mount.mountPoint, wanted.slice(root.length)) : undefined;
}

/** The real path of a folder, if it exists and is a cgroup. */
function cgroupFolder(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    const folder = realpathSync(path);
    const { type } = statfsSync(folder);
    if (type !== CGROUP_SUPER_MAGIC && type !== CGROUP2_SUPER_MAGIC) return undefined;
    readdirSync(folder);
    return folder;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ENODEV', 'ELOOP', 'ENAMETOOLONG')) return undefined;
    throw toSyscallError(error);
  }
}

/** Adds the members of a cgroup and of those below it. One that is removed meanwhile has no members any more. */
function collect(folder: string, members: Set<number>): void {
  try {
    for (const pid of readMembers(folder)) members.add(pid);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) collect(join(folder, entry.name), members);
    }
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENODEV')) throw toSyscallError(error);
  }
}

function readMembers(folder: string): number[] {
  try {
    return readIds(join(folder, 'cgroup.procs'));
  } catch (error) {
    // A threaded cgroup holds threads, whose processes belong to the cgroup above that is its root.
    if (!isErrno(error, 'EOPNOTSUPP')) throw error;
    const threads = readIds(join(folder, 'cgroup.threads'));
    return threads.flatMap((tid) => readStatus(tid)?.tgid ?? []);
  }
}

/** One ID a line; 0 stands for a process that our PID namespace does not see. */
function readIds(file: string): number[] {
  return readFileSync(file, 'latin1')
    .split('\n')
    .map(Number)
    .filter((id) => id > 0);
}

function notFound(path: string, hint: string): FaultlineError {
  return new FaultlineError('CGROUP_NOT_FOUND', `there is no cgroup ${JSON.stringify(path)}`, {
    hint,
    details: { path },
  });
}
