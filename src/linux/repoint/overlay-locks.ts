import { type LockAnswer, answerOf, type LockQuestion, rangeOfQuestion } from '../fuse/lock-question.ts';
import { readProcessFile } from '../procfs/read.ts';
import { findRangeLock } from './descriptor-calls.ts';
import { type LockLine, parseDescriptorInfo } from './descriptor-info.ts';
import { ANYBODY, lockedInodes } from './locked-inodes.ts';
import type { OpenDescriptor } from './volume-use.ts';

/*
 * Locks that are held through the overlay. The kernel hands them on to whoever serves it and keeps no account of them,
 * so that fdinfo of whoever has them shows none. They are asked for by the question of `lock-question.ts`, and read in
 * the fdinfo of the server.
 */

/** A file that a process has open on the overlay. */
type OverlayFile = Pick<OpenDescriptor, 'fd' | 'flags' | 'inode' | 'kind'>;

/** Tells what locks a process holds by its files on the overlay, by descriptor. */
export type OverlayLocks = <File extends OverlayFile>(
  pid: number,
  files: readonly File[],
  presentOf: (file: File) => number | undefined,
) => ReadonlyMap<number, readonly LockLine[]>;

/** A file of which there may be locks. */
interface LockedFile extends OverlayFile {
  /** Our descriptor of the same open file description. */
  readonly present: number;
}

/**
 * @param servers who serves the overlay, and holds the locks on the original
 * @returns finds those of open file descriptions, and of each lock that is the process's own a file by which it may
 *   take it again; undefined: nobody serves it
 */
export function overlayLocks(servers: readonly number[]): OverlayLocks | undefined {
  if (servers.length === 0) return undefined;
  const owners = new Set([ANYBODY, ...servers]);
  /** The servers' descriptors for the locks of open file descriptions. */
  const ofDescriptions = new Set<number>();

  const askByDescription = (files: readonly LockedFile[], held: Held): void => {
    for (const { fd, present } of files) {
      const answer = ask(present, { about: 'description' });
      if (answer === undefined) continue;
      const { holder, handle } = answer;
      held.add(fd, linesOf(servers, handle, 'FLOCK'));
      if (holder === undefined) continue;
      ofDescriptions.add(holder);
      held.add(fd, linesOf(servers, holder, 'OFD'));
    }
  };
  const askByProcess = (pid: number, files: readonly LockedFile[], held: Held): void => {
    const [any] = files;
    if (any === undefined) return;
    for (let index = 0; ; index += 1) {
      const holder = ask(any.present, { about: 'process', pid, index })?.holder;
      if (holder === undefined) return;
      if (ofDescriptions.has(holder)) continue;
      for (const line of linesOf(servers, holder, 'OFD')) {
        const by = files.find(({ flags }) => mayLock(flags, line));
        if (by !== undefined) held.add(by.fd, [{ ...line, type: 'POSIX' }]);
      }
    }
  };

  return (pid, all, presentOf) => {
    const held = heldLocks();
    const regular = all.filter(({ kind }) => kind === 'regular');
    const inodes = regular.length > MANY ? lockedInodes(owners) : undefined;
    const files = new Map<bigint, LockedFile[]>();
    for (const file of regular) {
      const present = inodes?.has(file.inode) === false ? undefined : presentOf(file);
      if (present === undefined) continue;
      // Volumes of which nothing was ever locked are the most.
      if (files.size === 0 && ask(present, { about: 'any' })?.holder === undefined) break;
      files.set(file.inode, [...(files.get(file.inode) ?? []), { ...file, present }]);
    }
    for (const same of files.values()) askByDescription(same, held);
    for (const same of files.values()) askByProcess(pid, same, held);
    return held.lines;
  };
}

/** From so many files on it is faster to look first which are locked: /proc/locks takes the kernel 10 ms. */
const MANY = 200;

interface Held {
  readonly lines: ReadonlyMap<number, readonly LockLine[]>;
  add(fd: number, lines: readonly LockLine[]): void;
}

function heldLocks(): Held {
  const lines = new Map<number, readonly LockLine[]>();
  return {
    lines,
    add(fd, more) {
      if (more.length > 0) lines.set(fd, [...(lines.get(fd) ?? []), ...more]);
    },
  };
}

const O_ACCMODE = 3;
const O_RDONLY = 0;
const O_WRONLY = 1;

/** Who locks for reading must have it open for reading, who locks for writing for writing: fcntl(2). */
function mayLock(flags: number, { mode }: LockLine): boolean {
  return (flags & O_ACCMODE) !== (mode === 'READ' ? O_WRONLY : O_RDONLY);
}

function ask(present: number, question: LockQuestion): LockAnswer | undefined {
  const found = findRangeLock(present, rangeOfQuestion(question));
  return found === undefined ? undefined : answerOf(found);
}

function linesOf(servers: readonly number[], descriptor: number, type: LockLine['type']): LockLine[] {
  return servers.flatMap((pid) => {
    const bytes = readProcessFile(pid, `fdinfo/${descriptor}`);
    const info = bytes === undefined ? undefined : parseDescriptorInfo(bytes);
    return info?.locks.filter((line) => line.type === type) ?? [];
  });
}
