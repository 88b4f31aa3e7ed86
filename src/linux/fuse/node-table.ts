import { lock, unlock } from './mutex.ts';
import { NameStore } from './name-store.ts';
import { ROOT_NODE } from './protocol.ts';
import { Control, HANDLE_WORDS, NodeFlag, type SharedState } from './shared-state.ts';

/** What tells one file of the volume from all others that exist at the same time. */
export interface FileIdentity {
  readonly inodeLow: number;
  readonly inodeHigh: number;
  /** Index into the file systems. */
  readonly fileSystem: number;
}

/**
 * Which files the kernel knows, and by which number: the node ids of the protocol.
 *
 * A node lives as long as the kernel remembers it, which is counted: each answer that names it adds one, FORGET takes
 * away. Its number may then be given out again, with another generation. Everything is in shared memory, and all
 * threads work on it at the same time; what takes more than one word is done under one mutex.
 */
export class NodeTable {
  private readonly shared: SharedState;
  private readonly names: NameStore;
  /** Whether the descriptor that was given to the last {@link add} is the node's now. */
  adopted = false;

  constructor(shared: SharedState) {
    this.shared = shared;
    this.names = new NameStore(shared);
  }

  /**
   * The node of a file, which the kernel knows once more from now on.
   *
   * @param descriptor of the file, open with O_PATH. Afterwards `adopted` says whether the table has kept it, which it
   *   does when the file is new or its own descriptor was closed to make room.
   * @param isSame whether the file is that of a node whose descriptor was closed: inode numbers are used again
   * @returns 0: there is no room
   */
  add(file: FileIdentity, descriptor: number, isSame: (node: number) => boolean): number {
    const { control } = this.shared;
    lock(control, Control.TABLE_MUTEX);
    try {
      return this.addLocked(file, descriptor, isSame);
    } finally {
      unlock(control, Control.TABLE_MUTEX);
    }
  }

  /** The node of a file, if the kernel knows it; otherwise 0. It may be forgotten at any moment. */
  find(file: FileIdentity): number {
    const { control } = this.shared;
    lock(control, Control.TABLE_MUTEX);
    const node = this.findLocked(file);
    unlock(control, Control.TABLE_MUTEX);
    return node;
  }

  /**
   * The kernel knows a node once more, which {@link find} has found.
   *
   * @param inodeLow of its file
   * @returns false: it is gone meanwhile, or its descriptor is closed, so that it may be another file's by now
   */
  addKnown(node: number, inodeLow: number): boolean {
    const { control, nodes } = this.shared;
    lock(control, Control.TABLE_MUTEX);
    const lookups = nodes.lookups[node] as number;
    const same = lookups > 0 && nodes.inodeLow[node] === inodeLow && Atomics.load(nodes.descriptor, node) >= 0;
    if (same) nodes.lookups[node] = lookups + 1;
    unlock(control, Control.TABLE_MUTEX);
    return same;
  }

  /**
   * The kernel has forgotten the node as often as it was told of it `count` times.
   *
   * @returns a descriptor to be closed, or -1
   */
  forget(node: number, count: number): number {
    const { control, nodes } = this.shared;
    if (node <= ROOT_NODE || node >= (control[Control.NODES_TOP] as number)) return -1;
    lock(control, Control.TABLE_MUTEX);
    const lookups = (nodes.lookups[node] as number) - count;
    nodes.lookups[node] = lookups;
    const descriptor = lookups > 0 ? -1 : this.free(node);
    unlock(control, Control.TABLE_MUTEX);
    return descriptor;
  }

  generationOf(node: number): number {
    return this.shared.nodes.generation[node] as number;
  }

  /** Under which name a file was seen last. */
  setName(node: number, parent: number, name: Uint8Array): void {
    if (this.hasName(node, parent, name)) return;
    const { control, nodes } = this.shared;
    lock(control, Control.TABLE_MUTEX);
    this.names.drop(nodes.nameAt[node] as number, nodes.nameLength[node] as number);
    nodes.parent[node] = parent;
    nodes.parentGeneration[node] = nodes.generation[parent] as number;
    nodes.nameLength[node] = name.length;
    nodes.nameAt[node] = this.names.keep(name);
    unlock(control, Control.TABLE_MUTEX);
  }

  /** A name leads to another file now, or to none; the file may have others. */
  loseName(node: number, parent: number, name: Uint8Array): void {
    const { control, nodes } = this.shared;
    lock(control, Control.TABLE_MUTEX);
    if (this.hasName(node, parent, name)) {
      this.names.drop(nodes.nameAt[node] as number, nodes.nameLength[node] as number);
      nodes.nameAt[node] = 0;
      nodes.nameLength[node] = 0;
    }
    unlock(control, Control.TABLE_MUTEX);
  }

  private hasName(node: number, parent: number, name: Uint8Array): boolean {
    const { nodes } = this.shared;
    return (
      nodes.parent[node] === parent &&
      nodes.parentGeneration[node] === nodes.generation[parent] &&
      this.names.equals(nodes.nameAt[node] as number, nodes.nameLength[node] as number, name)
    );
  }

  /** A copy of the name, or undefined. */
  nameOf(node: number): Uint8Array | undefined {
    const { control, nodes } = this.shared;
    lock(control, Control.TABLE_MUTEX);
    const at = nodes.nameAt[node] as number;
    const name = at === 0 ? undefined : this.names.read(at, nodes.nameLength[node] as number).slice();
    unlock(control, Control.TABLE_MUTEX);
    return name;
  }

  /** The folder in which a file was seen last; 0: it is not known any more. */
  parentOf(node: number): number {
    const { nodes } = this.shared;
    const parent = nodes.parent[node] as number;
    return nodes.generation[parent] === nodes.parentGeneration[node] ? parent : 0;
  }

  private addLocked(file: FileIdentity, descriptor: number, isSame: (node: number) => boolean): number {
    const { nodes } = this.shared;
    const known = this.findLocked(file);
    this.adopted = false;
    if (known === 0) return this.create(file, descriptor);
    if (Atomics.load(nodes.descriptor, known) < 0) {
      if (!isSame(known)) {
        // The file that had this inode number is gone; its node stays until the kernel forgets it.
        this.unlink(known);
        return this.create(file, descriptor);
      }
      this.adopt(known, descriptor);
    }
    nodes.lookups[known] = (nodes.lookups[known] as number) + 1;
    return known;
  }

  private adopt(node: number, descriptor: number): void {
    const { control, nodes } = this.shared;
    if (Atomics.compareExchange(nodes.descriptor, node, -1, descriptor) !== -1) return;
    Atomics.and(nodes.flags, node, ~NodeFlag.BY_HANDLE);
    Atomics.add(control, Control.NODE_DESCRIPTORS, 1);
    this.adopted = true;
  }

  private findLocked({ inodeLow, inodeHigh, fileSystem }: FileIdentity): number {
    const { nodes, buckets } = this.shared;
    let node = buckets[this.bucketOf(inodeLow, inodeHigh, fileSystem)] as number;
    while (node !== 0) {
      if (
        nodes.inodeLow[node] === inodeLow &&
        nodes.inodeHigh[node] === inodeHigh &&
        nodes.fileSystem[node] === fileSystem
      ) {
        return node;
      }
      node = nodes.next[node] as number;
    }
    return 0;
  }

  private create({ inodeLow, inodeHigh, fileSystem }: FileIdentity, descriptor: number): number {
    const { control, nodes, buckets } = this.shared;
    const node = this.takeId();
    if (node === 0) return 0;
    nodes.inodeLow[node] = inodeLow;
    nodes.inodeHigh[node] = inodeHigh;
    nodes.fileSystem[node] = fileSystem;
    nodes.lookups[node] = 1;
    nodes.generation[node] = (nodes.generation[node] as number) + 1;
    nodes.flags[node] = NodeFlag.REFERENCED;
    nodes.interestRules[node] = 0;
    nodes.backingId[node] = 0;
    nodes.backingUses[node] = 0;
    nodes.lockOwners[node] = 0;
    nodes.parent[node] = 0;
    nodes.nameAt[node] = 0;
    nodes.nameLength[node] = 0;
    nodes.handle.fill(0, node * (2 + HANDLE_WORDS), (node + 1) * (2 + HANDLE_WORDS));
    Atomics.store(nodes.descriptor, node, descriptor);
    const bucket = this.bucketOf(inodeLow, inodeHigh, fileSystem);
    nodes.next[node] = buckets[bucket] as number;
    buckets[bucket] = node;
    Atomics.add(control, Control.LIVE_NODES, 1);
    Atomics.add(control, Control.NODE_DESCRIPTORS, 1);
    this.adopted = true;
    return node;
  }

  private takeId(): number {
    const { control, nodes, capacity } = this.shared;
    const free = control[Control.FREE_NODE] as number;
    if (free !== 0) {
      control[Control.FREE_NODE] = nodes.next[free] as number;
      return free;
    }
    const top = control[Control.NODES_TOP] as number;
    if (top >= capacity.nodes) return 0;
    control[Control.NODES_TOP] = top + 1;
    return top;
  }

  private free(node: number): number {
    const { control, nodes } = this.shared;
    this.unlink(node);
    this.names.drop(nodes.nameAt[node] as number, nodes.nameLength[node] as number);
    nodes.nameAt[node] = 0;
    const descriptor = Atomics.exchange(nodes.descriptor, node, -1);
    nodes.lookups[node] = 0;
    // Whoever remembers it as a folder sees by this that it is another one now.
    nodes.generation[node] = (nodes.generation[node] as number) + 1;
    nodes.next[node] = control[Control.FREE_NODE] as number;
    control[Control.FREE_NODE] = node;
    Atomics.sub(control, Control.LIVE_NODES, 1);
    if (descriptor >= 0) Atomics.sub(control, Control.NODE_DESCRIPTORS, 1);
    return descriptor;
  }

  /** Takes a node out of its bucket, if it is there. */
  private unlink(node: number): void {
    const { nodes, buckets } = this.shared;
    const bucket = this.bucketOf(
      nodes.inodeLow[node] as number,
      nodes.inodeHigh[node] as number,
      nodes.fileSystem[node] as number,
    );
    let before = 0;
    let here = buckets[bucket] as number;
    while (here !== 0 && here !== node) {
      before = here;
      here = nodes.next[here] as number;
    }
    if (here === 0) return;
    if (before === 0) buckets[bucket] = nodes.next[node] as number;
    else nodes.next[before] = nodes.next[node] as number;
    nodes.next[node] = 0;
  }

  /** Constants of MurmurHash3's finalizer, by Austin Appleby. */
  private bucketOf(low: number, high: number, fileSystem: number): number {
    const mixed = Math.imul(low ^ Math.imul(fileSystem + 1, 0x9e37_79b1), 0x85eb_ca6b) ^ Math.imul(high, 0xc2b2_ae35);
    return (mixed ^ (mixed >>> 15)) & (this.shared.buckets.length - 1);
  }
}
