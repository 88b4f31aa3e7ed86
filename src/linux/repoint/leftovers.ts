import { closeSync } from 'node:fs';
import { readProcessFile } from '../procfs/read.ts';
import type { Counterparts } from './counterparts.ts';
import { closeAnyhow } from './descriptor-calls.ts';
import { type DescriptorInfo, type LockLine, parseDescriptorInfo } from './descriptor-info.ts';
import type { LeftBehind, LockMove } from './errand.ts';
import type { DescriptorRef } from './kcmp.ts';
import { processLocks } from './locks.ts';
import { emptyNote, type NoteContent, type NotedLock, readNote } from './note.ts';
import type { OverlayLocks } from './overlay-locks.ts';
import type { VolumeSide } from './volume-side.ts';
import type { VolumeUser } from './volume-use.ts';

/*
 * What is left with threads of an errand that was broken off, by the notes that they have (`note.ts`).
 */

interface Sides {
  readonly from: VolumeSide;
  readonly to: VolumeSide;
  readonly overlayLocks: OverlayLocks | undefined;
}

/** What is left with a thread, by the notes that it has. Only what is surely what the note says counts. */
export function findLeftBehind(sides: Sides, counterparts: Counterparts, user: VolumeUser, tid: number): LeftBehind {
  const { from, to } = sides;
  const descriptors = new Set<number>();
  const maps: NoteContent['maps'][number][] = [];
  const locks: LockMove[] = [];
  for (const note of user.notes) {
    if (note.tid !== tid) continue;
    const content = contentOf(counterparts, note);
    for (const { given, inode } of [...content.replacements, ...content.others]) {
      const info = infoOf(user.pid, tid, given);
      const isInVolume = info !== undefined && (from.shows(info.mountId) || to.shows(info.mountId));
      if (isInVolume && info.closeOnExec && String(info.inode) === inode) descriptors.add(given);
    }
    for (const { fd } of content.replacements) locks.push(...locksThere(sides, counterparts, user.pid, { tid, fd }));
    for (const one of content.locks) locks.push(...stillWeak(sides, counterparts, user.pid, tid, one));
    descriptors.add(note.fd);
    maps.push(...content.maps);
  }
  return { descriptors, maps, locks };
}

/**
 * Where a note says which description was meant for which descriptor, and one of the two is on either side by now, the
 * other one is its counterpart, whichever way they are to be moved.
 */
export function adoptNoted({ from, to }: Sides, counterparts: Counterparts, user: VolumeUser): void {
  for (const note of user.notes) {
    for (const { fd, given, inode } of contentOf(counterparts, note).replacements) {
      const refs = [fd, given].map((number) => ({
        tid: note.tid,
        fd: number,
        info: infoOf(user.pid, note.tid, number),
      }));
      const same = refs.filter(({ info }) => info !== undefined && String(info.inode) === inode);
      const present = same.find(({ info }) => info !== undefined && from.shows(info.mountId));
      const fresh = same.find(({ info }) => info !== undefined && to.shows(info.mountId));
      if (present?.info === undefined || fresh === undefined) continue;
      counterparts.adopt(present, present.info, fresh);
    }
  }
}

function locksThere(
  { to, overlayLocks }: Sides,
  counterparts: Counterparts,
  pid: number,
  ref: DescriptorRef,
): LockMove[] {
  const { tid, fd } = ref;
  const info = infoOf(pid, tid, fd);
  if (info?.inode === undefined || !to.shows(info.mountId)) return [];
  const place = { inode: info.inode, path: '' };
  const isShown = to.kind === 'original' || overlayLocks === undefined;
  const locks = isShown ? info.locks : askedFor(overlayLocks, counterparts, pid, ref, { ...info, inode: info.inode });
  return processLocks(locks).map((lock) => ({ fd, lock, place }));
}

/** A lock that was for writing before somebody was killed, if it is for reading now. */
function stillWeak(sides: Sides, counterparts: Counterparts, pid: number, tid: number, noted: NotedLock): LockMove[] {
  const info = infoOf(pid, tid, noted.fd);
  if (info?.inode === undefined || String(info.inode) !== noted.inode) return [];
  const { fd } = noted;
  const held = sides.to.shows(info.mountId)
    ? locksThere(sides, counterparts, pid, { tid, fd }).map(({ lock }) => lock)
    : processLocks(info.locks);
  const isSame = ({ mode, start, end }: LockLine): boolean =>
    mode === 'READ' && String(start) === noted.start && (end === undefined ? null : String(end)) === noted.end;
  const place = { inode: info.inode, path: '' };
  return held.filter(isSame).map((lock) => ({ fd, lock, place, isWeakened: true }));
}

function askedFor(
  overlayLocks: OverlayLocks,
  counterparts: Counterparts,
  pid: number,
  ref: DescriptorRef,
  { inode, flags }: { readonly inode: bigint; readonly flags: number },
): readonly LockLine[] {
  const present = counterparts.fetch(ref);
  if (typeof present !== 'number') return [];
  try {
    const file = { fd: ref.fd, inode, flags, kind: 'regular' as const };
    return overlayLocks(pid, [file], () => present).get(ref.fd) ?? [];
  } finally {
    closeAnyhow(present);
  }
}

function infoOf(pid: number, tid: number, fd: number): DescriptorInfo | undefined {
  const bytes = readProcessFile(pid, `task/${tid}/fdinfo/${fd}`);
  return bytes === undefined ? undefined : parseDescriptorInfo(bytes);
}

function contentOf(counterparts: Counterparts, note: DescriptorRef): NoteContent {
  const fd = counterparts.fetch(note);
  if (typeof fd !== 'number') return emptyNote;
  try {
    return readNote(fd);
  } finally {
    closeSync(fd);
  }
}
