import { constants } from 'node:fs';
import { Errno } from '../errno.ts';
import { lastErrno } from '../libc.ts';
import { AT_EMPTY_PATH, FileSystemFlag, type FileSystems, O_CLOEXEC, O_PATH } from './file-systems.ts';
import { fileHandle, statx } from './layouts.ts';
import { lock, unlock } from './mutex.ts';
import type { NodeTable } from './node-table.ts';
import { ROOT_NODE } from './protocol.ts';
import type { Scratch } from './scratch.ts';
import { Control, HANDLE_WORDS, HOLDS_PER_WORKER, NodeFlag, type SharedState } from './shared-state.ts';
import type { SystemCalls } from './system-calls.ts';

const { O_NOFOLLOW } = constants;

/** STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID of include/uapi/linux/stat.h. */
const STATX_ALL = 0x7ff | 0x800 | 0x1000;
/** How many descriptors are closed at a time. */
const evictionBatch = 64;
/** Handle type of ours, where a file system has none: the file's birth time stands in its place. */
const BIRTH_TIME = 0xffff_ffff;

interface Parts {
  readonly shared: SharedState;
  readonly calls: SystemCalls;
  readonly scratch: Scratch;
  readonly table: NodeTable;
  readonly fileSystems: FileSystems;
  /** Number of the thread, from 0. */
  readonly worker: number;
}

/** A descriptor that another thread may still be using. */
interface Limbo {
  readonly node: number;
  readonly descriptor: number;
}

/**
 * Descriptors of the files that the kernel knows: open with O_PATH, so that a file stays the same one whatever happens
 * to its name.
 *
 * There may be more files than descriptors. Those that were not used lately are closed, by the clock algorithm of
 * F. J. Corbató, and opened again when they are needed: by handle where the file system has handles, otherwise by
 * folder and name. Nobody may close what somebody else is using, so each thread tells which nodes it holds ("hazard
 * pointers", M. M. Michael), and a descriptor is taken out of the table before those are looked at.
 */
export class NodeDescriptors {
  private readonly parts: Parts;
  private readonly firstHold: number;
  private holds = 0;
  private limbo: Limbo[] = [];

  constructor(parts: Parts) {
    this.parts = parts;
    this.firstHold = parts.worker * HOLDS_PER_WORKER;
  }

  /**
   * The descriptor of a node, which stays open until {@link releaseAll}. All nodes that an operation is about are held
   * before it begins: what is in the scratch memory may be gone afterwards.
   *
   * @returns a negative errno: ESTALE when the file cannot be found any more
   */
  hold(node: number): number {
    const { nodes, control } = this.parts.shared;
    // A number that was never given out; node ids are the kernel's to send, and it sends only ours.
    if (node <= 0 || node >= (control[Control.NODES_TOP] as number)) return -Errno.ESTALE;
    this.publish(node);
    const open = Atomics.load(nodes.descriptor, node);
    if (open >= 0) {
      const flags = nodes.flags[node] as number;
      if ((flags & NodeFlag.REFERENCED) === 0) Atomics.or(nodes.flags, node, NodeFlag.REFERENCED);
      return open;
    }
    this.release(this.holds - 1);
    const reopened = this.reopen(node);
    return reopened < 0 ? reopened : this.install(node, reopened);
  }

  releaseAll(): void {
    this.release(0);
  }

  /** How many nodes are held: for {@link release}, by whoever holds some in passing. */
  get held(): number {
    return this.holds;
  }

  /** open(2) that makes room when there are too many descriptors. @returns a descriptor or a negative errno */
  open(folder: number, path: number, flags: number, mode: number): number {
    const { calls } = this.parts;
    const opened = calls.openat(folder, path, flags | O_CLOEXEC, mode);
    if (opened >= 0) return opened;
    const errno = lastErrno();
    if (errno !== Errno.EMFILE && errno !== Errno.ENFILE) return -errno;
    this.evict(evictionBatch);
    const again = calls.openat(folder, path, flags | O_CLOEXEC, mode);
    return again < 0 ? -lastErrno() : again;
  }

  /** Between requests: closes what is above the limit. */
  trim(): void {
    const { control } = this.parts.shared;
    const limit = control[Control.NODE_DESCRIPTORS_LIMIT] as number;
    if ((control[Control.NODE_DESCRIPTORS] as number) > limit) this.evict(evictionBatch);
  }

  /** statx(2) into the scratch memory. @returns 0 or a negative errno */
  stat(descriptor: number): number {
    const { calls, scratch } = this.parts;
    return calls.statx(descriptor, scratch.empty, AT_EMPTY_PATH, STATX_ALL, scratch.statx) < 0 ? -lastErrno() : 0;
  }

  /**
   * Whether an open file is that of a node without a descriptor: its inode number may have been given out again.
   *
   * @param descriptor of the file that statx(2) was last asked about
   */
  isSame(node: number, descriptor: number): boolean {
    const { scratch, shared, fileSystems } = this.parts;
    const { handle } = shared.nodes;
    const at = node * (2 + HANDLE_WORDS);
    if (handle[at + 1] === BIRTH_TIME) {
      return handle[at + 2] === scratch.stat(statx.btime) && handle[at + 3] === scratch.stat(statx.btime_nsec);
    }
    if (!fileSystems.encodeHandle(descriptor)) return false;
    const words = 2 + Math.ceil((handle[at] as number) / 4);
    for (let word = 0; word < words; word += 1) {
      if (handle[at + word] !== scratch.stat(scratch.handleWord + word)) return false;
    }
    return true;
  }

  private publish(node: number): void {
    if (this.holds >= HOLDS_PER_WORKER) throw new Error('an operation holds too many nodes');
    Atomics.store(this.parts.shared.holds, this.firstHold + this.holds, node);
    this.holds += 1;
  }

  /** Lets go of those held last, down to `keep`. */
  release(keep: number): void {
    while (this.holds > keep) {
      this.holds -= 1;
      Atomics.store(this.parts.shared.holds, this.firstHold + this.holds, 0);
    }
  }

  private install(node: number, descriptor: number): number {
    const { nodes, control } = this.parts.shared;
    this.publish(node);
    const other = Atomics.compareExchange(nodes.descriptor, node, -1, descriptor);
    if (other >= 0) {
      this.parts.calls.close(descriptor);
      return other;
    }
    Atomics.or(nodes.flags, node, NodeFlag.REFERENCED | NodeFlag.BY_HANDLE);
    Atomics.add(control, Control.NODE_DESCRIPTORS, 1);
    return descriptor;
  }

  private reopen(node: number): number {
    const { shared, fileSystems } = this.parts;
    const fileSystem = shared.nodes.fileSystem[node] as number;
    const byHandle = fileSystems.has(fileSystem, FileSystemFlag.HANDLES);
    return byHandle ? this.reopenByHandle(node, fileSystem) : this.reopenByName(node);
  }

  private reopenByHandle(node: number, fileSystem: number): number {
    const { shared, scratch, calls, fileSystems } = this.parts;
    const at = node * (2 + HANDLE_WORDS);
    const mount = fileSystems.mountDescriptor(fileSystem);
    const attempt = (): number => {
      scratch.region.words.set(shared.nodes.handle.subarray(at, at + 2 + HANDLE_WORDS), scratch.handleWord);
      return calls.openByHandleAt(mount, scratch.handle, O_PATH | O_CLOEXEC);
    };
    const opened = attempt();
    if (opened >= 0) return opened;
    const errno = lastErrno();
    if (errno !== Errno.EMFILE && errno !== Errno.ENFILE) return -errno;
    this.evict(evictionBatch);
    const again = attempt();
    return again < 0 ? -lastErrno() : again;
  }

  private reopenByName(node: number): number {
    const { table, scratch, calls } = this.parts;
    const parent = table.parentOf(node);
    const name = table.nameOf(node);
    if (parent === 0 || name === undefined) return -Errno.ESTALE;
    const held = this.holds;
    const folder = this.hold(parent);
    if (folder < 0) return folder;
    const opened = this.open(folder, scratch.putName(name), O_PATH | O_NOFOLLOW, 0);
    this.release(held);
    if (opened < 0) return opened === -Errno.ENOENT ? -Errno.ESTALE : opened;
    if (this.stat(opened) === 0 && this.hasInode(node) && this.isSame(node, opened)) return opened;
    calls.close(opened);
    return -Errno.ESTALE;
  }

  private hasInode(node: number): boolean {
    const { scratch, shared } = this.parts;
    const { inodeLow, inodeHigh } = shared.nodes;
    return scratch.stat(statx.ino) === inodeLow[node] && scratch.stat(statx.ino + 1) === inodeHigh[node];
  }

  /** Closes descriptors that were not used lately. What is at `scratch.statx` and `scratch.handle` is gone then. */
  private evict(count: number): void {
    const { control, nodes } = this.parts.shared;
    lock(control, Control.TABLE_MUTEX);
    this.closeLimbo();
    const top = control[Control.NODES_TOP] as number;
    let hand = control[Control.CLOCK_HAND] as number;
    let closed = 0;
    // Twice around: the first time the mark of use may only be taken away.
    for (let step = 0; step < 2 * top && closed < count; step += 1) {
      hand = hand + 1 < top ? hand + 1 : ROOT_NODE + 1;
      if (hand < top && (nodes.descriptor[hand] as number) >= 0 && this.evictNode(hand)) closed += 1;
    }
    control[Control.CLOCK_HAND] = hand;
    Atomics.add(control, Control.EVICTIONS, closed);
    unlock(control, Control.TABLE_MUTEX);
  }

  private evictNode(node: number): boolean {
    const { nodes, control } = this.parts.shared;
    const flags = Atomics.and(nodes.flags, node, ~NodeFlag.REFERENCED);
    if ((flags & (NodeFlag.REFERENCED | NodeFlag.PINNED)) !== 0 || (nodes.lookups[node] as number) <= 0) return false;
    const descriptor = Atomics.load(nodes.descriptor, node);
    if (descriptor < 0 || !this.remember(node, descriptor)) return false;
    if (Atomics.compareExchange(nodes.descriptor, node, descriptor, -1) !== descriptor) return false;
    Atomics.sub(control, Control.NODE_DESCRIPTORS, 1);
    if (this.isHeld(node)) this.limbo.push({ node, descriptor });
    else this.parts.calls.close(descriptor);
    return true;
  }

  private closeLimbo(): void {
    const waiting = this.limbo;
    this.limbo = [];
    for (const entry of waiting) {
      if (this.isHeld(entry.node)) this.limbo.push(entry);
      else this.parts.calls.close(entry.descriptor);
    }
  }

  private isHeld(node: number): boolean {
    const { holds } = this.parts.shared;
    for (let index = 0; index < holds.length; index += 1) {
      if (Atomics.load(holds, index) === node) return true;
    }
    return false;
  }

  /** Notes how the file can be found again. @returns false: it cannot, as it has no name any more */
  private remember(node: number, descriptor: number): boolean {
    const { scratch, shared, fileSystems } = this.parts;
    if (this.stat(descriptor) < 0 || scratch.stat(statx.nlink) === 0) return false;
    const { handle, fileSystem, nameAt } = shared.nodes;
    const at = node * (2 + HANDLE_WORDS);
    if (fileSystems.has(fileSystem[node] as number, FileSystemFlag.HANDLES)) {
      if (!fileSystems.encodeHandle(descriptor)) return false;
      handle.set(scratch.region.words.subarray(scratch.handleWord, scratch.handleWord + 2 + HANDLE_WORDS), at);
      // What is beyond the handle's end is left over from another one.
      handle.fill(
        0,
        at + 2 + Math.ceil(scratch.stat(scratch.handleWord + fileHandle.handle_bytes) / 4),
        at + 2 + HANDLE_WORDS,
      );
      return true;
    }
    if (nameAt[node] === 0) return false;
    handle[at + 1] = BIRTH_TIME;
    handle[at + 2] = scratch.stat(statx.btime);
    handle[at + 3] = scratch.stat(statx.btime_nsec);
    return true;
  }
}
