import type { Remote, RemoteCall } from '../ptrace/traced-process.ts';
import type { Counterpart } from './counterparts.ts';
import { F_SETLK, FLOCK_SIZE } from '../record-lock.ts';
import { closeAnyhow, lockRecord, openAgain, tryRangeLock } from './descriptor-calls.ts';
import type { LockLine } from './descriptor-info.ts';
import type { Errand, LockMove } from './errand.ts';
import { weakened } from './locks.ts';
import { attempt } from './reopen.ts';
import type { SideKind } from './volume-side.ts';

/*
 * Locks of processes (F_SETLK) on their way to the other side.
 *
 * A process can only take them itself, and the kernel drops them when it closes any descriptor of the file. So it takes
 * them again right after, and meanwhile we have a lock for reading in the same place: nobody gets one for writing, with
 * which he could change what the process relies on. One for writing is first made one for reading, which the kernel
 * does at once, and in the end one for writing again. Only then may somebody who reads be in the way.
 */

const O_RDONLY = 0;

/** Where in its scratch memory a thread finds the record of each lock of its errand. */
const LOCKS_AT = 16;

/** Bytes of scratch memory that a thread needs for the locks of its errand, and a word before them. */
export function scratchForLocks({ locks }: Pick<Errand, 'locks'>): number {
  return LOCKS_AT + locks.length * FLOCK_SIZE;
}

/** The call by which a thread takes a lock. The record is written into its memory. */
export function lockCall(
  { scratch }: Remote,
  { process }: Pick<Errand, 'process'>,
  { fd }: LockMove,
  lock: LockLine,
  index: number,
): RemoteCall {
  const at = scratch.address + LOCKS_AT + index * FLOCK_SIZE;
  process.memory.write(at, lockRecord(lock));
  return ['fcntl', fd, F_SETLK, at];
}

/**
 * Has a thread make its locks for writing locks for reading.
 *
 * @returns the errand with those; where a file is not open for reading they stay as they are, and there is a gap
 * @throws FaultlineError PROCESS_NOT_FOUND, TRACE_REFUSED
 */
export function weaken(remote: Remote, errand: Errand): Errand {
  const isWeak = takeAll(remote, errand, ({ lock }) => (lock.mode === 'WRITE' ? weakened(lock) : undefined));
  const locks = errand.locks.map((one) => {
    return isWeak.get(one) === true ? { ...one, lock: weakened(one.lock), isWeakened: true } : one;
  });
  return { ...errand, locks };
}

/** The other way round. @returns those that somebody who reads kept it from @throws as {@link weaken} */
export function strengthen(remote: Remote, errand: Errand): ReadonlySet<LockMove> {
  const isStrong = takeAll(remote, errand, ({ lock, isWeakened }) =>
    isWeakened === true ? { ...lock, mode: 'WRITE' } : undefined,
  );
  return new Set([...isStrong].flatMap(([one, taken]) => (taken ? [] : one)));
}

function takeAll(
  remote: Remote,
  errand: Errand,
  wanted: (one: LockMove) => LockLine | undefined,
): ReadonlyMap<LockMove, boolean> {
  const chosen: LockMove[] = [];
  const calls: RemoteCall[] = [];
  for (const [index, one] of errand.locks.entries()) {
    const lock = wanted(one);
    if (lock === undefined) continue;
    chosen.push(one);
    calls.push(lockCall(remote, errand, one, lock, index));
  }
  const results = calls.length === 0 ? [] : remote.calls(calls);
  return new Map(chosen.map((one, index) => [one, (results[index] ?? -1) >= 0]));
}

/** Holds for reading what threads are to take, as long as nobody has it for writing. @returns lets go, once */
export function holdMeanwhile(errands: readonly Errand[], towards: SideKind): () => void {
  const opened = new Map<Counterpart, number | undefined>();
  const open = (counterpart: Counterpart): number | undefined => {
    const original = towards === 'overlay' ? counterpart.present : counterpart.fresh;
    const fd = attempt(() => openAgain(`/proc/self/fd/${original}`, O_RDONLY));
    const result = typeof fd === 'number' ? fd : undefined;
    opened.set(counterpart, result);
    return result;
  };
  for (const { moves, locks } of errands) {
    if (locks.length === 0) continue;
    const byInode = new Map(moves.map(({ descriptor, counterpart }) => [descriptor.inode, counterpart]));
    for (const { lock, place } of locks) {
      const counterpart = byInode.get(place.inode);
      if (counterpart === undefined || lock.mode === 'WRITE') continue;
      const fd = opened.has(counterpart) ? opened.get(counterpart) : open(counterpart);
      if (fd !== undefined) tryRangeLock(fd, lock);
    }
  }
  return () => {
    for (const fd of opened.values()) if (fd !== undefined) closeAnyhow(fd);
    opened.clear();
  };
}
