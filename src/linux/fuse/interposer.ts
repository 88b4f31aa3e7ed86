import type { FuseMethod } from './methods.ts';

/*
 * The seam between the data plane and whoever wants to disturb it. The data plane serves a folder as it is; an
 * interposer is asked about the operations on files that it is interested in, and says what is to be different.
 */

/** Attributes on their way to the kernel; what is changed here is what stat(2) shows. Times in whole ns since 1970. */
export interface FileAttributes {
  inode: bigint;
  size: bigint;
  blocks: bigint;
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
  /** File type and permissions: st_mode. */
  mode: number;
  links: number;
  uid: number;
  gid: number;
  /** As stat(2) has it: `major << 8 | minor` in the kernel's new encoding. */
  rdev: number;
}

/** One operation that a process asks for. The object is used again for the next one: keep nothing of it. */
export interface Operation {
  readonly method: FuseMethod;
  /** The thread that asks, as the host's PID namespace numbers it; 0 for one of a namespace that cannot be seen. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** The path from the root of the volume, `/` for the root itself; of a name that is being made, removed or looked up,
   * the path with that name. Text as `decodeFileName` of src/base/file-name.ts makes it, so that every name has one. */
  path(): string;
  /** The new path of `rename` and `link`. Either path may be of interest: ask about both, and join their bits. */
  otherPath(): string | undefined;
  /** Of `read`, `write`, and what else has one; otherwise 0. In bytes. */
  readonly offset: number;
  /** Of `read`, `write`: how many bytes are asked for. */
  readonly size: number;
}

/** What lies below, for faults that keep state of their own and answer by themselves. Each call is one system call. */
export interface Backing {
  /** @returns bytes read; a negative errno */
  read(bytes: Uint8Array, offset: number): number;
  /** @returns bytes written; a negative errno */
  write(bytes: Uint8Array, offset: number): number;
  /** @returns 0; a negative errno */
  sync(dataOnly: boolean): number;
}

/** What is to be different about one operation. */
export interface Ruling {
  /** It waits so long before anything else is done; 0 for not at all. Fractions count. */
  readonly delayMs: number;
  /** It is answered with this errno, a positive number, and not done; 0: it is done. */
  readonly errno: number;
  /** No more than so many bytes are read or written; Infinity for all. */
  readonly maxBytes: number;
  /** Changes the bytes that were read, or those that are about to be written, in place. */
  readonly alterData?: (bytes: Uint8Array, offset: number) => void;
  /**
   * Changes attributes in the answer of whatever carries some: lookup, getattr, setattr, create, mknod, readdirplus…
   */
  readonly alterAttributes?: (attributes: FileAttributes) => void;
  /**
   * Reads, writes or syncs in place of the data plane.
   *
   * @returns bytes done, or a negative errno
   */
  readonly perform?: (backing: Backing, bytes: Uint8Array, offset: number) => number;
}

export interface Interposer {
  /** Grows when what {@link interest} would say may have changed. Read before each operation: must be cheap. */
  generation(): number;
  /**
   * Which rules a file may fall under, by its path alone, as a set of up to 31 bits; 0: none, so that it may be served
   * in the fastest way and cached. Asked once a file, a path and a generation.
   */
  interest(path: string): number;
  /** @returns undefined when the operation is to be done as it is */
  rule(interest: number, operation: Operation): Ruling | undefined;
}
