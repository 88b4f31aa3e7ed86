import { ftruncateSync, readFileSync, writeSync } from 'node:fs';
import { bindFunction } from '../libc.ts';
import { isEndedState, readStat } from '../procfs/stat.ts';

/*
 * If we are killed while threads have what they were given for an errand, it stays with them. So the first thing that a
 * thread is given is a note of all the rest: a memfd, by whose name whoever comes next knows it. It is the last thing
 * that is taken away.
 *
 * The note also tells which new open file description was meant for which descriptor. That is how those who share one
 * go on sharing one, though some of them had been moved and others had not.
 *
 * Its name says who made it: as long as that lives it is at work, and its notes are nobody else's business. There may
 * be several at a time, each for another volume.
 */

const memfdCreate = bindFunction('memfd_create', 'int', ['string', 'uint']);

const MFD_CLOEXEC = 1;
const NOTE_NAME = 'faultline-repoint';
/** What the link of /proc shows for it: which volume it is about, the maker's PID and start time. */
const NOTE_LINK = new RegExp(`^/memfd:${NOTE_NAME}-(\\S+)-(\\d+)-(\\d+) \\(deleted\\)$`, 'u');

/** A descriptor that a thread was given. */
interface GivenDescriptor {
  readonly given: number;
  /** In decimal: JSON has no numbers of 64 bits. */
  readonly inode: string;
}

/** Something that was to be put in the place of a descriptor. */
interface GivenReplacement extends GivenDescriptor {
  readonly fd: number;
}

/** A lock of the process for writing, which is one for reading while it is moved. */
export interface NotedLock {
  readonly fd: number;
  readonly inode: string;
  readonly start: string;
  /** null: to the end of the file, wherever that will be. */
  readonly end: string | null;
}

export interface NoteContent {
  readonly replacements: readonly GivenReplacement[];
  readonly others: readonly GivenDescriptor[];
  readonly maps: readonly { readonly start: number; readonly end: number; readonly inode: string }[];
  readonly locks: readonly NotedLock[];
}

/**
 * A note for one thread, a descriptor of ours until it is closed.
 *
 * @param volumeId what tells the volume from others, without white space
 * @throws SyscallError
 */
export function createNote(volumeId: string): number {
  return memfdCreate(`${NOTE_NAME}-${volumeId}-${process.pid}-${ownStartTime()}`, MFD_CLOEXEC);
}

let startTimeTicks: number | undefined;

function ownStartTime(): number {
  startTimeTicks ??= readStat('self')?.startTimeTicks ?? 0;
  return startTimeTicks;
}

/**
 * Is this a note about the volume that was left behind?
 *
 * @param link what a link of /proc shows for a descriptor
 * @returns false for what is no note, and while somebody else is at work who made it
 */
export function isLeftNote(link: string, volumeId: string): boolean {
  if (!link.startsWith('/memfd:')) return false;
  const [, about, pid, startTime] = NOTE_LINK.exec(link) ?? [];
  if (about !== volumeId) return false;
  if (Number(pid) === process.pid) return true;
  const maker = readStat(Number(pid));
  return maker === undefined || isEndedState(maker.state) || maker.startTimeTicks !== Number(startTime);
}

export function writeNote(fd: number, content: NoteContent): void {
  const bytes = Buffer.from(JSON.stringify(content));
  writeSync(fd, bytes, 0, bytes.length, 0);
  ftruncateSync(fd, bytes.length);
}

export const emptyNote: NoteContent = Object.freeze({ replacements: [], others: [], maps: [], locks: [] });

/** Reads a note that was found; an empty one where its writer did not come to write it. */
export function readNote(fd: number): NoteContent {
  try {
    // By its link, as the position is shared with whoever was given it.
    return JSON.parse(readFileSync(`/proc/self/fd/${fd}`, 'utf8')) as NoteContent;
  } catch (error) {
    if (error instanceof SyntaxError) return emptyNote;
    throw error;
  }
}
