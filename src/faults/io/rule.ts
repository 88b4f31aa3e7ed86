import type { FuseMethod } from '../../linux/fuse/methods.ts';

/*
 * What a rule is, with every default filled in: plain JSON, as the journal keeps it and the daemon of a volume gets it.
 */

export const distributions = ['constant', 'uniform', 'normal', 'pareto'] as const;

export type Distribution = (typeof distributions)[number];

/** An operation begins later. */
export interface LatencySpec {
  readonly kind: 'latency';
  readonly delayMs: number;
  /** 0 with `constant`. */
  readonly jitterMs: number;
  readonly distribution: Distribution;
}

/** All operations of a rule together move no more bytes than this in a second. */
export interface BandwidthSpec {
  readonly kind: 'bandwidth';
  readonly bytesPerSecond: number;
}

/** An operation fails and is not done. */
export interface ErrnoSpec {
  readonly kind: 'errno';
  /** One of these, each as often as its weight among all weights says. */
  readonly choices: readonly { readonly errno: number; readonly weight: number }[];
}

/** A read or a write stops early. */
export interface ShortSpec {
  readonly kind: 'short';
  /** null: after a random part of the bytes. */
  readonly maxBytes: number | null;
}

export const fillings = ['zero', 'random'] as const;

export type Filling = (typeof fillings)[number];

/** Some of the bytes that are read or written are others. */
export interface MistakeSpec {
  readonly kind: 'mistake';
  readonly filling: Filling;
  /** 1 to so many segments in each operation. */
  readonly maxOccurrences: number;
  /** 1 to so many bytes in each segment. */
  readonly maxLength: number;
}

/** Files look different to stat(2). */
export interface AttributesSpec {
  readonly kind: 'attributes';
  readonly attr: AttributeChanges;
}

export interface Timespec {
  readonly sec: number;
  readonly nsec: number;
}

/** Values that 53 bits may not hold are decimal text. Absent: as it is. The names are Chaos Mesh's. */
export interface AttributeChanges {
  readonly ino?: string;
  readonly size?: string;
  readonly blocks?: string;
  readonly atime?: Timespec;
  readonly mtime?: Timespec;
  readonly ctime?: Timespec;
  readonly kind?: FileKind;
  /** Permissions with set-user-ID, set-group-ID and sticky bit: 0 to 0o7777. */
  readonly perm?: number;
  readonly nlink?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly rdev?: number;
}

/** Types of files by Chaos Mesh's names, with the bits of st_mode: include/uapi/linux/stat.h, inode(7). */
export const fileKinds = {
  namedPipe: 0o010_000,
  charDevice: 0o020_000,
  directory: 0o040_000,
  blockDevice: 0o060_000,
  regularFile: 0o100_000,
  symlink: 0o120_000,
  socket: 0o140_000,
} as const;

export type FileKind = keyof typeof fileKinds;

export type DisturbanceSpec = LatencySpec | BandwidthSpec | ErrnoSpec | ShortSpec | MistakeSpec | AttributesSpec;

export type DisturbanceKind = DisturbanceSpec['kind'];

/** Who asks for an operation; an empty list stands for anybody. Who is in all lists that are not empty is meant. */
export interface RequesterSpec {
  /** Processes; each of their threads counts. */
  readonly pids: readonly number[];
  /** Names of the thread or of its process. */
  readonly comms: readonly string[];
  /** User IDs as the file system sees them (fsuid), in the host's user namespace. */
  readonly uids: readonly number[];
}

/** From the first byte up to, and without, the second; null: up to the end. */
export interface OffsetRange {
  readonly from: number;
  readonly to: number | null;
}

/** Which operations are disturbed, and how. */
export interface IoRule {
  /** A pattern of the path as the user sees it; null: whatever is in the volume, and its root. */
  readonly path: string | null;
  readonly methods: readonly FuseMethod[];
  readonly by: RequesterSpec;
  /** Only reads and writes that touch these bytes. */
  readonly offsets: OffsetRange | null;
  /** So many of the first operations are left alone, and not counted by `nth` and `every`. */
  readonly after: number;
  /** Only these operations, counted from 1; empty: all. */
  readonly nth: readonly number[];
  /** Each so-many-th operation. */
  readonly every: number;
  /** 0 to 100 of those that are left, by chance. */
  readonly percent: number;
  /** No more than so many; null: without limit. */
  readonly count: number | null;
  readonly disturbances: readonly DisturbanceSpec[];
}

/** How many rules a volume may have: the hot path keeps which of them a file falls under as bits of one number. */
export const maxRules = 31;
