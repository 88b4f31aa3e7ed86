import { constants } from 'node:fs';
import { Errno } from '../errno.ts';
import { lastErrno } from '../libc.ts';
import { flock } from './layouts.ts';
import { lock, unlock } from './mutex.ts';
import type { NodeDescriptors } from './node-descriptors.ts';
import type { Scratch } from './scratch.ts';
import { F_OFD_GETLK, F_OFD_SETLK } from '../record-lock.ts';
import { Control, MAX_LOCK_OWNERS, type SharedState } from './shared-state.ts';
import type { SystemCalls } from './system-calls.ts';

const { O_RDONLY, O_RDWR } = constants;

export const LockType = Object.freeze({ READ: 0, WRITE: 1, NONE: 2 });

/** Who locks: a process, or for locks of open file descriptions one of these. The number is the kernel's. */
export interface LockOwner {
  readonly node: number;
  readonly low: number;
  readonly high: number;
  readonly pid: number;
  /** The file handle by which it asks. */
  readonly handle: number;
}

/** From `start` on, `length` bytes; 0 for all that follow. As struct flock has them. */
export interface LockRange {
  readonly type: number;
  readonly start: bigint;
  readonly length: bigint;
}

export interface HeldLock extends LockRange {
  readonly pid: number;
}

/**
 * Record locks, taken on the files below so that they hold against everybody.
 *
 * A lock belongs to a process, and all of them would be ours. So each owner gets an open file of its own for each file
 * that it locks, and locks are those of open file descriptions (F_OFD_SETLK), which count as different owners to each
 * other, and to the locks of processes. Which ranges an owner holds is for the kernel to know.
 */
export class LockTable {
  private readonly shared: SharedState;
  private readonly calls: SystemCalls;
  private readonly scratch: Scratch;
  private readonly descriptors: NodeDescriptors;

  constructor(shared: SharedState, calls: SystemCalls, scratch: Scratch, descriptors: NodeDescriptors) {
    this.shared = shared;
    this.calls = calls;
    this.scratch = scratch;
    this.descriptors = descriptors;
  }

  /** Was anything ever locked, in whatever way? */
  get wereUsed(): boolean {
    return this.shared.control[Control.LOCKS_USED] === 1;
  }

  noteUse(): void {
    this.shared.control[Control.LOCKS_USED] = 1;
  }

  /** @returns 0, or a negative errno: EAGAIN when somebody else holds one */
  set(owner: LockOwner, range: LockRange): number {
    return this.locked(() => {
      const known = this.find(owner);
      if (known < 0 && range.type === LockType.NONE) return 0;
      const record = known < 0 ? this.create(owner) : known;
      if (record < 0) return record;
      const { locks } = this.shared;
      // Of who lets go of a lock the kernel tells no process.
      if (range.type !== LockType.NONE) {
        locks.pid[record] = owner.pid;
        locks.handle[record] = owner.handle;
      }
      this.putRange(range);
      return this.calls.fcntl(locks.descriptor[record] as number, F_OFD_SETLK, this.scratch.argument) < 0
        ? -lastErrno()
        : 0;
    });
  }

  /** A lock that would stand in the way of `range`; undefined when there is none, or a negative errno. */
  conflict(owner: LockOwner, range: LockRange): HeldLock | undefined | number {
    return this.locked(() => {
      const known = this.find(owner);
      // A file handle of which no lock is held sees those of all others.
      const asking = known < 0 ? owner.handle : (this.shared.locks.descriptor[known] as number);
      const held = this.ask(asking, range);
      if (typeof held === 'number' || held === undefined || held.pid > 0) return held;
      return { ...held, pid: this.holderOf(owner, held) };
    });
  }

  /** The descriptor that holds an owner's locks of a file; undefined when it has none. */
  holder(owner: LockOwner): number | undefined {
    return this.locked(() => {
      const record = this.find(owner);
      return record < 0 ? undefined : this.shared.locks.descriptor[record];
    });
  }

  /** The same for owners that are, or were made by, a process: the one of them with that index. */
  holderOfProcess(node: number, pid: number, index: number): number | undefined {
    return this.locked(() => {
      const { locks } = this.shared;
      let left = index;
      for (let record = 0; record < this.top; record += 1) {
        if (locks.node[record] !== node || locks.pid[record] !== pid) continue;
        if (left === 0) return locks.descriptor[record];
        left -= 1;
      }
      return undefined;
    });
  }

  /** The owner has closed the file: all its locks of it are gone, by the rules of POSIX. */
  dropOwner(owner: LockOwner): void {
    if ((this.shared.nodes.lockOwners[owner.node] as number) === 0) return;
    this.locked(() => {
      const record = this.find(owner);
      if (record >= 0) this.drop(record);
      return 0;
    });
  }

  /** A file handle has gone, and with it the locks that belonged to its open file description. */
  dropHandle(node: number, handle: number): void {
    if ((this.shared.nodes.lockOwners[node] as number) === 0) return;
    this.locked(() => {
      const { locks } = this.shared;
      for (let record = 0; record < this.top; record += 1) {
        if (locks.node[record] === node && locks.handle[record] === handle) this.drop(record);
      }
      return 0;
    });
  }

  private get top(): number {
    return this.shared.control[Control.LOCK_OWNERS_TOP] as number;
  }

  private locked<Result>(action: () => Result): Result {
    const { control } = this.shared;
    lock(control, Control.LOCKS_MUTEX);
    try {
      return action();
    } finally {
      unlock(control, Control.LOCKS_MUTEX);
    }
  }

  private find({ node, low, high }: LockOwner): number {
    const { locks } = this.shared;
    for (let record = 0; record < this.top; record += 1) {
      if (locks.node[record] === node && locks.ownerLow[record] === low && locks.ownerHigh[record] === high) {
        return record;
      }
    }
    return -1;
  }

  private create(owner: LockOwner): number {
    const { control, locks, nodes } = this.shared;
    let record = 0;
    while (record < this.top && locks.node[record] !== 0) record += 1;
    if (record >= MAX_LOCK_OWNERS) return -Errno.ENOLCK;
    const descriptor = this.openFor(owner.node);
    if (descriptor < 0) return descriptor === -Errno.ESTALE ? descriptor : -Errno.ENOLCK;
    locks.node[record] = owner.node;
    locks.ownerLow[record] = owner.low;
    locks.ownerHigh[record] = owner.high;
    locks.descriptor[record] = descriptor;
    if (record >= this.top) control[Control.LOCK_OWNERS_TOP] = record + 1;
    nodes.lockOwners[owner.node] = (nodes.lockOwners[owner.node] as number) + 1;
    return record;
  }

  /** For both kinds of locks if that may be; on a read-only file system nobody can ask for the second one. */
  private openFor(node: number): number {
    const file = this.descriptors.hold(node);
    if (file < 0) return file;
    const both = this.descriptors.open(-1, this.scratch.procPath(file), O_RDWR, 0);
    return both >= 0 ? both : this.descriptors.open(-1, this.scratch.procPath(file), O_RDONLY, 0);
  }

  private drop(record: number): void {
    const { locks, nodes } = this.shared;
    const node = locks.node[record] as number;
    this.calls.close(locks.descriptor[record] as number);
    locks.node[record] = 0;
    nodes.lockOwners[node] = (nodes.lockOwners[node] as number) - 1;
  }

  /** Whose lock it is: the one that does not see it. */
  private holderOf(asking: LockOwner, held: LockRange): number {
    const { locks } = this.shared;
    let fallback = 0;
    for (let record = 0; record < this.top; record += 1) {
      const sameOwner = locks.ownerLow[record] === asking.low && locks.ownerHigh[record] === asking.high;
      if (locks.node[record] !== asking.node || sameOwner) continue;
      const seen = this.ask(locks.descriptor[record] as number, { ...held, type: LockType.WRITE });
      fallback = locks.pid[record] as number;
      if (seen === undefined) return fallback;
    }
    return fallback;
  }

  private ask(descriptor: number, range: LockRange): HeldLock | undefined | number {
    this.putRange(range);
    const { region, argumentWord, argument } = this.scratch;
    if (this.calls.fcntl(descriptor, F_OFD_GETLK, argument) < 0) return -lastErrno();
    const type = region.u32(argumentWord + flock.type) & 0xffff;
    if (type === LockType.NONE) return undefined;
    return {
      type,
      start: region.big(argumentWord + flock.start),
      length: region.big(argumentWord + flock.len),
      // -1: of an open file description.
      pid: region.u32(argumentWord + flock.pid) | 0,
    };
  }

  /** With l_whence SEEK_SET, and l_pid 0 as F_OFD_SETLK demands. */
  private putRange({ type, start, length }: LockRange): void {
    const { region, argumentWord } = this.scratch;
    region.put(argumentWord + flock.type, type);
    region.putBig(argumentWord + flock.start, start);
    region.putBig(argumentWord + flock.len, length);
    region.put64(argumentWord + flock.pid, 0);
  }
}
