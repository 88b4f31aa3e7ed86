import { ftruncateSync, readFileSync, writeSync } from 'node:fs';
import { bindFunction } from '../libc.ts';

/*
 * If we are killed while threads have what they were given for an errand, it stays with them. So the first thing that a
 * thread is given is a note of all the rest: a memfd, by whose name whoever comes next knows it. It is the last thing
 * that is taken away.
 *
 * The note also tells which new open file description was meant for which descriptor. That is how those who share one go
 * on sharing one, though some of them had been moved and others had not.
 */

const memfdCreate = bindFunction('memfd_create', 'int', ['string', 'uint']);

const MFD_CLOEXEC = 1;
const NOTE_NAME = 'faultline-repoint';
/** What the link of /proc shows for it. */
export const NOTE_LINK = `/memfd:${NOTE_NAME} (deleted)`;

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

export interface NoteContent {
  readonly replacements: readonly GivenReplacement[];
  readonly others: readonly GivenDescriptor[];
  readonly maps: readonly { readonly start: number; readonly end: number; readonly inode: string }[];
}

/** A note for one thread, a descriptor of ours until it is closed. @throws SyscallError */
export function createNote(): number {
  return memfdCreate(NOTE_NAME, MFD_CLOEXEC);
}

export function writeNote(fd: number, content: NoteContent): void {
  const bytes = Buffer.from(JSON.stringify(content));
  writeSync(fd, bytes, 0, bytes.length, 0);
  ftruncateSync(fd, bytes.length);
}

export const emptyNote: NoteContent = Object.freeze({ replacements: [], others: [], maps: [] });

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
