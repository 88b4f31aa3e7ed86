import { numericNames } from '../procfs/process-list.ts';
import { readProcessFile } from '../procfs/read.ts';
import { parseDescriptorInfo, parseRegisteredFiles, parseWatches } from './descriptor-info.ts';
import type { DescriptorRef } from './kcmp.ts';
import { isLeftNote } from './note.ts';
import { placeAt, readLink, unlessGone } from './volume-place.ts';
import { pathInVolume, type VolumeSide } from './volume-side.ts';
import type { FileTable, OpenDescriptor, RegisteredFile, VolumePlace, WatchUse } from './volume-use.ts';

/*
 * The descriptors of a process that mean files of a volume: /proc/PID/task/TID/fd and fdinfo.
 */

/** What a table of descriptors holds of the volume, directly and through other descriptors. */
export interface TableUse {
  readonly table: FileTable;
  readonly registered: readonly RegisteredFile[];
  readonly watches: readonly WatchUse[];
  /** Notes of what was left with the thread when somebody who moved it was killed. */
  readonly notes: readonly DescriptorRef[];
}

/**
 * Reads the table of a thread; an empty one when it is gone.
 *
 * @param recall a descriptor that was seen before, if it still means the same
 * @throws SyscallError EACCES: not ours to look at
 */
export function readTable(
  side: VolumeSide,
  pid: number,
  tid: number,
  recall?: (fd: number) => OpenDescriptor | undefined,
): TableUse {
  const fds = listDescriptors(pid, tid);
  const descriptors: OpenDescriptor[] = [];
  const registered: RegisteredFile[] = [];
  const watches: WatchUse[] = [];
  const notes: DescriptorRef[] = [];
  for (const fd of fds) {
    const seen = recall?.(fd);
    if (seen !== undefined) {
      descriptors.push(seen);
      continue;
    }
    const target = readLink(`/proc/${pid}/task/${tid}/fd/${fd}`);
    if (target === undefined) continue;
    if (side.volumeId !== undefined && isLeftNote(target, side.volumeId)) {
      notes.push({ tid, fd });
    } else if (target.startsWith('/')) {
      const descriptor = readDescriptor(side, pid, tid, fd, target);
      if (descriptor !== undefined) descriptors.push(descriptor);
    } else if (target === 'anon_inode:[io_uring]') {
      registered.push(...readRegistered(side, pid, tid, fd));
    } else if (target === 'anon_inode:inotify' || target === 'anon_inode:[eventpoll]') {
      const watch = readWatches(side, pid, tid, fd, target.endsWith('y') ? 'inotify' : 'epoll');
      if (watch !== undefined) watches.push(watch);
    }
  }
  return { table: { tid, size: fds.length, descriptors }, registered, watches, notes };
}

/** The numbers of all descriptors of a thread, in ascending order; none when it is gone. @throws SyscallError EACCES */
export function listDescriptors(pid: number, tid: number): number[] {
  return unlessGone(() => numericNames(`/proc/${pid}/task/${tid}/fd`)) ?? [];
}

/**
 * A descriptor, where it means a file of this side of the volume.
 *
 * @param target what its link shows, where it is known already
 * @throws SyscallError EACCES
 */
export function readDescriptor(
  side: VolumeSide,
  pid: number,
  tid: number,
  fd: number,
  target?: string,
): OpenDescriptor | undefined {
  const place = placeAt(side, `/proc/${pid}/task/${tid}/fd/${fd}`, target);
  return place === undefined ? undefined : readInfo(pid, tid, fd, place);
}

/** What fdinfo tells of a descriptor; undefined when it does not mean that file any more. @throws SyscallError EACCES */
export function readInfo(pid: number, tid: number, fd: number, place: VolumePlace): OpenDescriptor | undefined {
  const bytes = readProcessFile(pid, `task/${tid}/fdinfo/${fd}`);
  const info = bytes === undefined ? undefined : parseDescriptorInfo(bytes);
  // Between two looks it may have been closed, and its number given to another file.
  if (info === undefined || info.mountId !== place.mountId) return undefined;
  if (info.inode !== undefined && info.inode !== place.inode) return undefined;
  const { flags, closeOnExec, position, locks } = info;
  return { ...place, fd, flags, closeOnExec, position, locks };
}

function readText(pid: number, tid: number, fd: number): string {
  return readProcessFile(pid, `task/${tid}/fdinfo/${fd}`)?.toString('latin1') ?? '';
}

function readRegistered(side: VolumeSide, pid: number, tid: number, fd: number): RegisteredFile[] {
  return parseRegisteredFiles(readText(pid, tid, fd))
    .filter((path) => pathInVolume(side, path) !== undefined)
    .map((path) => ({ fd, path }));
}

/** Only of the overlay: its device shows nothing but the volume, that of the original may show the whole disk. */
function readWatches(side: VolumeSide, pid: number, tid: number, fd: number, by: WatchUse['by']): WatchUse | undefined {
  if (side.kind !== 'overlay' || side.device === undefined) return undefined;
  const count = parseWatches(readText(pid, tid, fd)).filter(({ device }) => deviceName(device) === side.device).length;
  return count === 0 ? undefined : { fd, by, count };
}

/** As the kernel holds it, `major << 20 | minor` (include/linux/kdev_t.h), to `major:minor`. */
function deviceName(device: number): string {
  return `${device >>> 20}:${device & 0xfffff}`;
}
