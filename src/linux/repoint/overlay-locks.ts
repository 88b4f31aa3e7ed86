import { readFileSync } from 'node:fs';
import { type LockAnswer, answerOf, type LockQuestion, rangeOfQuestion } from '../fuse/lock-question.ts';
import { readProcessFile } from '../procfs/read.ts';
import { findRangeLock } from './descriptor-calls.ts';
import { type LockLine, parseDescriptorInfo } from './descriptor-info.ts';
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

  return (pid, files, presentOf) => {
    const held = heldLocks();
    const inodes = lockedInodes(servers);
    const locked = files.flatMap((file): LockedFile[] => {
      const present = file.kind === 'regular' && inodes.has(file.inode) ? presentOf(file) : undefined;
      return present === undefined ? [] : [{ ...file, present }];
    });
    askByDescription(locked, held);
    for (const inode of new Set(locked.map((file) => file.inode))) {
      askByProcess(
        pid,
        locked.filter((file) => file.inode === inode),
        held,
      );
    }
    return held.lines;
  };
}

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

/** `1: OFDLCK ADVISORY  WRITE -1 fe:00:10501293 0 EOF`: lock_get_status in fs/locks.c. */
const lockPattern = /^\d+: (?:OFDLCK|FLOCK) .* (-?\d+) [0-9a-f]+:[0-9a-f]+:(\d+) \d+ \S+$/gmu;
const NOBODY = -1;

/** The inodes of which the servers may hold locks. Of those of open file descriptions it is not told who has them. */
function lockedInodes(servers: readonly number[]): ReadonlySet<bigint> {
  const owners = new Set([NOBODY, ...servers]);
  const found = readFileSync('/proc/locks', 'latin1').matchAll(lockPattern);
  return new Set([...found].flatMap(([, pid, inode = '']) => (owners.has(Number(pid)) ? [BigInt(inode)] : [])));
}
