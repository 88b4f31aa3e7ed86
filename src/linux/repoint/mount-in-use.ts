import { closeSync, openSync } from 'node:fs';
import { isSameMount, type MountIdentity, mountOf } from '../mount/mount-identity.ts';
import { isErrno } from '../syscall-error.ts';
import { O_PATH } from './descriptor-calls.ts';
import { volumeSide } from './volume-side.ts';
import type { VolumeUser } from './volume-use.ts';
import { findVolumeUsers } from './volume-users.ts';

/**
 * Does somebody have something of a mount that stands nowhere any more? When nobody has, its number is given out again,
 * and whoever has something of a mount of that number has it of another one.
 *
 * @returns a descriptor (O_PATH) that holds the mount, for the caller to close; undefined: nobody has anything of it
 */
export function holdUsed(mount: Pick<MountIdentity, 'mountId' | 'uniqueMountId'>): number | undefined {
  const side = volumeSide({ kind: 'overlay', mountIds: [mount.mountId], answers: false });
  for (const user of findVolumeUsers(side, { kind: 'all' }).users) {
    for (const link of linksOf(user)) {
      const held = openLink(link);
      if (held === undefined) continue;
      if (held.its.mountId === mount.mountId && isSameMount(held.its, mount)) return held.fd;
      closeSync(held.fd);
      // A number is of one mount at a time, so that one user tells for all.
      if (held.its.mountId === mount.mountId) return undefined;
    }
  }
  return undefined;
}

/** Links of /proc to what it has. */
function linksOf({ pid, tables, folders, maps, executable, mainTid }: VolumeUser): readonly string[] {
  const task = (tid: number): string => `/proc/${pid}/task/${tid}`;
  return [
    ...tables.flatMap(({ tid, descriptors }) => descriptors.map(({ fd }) => `${task(tid)}/fd/${fd}`)),
    ...folders.flatMap(
      ({ tid, workingDirectory }) => `${task(tid)}/${workingDirectory === undefined ? 'root' : 'cwd'}`,
    ),
    ...maps.map(({ start, end }) => `/proc/${pid}/map_files/${start.toString(16)}-${end.toString(16)}`),
    ...(executable === undefined ? [] : [`${task(mainTid)}/exe`]),
  ];
}

/** undefined: it is closed by now. */
function openLink(link: string): { readonly fd: number; readonly its: MountIdentity } | undefined {
  let fd: number;
  try {
    fd = openSync(link, O_PATH);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
  try {
    return { fd, its: mountOf(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
