import { readProcessFile } from '../procfs/read.ts';
import { isErrno } from '../syscall-error.ts';
import { type MapFlags, parseMapFlags, parseMaps } from './memory-maps.ts';
import { placeAt, readLink } from './volume-place.ts';
import type { VolumeSide } from './volume-side.ts';
import type { MappedFile } from './volume-use.ts';

/**
 * The memory maps of a process that show files of this side of the volume.
 *
 * @param tid a live thread: that which gave the process its number may have ended
 * @throws SyscallError EACCES, EPERM: /proc/PID/map_files is for CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE
 */
export function readMaps(side: VolumeSide, pid: number, tid: number): MappedFile[] {
  const bytes = readProcessFile(pid, `task/${tid}/maps`);
  if (bytes === undefined || bytes.indexOf(side.path, 0, 'latin1') === -1) return [];
  return parseMaps(bytes.toString('latin1'), escaped(side.path)).flatMap((map) => {
    const link = `/proc/${pid}/map_files/${map.start.toString(16)}-${map.end.toString(16)}`;
    const target = readLink(link);
    const place = target === undefined ? undefined : placeAt(side, link, target);
    return place === undefined ? [] : { ...map, ...place };
  });
}

/** maps shows a newline as an octal number, the one character that it escapes: show_map_vma in fs/proc/task_mmu.c. */
function escaped(path: string): string {
  return path.replaceAll('\n', String.raw`\012`);
}

/** VmFlags and protection keys of maps by their first address; those that are gone are missing. */
export function readMapFlags(pid: number, tid: number, maps: readonly MappedFile[]): Map<number, MapFlags> {
  try {
    const bytes = readProcessFile(pid, `task/${tid}/smaps`);
    const wanted = new Set(maps.map(({ start }) => start));
    return bytes === undefined ? new Map<number, MapFlags>() : parseMapFlags(bytes.toString('latin1'), wanted);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return new Map<number, MapFlags>();
    throw error;
  }
}
