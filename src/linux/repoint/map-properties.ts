import type { RemoteCall } from '../ptrace/traced-process.ts';
import { type Obstacle, obstacle } from './kept.ts';
import type { MapFlags, MemoryMap } from './memory-maps.ts';

/*
 * Making a map that is like another: mmap(2), madvise(2), mlock2(2), pkeys(7). The letters are those of VmFlags in
 * Documentation/filesystems/proc.rst, the numbers those of include/uapi/asm-generic/mman-common.h.
 */

const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_SHARED = 0x01;
const MAP_PRIVATE = 0x02;
const MAP_NORESERVE = 0x4000;
const MLOCK_ONFAULT = 1;

/** Advice that was given for a map, which another one needs anew. */
const adviceByLetters: ReadonlyMap<string, number> = new Map([
  ['rr', 1], // MADV_RANDOM
  ['sr', 2], // MADV_SEQUENTIAL
  ['dc', 10], // MADV_DONTFORK
  ['mg', 12], // MADV_MERGEABLE
  ['hg', 14], // MADV_HUGEPAGE
  ['nh', 15], // MADV_NOHUGEPAGE
  ['dd', 16], // MADV_DONTDUMP
]);

/** What another map could not be given: userfaultfd(2), MAP_SYNC, huge pages, memory of devices, mseal(2). */
const special: readonly string[] = ['um', 'uw', 'ui', 'sf', 'ht', 'io', 'pf', 'sl'];

/** Why a map cannot be made anew; undefined when it can. */
export function specialMapObstacle({ flags }: MapFlags): Obstacle | undefined {
  const letters = special.filter((one) => flags.has(one));
  return letters.length === 0 ? undefined : obstacle('special-map', `VmFlags: ${letters.join(' ')}`);
}

/** Does the file have to be opened for writing? Not only if the map is writable now: mprotect(2) may make it so. */
export function needsWriting(map: MemoryMap, { flags }: MapFlags): boolean {
  return isShared(map) && (map.permissions[1] === 'w' || flags.has('mw'));
}

export function isShared({ permissions }: MemoryMap): boolean {
  return permissions[3] === 's';
}

/** Maps a file of the target's somewhere, as the other map is. */
export function mapLike(map: MemoryMap, { flags }: MapFlags, fd: number): RemoteCall {
  const kind = (isShared(map) ? MAP_SHARED : MAP_PRIVATE) | (flags.has('nr') ? MAP_NORESERVE : 0);
  return ['mmap', 0, map.end - map.start, protection(map), kind, fd, map.offset];
}

/** What mmap(2) could not say, to be said when the map is in its place. */
export function propertiesOf(map: MemoryMap, { flags, protectionKey }: MapFlags): RemoteCall[] {
  const length = map.end - map.start;
  const calls: RemoteCall[] = [];
  for (const [letters, advice] of adviceByLetters) {
    if (flags.has(letters)) calls.push(['madvise', map.start, length, advice]);
  }
  if (flags.has('lo')) calls.push(['mlock2', map.start, length, flags.has('lf') ? MLOCK_ONFAULT : 0]);
  if (protectionKey !== 0) calls.push(['pkey_mprotect', map.start, length, protection(map), protectionKey]);
  return calls;
}

function protection({ permissions }: MemoryMap): number {
  return (
    (permissions[0] === 'r' ? PROT_READ : 0) |
    (permissions[1] === 'w' ? PROT_WRITE : 0) |
    (permissions[2] === 'x' ? PROT_EXEC : 0)
  );
}
