import { lockHolder, releaseFlock, releaseRangeLock, tryFlock, tryRangeLock } from './descriptor-calls.ts';
import type { LockLine } from './descriptor-info.ts';

/*
 * Locks of open file descriptions (flock(2), F_OFD_SETLK) on their way to the other side.
 *
 * They can be moved from here, as both descriptions are open here. The new lock is taken before the old one is let go
 * of, so that nobody gets it in between. Where the two sides know of each other's locks, one for writing is made one
 * for reading meanwhile, which both can have: then at least nobody gets it for writing.
 */

/** A lock that the other description has now. */
export interface MovedLock {
  readonly lock: LockLine;
  /** There was a moment in which somebody else could have taken it, if only for reading. */
  readonly gap: boolean;
}

/** How it went with the locks of one open file description. */
export type LockTransfer =
  | { readonly kind: 'moved'; readonly locks: readonly MovedLock[] }
  /** Somebody else has one on the other side. All are where they were. */
  | { readonly kind: 'conflict' }
  /** Somebody took this one in the gap, and so it could not be put back either. */
  | { readonly kind: 'lost'; readonly lock: LockLine };

/** The locks that belong to the open file description, not to a process. */
export function descriptionLocks(locks: readonly LockLine[]): LockLine[] {
  return locks.filter(({ type }) => type === 'FLOCK' || type === 'OFD');
}

export function processLocks(locks: readonly LockLine[]): LockLine[] {
  return locks.filter(({ type }) => type === 'POSIX');
}

/**
 * Has the other description take the locks; both are descriptors of ours. What could be taken without a gap is held by
 * both then, until {@link letGo} or {@link takeBack}.
 */
export function transferLocks(from: number, to: number, locks: readonly LockLine[]): LockTransfer {
  const moved: MovedLock[] = [];
  for (const lock of locks) {
    if (take(to, lock)) {
      moved.push({ lock, gap: false });
      continue;
    }
    const outcome = handOver(from, to, lock);
    if (outcome === 'taken') {
      moved.push({ lock, gap: true });
      continue;
    }
    takeBack(from, to, moved);
    return outcome === 'back' ? { kind: 'conflict' } : { kind: 'lost', lock };
  }
  return { kind: 'moved', locks: moved };
}

/** The end of a transfer: the first description has none of the locks any more. */
export function letGo(from: number, moved: readonly MovedLock[]): void {
  for (const { lock } of moved) release(from, lock);
}

/** Undoes a transfer. @returns those that somebody took in the gap */
export function takeBack(from: number, to: number, moved: readonly MovedLock[]): LockLine[] {
  const lost: LockLine[] = [];
  for (const { lock, gap } of moved) {
    if (!gap) release(to, lock);
    else if (handOver(to, from, lock) !== 'taken') lost.push(lock);
  }
  return lost;
}

/** @returns whether the second one has it now, the first one has it again, or somebody else was faster */
function handOver(from: number, to: number, lock: LockLine): 'taken' | 'back' | 'lost' {
  const forReading = weakened(lock);
  const isShared = take(from, forReading) && take(to, forReading);
  release(from, lock);
  if (take(to, lock)) return 'taken';
  if (isShared) {
    take(from, forReading);
    release(to, lock);
  }
  return take(from, lock) ? 'back' : 'lost';
}

/** The same lock for reading, which others may have as well. */
export function weakened(lock: LockLine): LockLine {
  return { ...lock, mode: 'READ' };
}

function take(fd: number, lock: LockLine): boolean {
  return lock.type === 'FLOCK' ? tryFlock(fd, lock.mode) : tryRangeLock(fd, lock);
}

function release(fd: number, lock: LockLine): void {
  if (lock.type === 'FLOCK') releaseFlock(fd);
  else releaseRangeLock(fd, lock);
}

/** Would a process, once it is on the other side, find its lock taken there by somebody else? */
export function conflictsThere(fresh: number, lock: LockLine, pid: number): boolean {
  const holder = lockHolder(fresh, lock);
  return holder !== undefined && holder !== pid;
}
