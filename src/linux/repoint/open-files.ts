import { numericNames } from '../procfs/process-list.ts';
import { parseDescriptorInfo, parseRegisteredFiles, parseWatches } from './descriptor-info.ts';
import { type FdinfoFolder, openFdinfo } from './fdinfo-folder.ts';
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

/** A descriptor that was seen before, if it still means the same. */
export type Recall = (fd: number, fdinfo: FdinfoFolder) => OpenDescriptor | undefined;

/** A table that is being read. */
interface Reading {
  readonly side: VolumeSide;
  readonly tid: number;
  readonly fdinfo: FdinfoFolder;
  readonly descriptors: OpenDescriptor[];
  readonly registered: RegisteredFile[];
  readonly watches: WatchUse[];
  readonly notes: DescriptorRef[];
}

/** Reads the table of a thread; an empty one when it is gone. @throws SyscallError EACCES: not ours to look at */
export function readTable(side: VolumeSide, pid: number, tid: number, recall?: Recall): TableUse {
  const use = { descriptors: [], registered: [], watches: [], notes: [] };
  const fdinfo = openFdinfo(pid, tid);
  if (fdinfo === undefined) return { table: { tid, size: 0, descriptors: [] }, registered: [], watches: [], notes: [] };
  try {
    const reading: Reading = { side, tid, fdinfo, ...use };
    const fds = listDescriptors(pid, tid);
    for (const fd of fds) {
      const seen = recall?.(fd, fdinfo);
      if (seen === undefined) lookAt(reading, fd, `/proc/${pid}/task/${tid}/fd/${fd}`);
      else reading.descriptors.push(seen);
    }
    const { descriptors, registered, watches, notes } = reading;
    return { table: { tid, size: fds.length, descriptors }, registered, watches, notes };
  } finally {
    fdinfo.close();
  }
}

/** The numbers of all descriptors of a thread, in ascending order; none when it is gone. @throws SyscallError EACCES */
export function listDescriptors(pid: number, tid: number): number[] {
  return unlessGone(() => numericNames(`/proc/${pid}/task/${tid}/fd`)) ?? [];
}

function lookAt(reading: Reading, fd: number, link: string): void {
  const { side, tid, fdinfo } = reading;
  const target = readLink(link);
  if (target === undefined) return;
  if (side.volumeId !== undefined && isLeftNote(target, side.volumeId)) {
    reading.notes.push({ tid, fd });
  } else if (target.startsWith('/')) {
    const place = placeAt(side, link, target);
    const descriptor = place === undefined ? undefined : readInfo(fdinfo, fd, place);
    if (descriptor !== undefined) reading.descriptors.push(descriptor);
  } else if (target === 'anon_inode:[io_uring]') {
    reading.registered.push(...registeredFiles(side, fd, textOf(fdinfo, fd)));
  } else if (target === 'anon_inode:inotify') {
    reading.watches.push(...watchesOf(side, fd, 'inotify', fdinfo));
  } else if (target === 'anon_inode:[eventpoll]') {
    reading.watches.push(...watchesOf(side, fd, 'epoll', fdinfo));
  }
}

/**
 * What fdinfo tells of a descriptor; undefined when it does not mean that file any more. @throws SyscallError EACCES
 */
export function readInfo(fdinfo: FdinfoFolder, fd: number, place: VolumePlace): OpenDescriptor | undefined {
  const bytes = fdinfo.read(fd);
  const info = bytes === undefined ? undefined : parseDescriptorInfo(bytes);
  // Between two looks it may have been closed, and its number given to another file.
  if (info === undefined || info.mountId !== place.mountId) return undefined;
  if (info.inode !== undefined && info.inode !== place.inode) return undefined;
  const { flags, closeOnExec, position, locks } = info;
  return { ...place, fd, flags, closeOnExec, position, locks };
}

function textOf(fdinfo: FdinfoFolder, fd: number): string {
  return fdinfo.read(fd)?.toString('latin1') ?? '';
}

function registeredFiles(side: VolumeSide, fd: number, text: string): RegisteredFile[] {
  return parseRegisteredFiles(text)
    .filter((path) => pathInVolume(side, path) !== undefined)
    .map((path) => ({ fd, path }));
}

/** Only of the overlay: its device shows nothing but the volume, that of the original may show the whole disk. */
function watchesOf(side: VolumeSide, fd: number, by: WatchUse['by'], fdinfo: FdinfoFolder): WatchUse[] {
  if (side.kind !== 'overlay' || side.device === undefined) return [];
  const watches = parseWatches(textOf(fdinfo, fd));
  const count = watches.filter(({ device }) => deviceName(device) === side.device).length;
  return count === 0 ? [] : [{ fd, by, count }];
}

/** As the kernel holds it, `major << 20 | minor` (include/linux/kdev_t.h), to `major:minor`. */
function deviceName(device: number): string {
  return `${device >>> 20}:${device & 0xfffff}`;
}
