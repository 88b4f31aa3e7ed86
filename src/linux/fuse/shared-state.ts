/*
 * What all threads of a volume share: one SharedArrayBuffer, laid out here and nowhere else.
 *
 * Its size is that of what it could hold at most; pages that nobody has touched do not exist, so that a volume of which
 * few files are seen takes little memory.
 */

/** How much it can hold. */
export interface Capacity {
  /** Files that the kernel knows at one time. */
  readonly nodes: number;
  /** One more than the highest descriptor that this process may have. */
  readonly descriptors: number;
}

export const MAX_WORKERS = 16;
/** How many nodes one operation may need at the same time. */
export const HOLDS_PER_WORKER = 8;
/** File systems and mounts within the volume. */
export const MAX_FILE_SYSTEMS = 1024;
/** Processes that hold a record lock on a file, counted for each file. */
export const MAX_LOCK_OWNERS = 8192;
/** Interruptions that a thread may be behind. */
export const INTERRUPT_RING = 4096;
/** Words of a file handle that are kept: those of ext4, tmpfs, XFS and Btrfs are shorter. */
export const HANDLE_WORDS = 8;
/** Names are kept in pieces of so many bytes. */
export const NAME_UNIT = 16;

const HASH_BUCKETS = 1 << 18;
/** A name takes 32 bytes of them on average. */
const NAME_BYTES_PER_NODE = 32;

/** Single words, all of them signed. */
export const Control = Object.freeze({
  /** The mutex of the node table, the file systems and the names. */
  TABLE_MUTEX: 0,
  /** The mutex of the record locks. */
  LOCKS_MUTEX: 1,
  /** The mutex of the backing ids, which is held over an ioctl(2). */
  BACKING_MUTEX: 2,
  /** First of the free node ids, linked by NEXT; 0: none. */
  FREE_NODE: 3,
  /** The lowest node id that was never given out. */
  NODES_TOP: 4,
  /** Nodes that the kernel knows now. */
  LIVE_NODES: 5,
  /** How many nodes have a descriptor. */
  NODE_DESCRIPTORS: 6,
  /** More than so many are not kept. */
  NODE_DESCRIPTORS_LIMIT: 7,
  /** Where the search for descriptors to close goes on. */
  CLOCK_HAND: 8,
  /** Grows when paths may have changed: a folder was renamed. */
  PATH_GENERATION: 9,
  /** Nonzero: nobody is disturbed any more. */
  STOPPING: 10,
  /** How long the kernel may believe what it was told about a file that no rule is about, in ms. */
  CACHE_MS: 11,
  FILE_SYSTEMS: 12,
  /** Interruptions so far. */
  INTERRUPTS: 13,
  /** One more than the last record that is used. */
  LOCK_OWNERS_TOP: 14,
  /** Where the names begin that were never given out, in units of NAME_UNIT. */
  NAMES_TOP: 15,
  /** Descriptors of nodes that were closed to make room, all in all. */
  EVICTIONS: 16,
  /** The mutex of the interruptions. */
  INTERRUPTS_MUTEX: 17,
  /** Number, from 1, of the thread that looks for requests; 0: none. */
  LOOKOUT: 18,
  /** Requests that it has begun, and whether it is at one. */
  HANDLED: 19,
  HANDLING: 20,
  /**
   * Number, from 1, of the thread that looks after it, and whether that is to be woken when there is something to do.
   */
  DEPUTY: 21,
  DEPUTY_SLEEPS: 22,
  /** Nonzero: the volume has been unmounted, and nobody has a file of it open. */
  ENDED: 23,
  /** First of the free names of 1, 2, 4, 8 and 16 units; the last one has 256 bytes, enough for NAME_MAX. */
  FREE_NAMES: 24,
  /** 1: somebody has locked a file, or tried to. */
  LOCKS_USED: 30,
  /** Requests answered, a word for each worker. */
  REQUESTS: 32,
  /** How many requests wait, a word for each worker. */
  DELAYED: 48,
  /** What each worker is doing, a word for each. */
  BUSY: 64,
  WORDS: 80,
});

/** What is known of each node, a column each. */
interface NodeColumns {
  readonly inodeLow: Uint32Array;
  readonly inodeHigh: Uint32Array;
  /** Index into the file systems. */
  readonly fileSystem: Int32Array;
  /** Open with O_PATH; -1: closed to make room. */
  readonly descriptor: Int32Array;
  /** How often the kernel was told of it: it forgets as often. Counts beyond what a word holds. */
  readonly lookups: Float64Array;
  /** The next one in the same bucket, or among the free ones. */
  readonly next: Int32Array;
  /** Grows when the id is given out again. */
  readonly generation: Uint32Array;
  /** NodeFlag. */
  readonly flags: Int32Array;
  /** What the interposer has said of its path, and when: 0 for never. */
  readonly interest: Int32Array;
  readonly interestRules: Int32Array;
  readonly interestPaths: Int32Array;
  /** The name under which it was seen last: the folder's node, that one's generation, and where the name stands. */
  readonly parent: Int32Array;
  readonly parentGeneration: Uint32Array;
  readonly nameAt: Int32Array;
  readonly nameLength: Int32Array;
  /** Of FUSE_PASSTHROUGH: 0 for none. */
  readonly backingId: Int32Array;
  /** Open files that use it. */
  readonly backingUses: Int32Array;
  /** Records of {@link LockColumns} about it. */
  readonly lockOwners: Int32Array;
  /**
   * Length in bytes, type, and the handle itself; for a file system without handles something that tells files apart.
   */
  readonly handle: Uint32Array;
}

interface LockColumns {
  /** 0: free. */
  readonly node: Int32Array;
  readonly ownerLow: Uint32Array;
  readonly ownerHigh: Uint32Array;
  readonly pid: Int32Array;
  /** An open file of its own, whose locks are the owner's. */
  readonly descriptor: Int32Array;
  /** The file handle through which the owner has locked last. */
  readonly handle: Int32Array;
}

interface FileSystemColumns {
  readonly mountIdLow: Uint32Array;
  readonly mountIdHigh: Uint32Array;
  readonly deviceMajor: Uint32Array;
  readonly deviceMinor: Uint32Array;
  /** For open_by_handle_at(2); -1: it has no handles. */
  readonly mountDescriptor: Int32Array;
  /** FileSystemFlag. */
  readonly flags: Int32Array;
}

export const NodeFlag = Object.freeze({
  /** Used since the clock's hand came by. */
  REFERENCED: 1,
  /** Its descriptor is never closed to make room. */
  PINNED: 2,
  /** Opened by its handle, so that the kernel may not know its path. */
  BY_HANDLE: 4,
  /** Passthrough was refused for it. */
  NO_BACKING: 8,
});

/**
 * Marks of ours among the flags of a file handle, where open(2) has none: the kernel reads and writes it by itself; it
 * is one; it uses its node's backing id.
 */
export const OPEN_PASSED = 1 << 28;
export const OPEN_HANDLE = 1 << 29;
export const OPEN_BACKED = 1 << 30;

export interface SharedState {
  readonly buffer: SharedArrayBuffer;
  readonly capacity: Capacity;
  readonly control: Int32Array;
  readonly nodes: NodeColumns;
  readonly buckets: Int32Array;
  readonly names: Uint8Array;
  readonly fileSystems: FileSystemColumns;
  readonly locks: LockColumns;
  /** uniques of interrupted requests, in turn. */
  readonly interruptsLow: Uint32Array;
  readonly interruptsHigh: Uint32Array;
  /** Which nodes each worker's operation is about, whose descriptors must not be closed meanwhile. */
  readonly holds: Int32Array;
  /** open(2) flags of each descriptor that is a file handle, with those of ours. */
  readonly openFlags: Int32Array;
}

/** Cuts a buffer into columns; with none, measures what they take. */
class Cutter {
  private readonly buffer: SharedArrayBuffer;
  bytes = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
  }

  /** So that measuring needs no memory of that size. */
  private place(bytes: number): { readonly at: number; readonly fits: boolean } {
    const at = this.bytes;
    this.bytes += Math.ceil(bytes / 8) * 8;
    return { at, fits: this.bytes <= this.buffer.byteLength };
  }

  signed(length: number): Int32Array {
    const { at, fits } = this.place(length * 4);
    return new Int32Array(this.buffer, fits ? at : 0, fits ? length : 0);
  }

  unsigned(length: number): Uint32Array {
    const { at, fits } = this.place(length * 4);
    return new Uint32Array(this.buffer, fits ? at : 0, fits ? length : 0);
  }

  float(length: number): Float64Array {
    const { at, fits } = this.place(length * 8);
    return new Float64Array(this.buffer, fits ? at : 0, fits ? length : 0);
  }

  octets(length: number): Uint8Array {
    const { at, fits } = this.place(length);
    return new Uint8Array(this.buffer, fits ? at : 0, fits ? length : 0);
  }
}

function cutNodes(cut: Cutter, count: number): NodeColumns {
  return {
    inodeLow: cut.unsigned(count),
    inodeHigh: cut.unsigned(count),
    fileSystem: cut.signed(count),
    descriptor: cut.signed(count),
    lookups: cut.float(count),
    next: cut.signed(count),
    generation: cut.unsigned(count),
    flags: cut.signed(count),
    interest: cut.signed(count),
    interestRules: cut.signed(count),
    interestPaths: cut.signed(count),
    parent: cut.signed(count),
    parentGeneration: cut.unsigned(count),
    nameAt: cut.signed(count),
    nameLength: cut.signed(count),
    backingId: cut.signed(count),
    backingUses: cut.signed(count),
    lockOwners: cut.signed(count),
    handle: cut.unsigned(count * (2 + HANDLE_WORDS)),
  };
}

function cutLocks(cut: Cutter): LockColumns {
  return {
    node: cut.signed(MAX_LOCK_OWNERS),
    ownerLow: cut.unsigned(MAX_LOCK_OWNERS),
    ownerHigh: cut.unsigned(MAX_LOCK_OWNERS),
    pid: cut.signed(MAX_LOCK_OWNERS),
    descriptor: cut.signed(MAX_LOCK_OWNERS),
    handle: cut.signed(MAX_LOCK_OWNERS),
  };
}

function cutFileSystems(cut: Cutter): FileSystemColumns {
  return {
    mountIdLow: cut.unsigned(MAX_FILE_SYSTEMS),
    mountIdHigh: cut.unsigned(MAX_FILE_SYSTEMS),
    deviceMajor: cut.unsigned(MAX_FILE_SYSTEMS),
    deviceMinor: cut.unsigned(MAX_FILE_SYSTEMS),
    mountDescriptor: cut.signed(MAX_FILE_SYSTEMS),
    flags: cut.signed(MAX_FILE_SYSTEMS),
  };
}

function cutAll(
  buffer: SharedArrayBuffer,
  capacity: Capacity,
): { readonly state: SharedState; readonly bytes: number } {
  const cut = new Cutter(buffer);
  const state: SharedState = Object.freeze({
    buffer,
    capacity,
    control: cut.signed(Control.WORDS),
    nodes: Object.freeze(cutNodes(cut, capacity.nodes)),
    buckets: cut.signed(HASH_BUCKETS),
    names: cut.octets(capacity.nodes * NAME_BYTES_PER_NODE),
    fileSystems: Object.freeze(cutFileSystems(cut)),
    locks: Object.freeze(cutLocks(cut)),
    interruptsLow: cut.unsigned(INTERRUPT_RING),
    interruptsHigh: cut.unsigned(INTERRUPT_RING),
    holds: cut.signed(MAX_WORKERS * HOLDS_PER_WORKER),
    openFlags: cut.signed(capacity.descriptors),
  });
  return { state, bytes: cut.bytes };
}

/** For the thread that starts a volume. */
export function createSharedState(capacity: Capacity): SharedState {
  const { bytes } = cutAll(new SharedArrayBuffer(0), capacity);
  const { state } = cutAll(new SharedArrayBuffer(bytes), capacity);
  state.control[Control.NODES_TOP] = 1;
  // 0 stands for no name.
  state.control[Control.NAMES_TOP] = 1;
  return state;
}

/** For the others. */
export function openSharedState(buffer: SharedArrayBuffer, capacity: Capacity): SharedState {
  return cutAll(buffer, capacity).state;
}
