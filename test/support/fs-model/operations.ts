import type { Random } from '../../../src/base/random.ts';
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
} from '../posix/abi.ts';

/* What may be done to a tree of files, as plain data: it can be recorded, left out and done again. */

/** Bytes are told by where in {@link noise} they are, so that an operation stays short. */
export interface Bytes {
  readonly from: number;
  readonly length: number;
}

type Each<Name extends string, Fields> = Name extends string ? { readonly do: Name } & Readonly<Fields> : never;

export type Operation =
  | Each<'open', { path: string; flags: number; mode: number; slot: number }>
  | Each<'tmpfile', { path: string; mode: number; slot: number }>
  | Each<'name', { slot: number; path: string }>
  | Each<'close' | 'fstat' | 'fsync', { slot: number }>
  | Each<'read', { slot: number; length: number }>
  | Each<'write', { slot: number; bytes: Bytes }>
  | Each<'pread' | 'peek', { slot: number; offset: number; length: number }>
  | Each<'pwrite' | 'poke', { slot: number; offset: number; bytes: Bytes }>
  | Each<'seek', { slot: number; offset: number; whence: number }>
  | Each<'ftruncate', { slot: number; size: number }>
  | Each<'fchmod', { slot: number; mode: number }>
  | Each<'fallocate', { slot: number; mode: number; offset: number; length: number }>
  | Each<'copy', { slot: number; offset: number; to: number; toOffset: number; length: number }>
  | Each<'truncate', { path: string; size: number }>
  | Each<'mkdir' | 'chmod', { path: string; mode: number }>
  | Each<
      'rmdir' | 'unlink' | 'clear' | 'stat' | 'lstat' | 'list' | 'readlink' | 'listxattr' | 'contents',
      { path: string }
    >
  | Each<'link', { path: string; to: string }>
  | Each<'rename', { path: string; to: string; flags: number }>
  | Each<'symlink', { path: string; target: string }>
  | Each<'chown', { path: string; uid: number; gid: number }>
  | Each<'utimes', { path: string; mtime: string }>
  | Each<'setxattr', { path: string; name: string; value: string; flags: number }>
  | Each<'getxattr' | 'removexattr', { path: string; name: string }>;

/** Those with that name. */
export type Doing<Name extends Operation['do']> = Extract<Operation, { readonly do: Name }>;

/** On an open file, on a path, on a file that is known to be open, and on whatever a path leads to. */
export type OnSlot = Extract<Operation, { readonly slot: number }>;
export type OnPath = Exclude<Operation, OnSlot>;
export type OnHandle = Exclude<OnSlot, Doing<'open' | 'tmpfile' | 'name' | 'close' | 'copy'>>;
export type OnNode = Exclude<
  OnPath,
  Doing<'mkdir' | 'symlink' | 'rmdir' | 'unlink' | 'link' | 'rename' | 'clear' | 'lstat' | 'readlink'>
>;

/** How many files may be open at once. */
export const slots = 8;

/** Where all bytes that are written are taken from: any two pieces of it are different. */
const noise = Buffer.alloc(1 << 17);
for (let index = 0, value = 88_172_645; index < noise.length; index += 4) {
  value ^= value << 13;
  value ^= value >>> 17;
  value ^= value << 5;
  noise.writeInt32LE(value, index);
}

const longest = 96 * 1024;
const names = ['a', 'b', 'c', 'd', 'e', 'f'];
const xattrNames = ['user.one', 'user.two', 'user.three'];
const modes = [0o600, 0o644, 0o640, 0o755, 0o400, 0o777, 0o000];

/** Operations that depend on nothing but the draws. */
export class Generator {
  private readonly random: Random;
  private readonly kinds: readonly (() => Operation)[];

  constructor(random: Random) {
    this.random = random;
    this.kinds = this.weighted().flatMap(([weight, make]) => Array.from({ length: weight }, () => make));
  }

  next(): Operation {
    return this.pick(this.kinds)();
  }

  private weighted(): readonly (readonly [number, () => Operation])[] {
    const path = (): string => this.path();
    const slot = (): number => this.integer(0, slots - 1);
    return [...this.onOpenFiles(slot), ...this.onNames(path), ...this.onAttributes(path, slot)];
  }

  private onOpenFiles(slot: () => number): readonly (readonly [number, () => Operation])[] {
    return [
      [26, () => ({ do: 'open', path: this.path(), flags: this.openFlags(), mode: this.pick(modes), slot: slot() })],
      [1, () => ({ do: 'tmpfile', path: this.folderPath(), mode: this.pick(modes), slot: slot() })],
      [1, () => ({ do: 'name', slot: slot(), path: this.path() })],
      [2, () => ({ do: 'close', slot: slot() })],
      [5, () => ({ do: 'read', slot: slot(), length: this.length() })],
      [6, () => ({ do: 'write', slot: slot(), bytes: this.bytes() })],
      [7, () => ({ do: 'pread', slot: slot(), offset: this.offset(), length: this.length() })],
      [7, () => ({ do: 'pwrite', slot: slot(), offset: this.offset(), bytes: this.bytes() })],
      [2, () => ({ do: 'peek', slot: slot(), offset: this.offset(), length: this.length() })],
      [2, () => ({ do: 'poke', slot: slot(), offset: this.offset(), bytes: this.bytes() })],
      [
        3,
        () => ({ do: 'seek', slot: slot(), offset: this.offset() - this.integer(0, 5000), whence: this.integer(0, 2) }),
      ],
      [4, () => ({ do: 'ftruncate', slot: slot(), size: this.offset() })],
      [
        2,
        () => ({
          do: 'fallocate',
          slot: slot(),
          mode: this.pick([0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE]),
          offset: this.offset(),
          length: this.length() + 1,
        }),
      ],
      [
        3,
        () => ({
          do: 'copy',
          slot: slot(),
          offset: this.offset(),
          to: slot(),
          toOffset: this.offset(),
          length: this.length(),
        }),
      ],
      [1, () => ({ do: 'fsync', slot: slot() })],
    ];
  }

  private onNames(path: () => string): readonly (readonly [number, () => Operation])[] {
    return [
      [2, () => ({ do: 'mkdir', path: path(), mode: this.pick(modes) })],
      [5, () => ({ do: 'rmdir', path: path() })],
      [2, () => ({ do: 'clear', path: this.pick(names) })],
      [9, () => ({ do: 'unlink', path: path() })],
      [6, () => ({ do: 'link', path: path(), to: path() })],
      [8, () => ({ do: 'rename', path: path(), to: path(), flags: this.renameFlags() })],
      [3, () => ({ do: 'symlink', path: path(), target: this.path() })],
      [2, () => ({ do: 'readlink', path: path() })],
      [4, () => ({ do: 'list', path: this.folderPath() })],
      [2, () => ({ do: 'truncate', path: path(), size: this.offset() })],
      [3, () => ({ do: 'contents', path: path() })],
    ];
  }

  private onAttributes(path: () => string, slot: () => number): readonly (readonly [number, () => Operation])[] {
    return [
      [6, () => ({ do: 'stat', path: path() })],
      [4, () => ({ do: 'lstat', path: path() })],
      [4, () => ({ do: 'fstat', slot: slot() })],
      [2, () => ({ do: 'chmod', path: path(), mode: this.pick(modes) })],
      [1, () => ({ do: 'fchmod', slot: slot(), mode: this.pick(modes) })],
      [1, () => ({ do: 'chown', path: path(), uid: this.integer(0, 3), gid: this.integer(0, 3) })],
      [2, () => ({ do: 'utimes', path: path(), mtime: String(this.integer(0, 2 ** 50)) })],
      [
        2,
        () => ({
          do: 'setxattr',
          path: path(),
          name: this.pick(xattrNames),
          value: 'v'.repeat(this.integer(0, 60)),
          flags: this.integer(0, 2),
        }),
      ],
      [2, () => ({ do: 'getxattr', path: path(), name: this.pick(xattrNames) })],
      [1, () => ({ do: 'removexattr', path: path(), name: this.pick(xattrNames) })],
      [1, () => ({ do: 'listxattr', path: path() })],
    ];
  }

  private integer(min: number, max: number): number {
    return this.random.integer(min, max);
  }

  private pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)] as T;
  }

  private oneIn(many: number): boolean {
    return this.integer(1, many) === 1;
  }

  /** One to three names, of which few are there at a time; seldom up again on the way, and never out of the root. */
  private path(): string {
    const depth = this.pick([1, 1, 1, 1, 2, 2, 3]);
    const parts = Array.from({ length: depth }, () => this.pick(names));
    if (depth === 3 && this.oneIn(6)) parts[1] = '..';
    return parts.join('/');
  }

  private folderPath(): string {
    return this.oneIn(6) ? `${this.pick(names)}/..` : this.path();
  }

  private openFlags(): number {
    const access = this.pick([O_RDONLY, O_WRONLY, O_RDWR, O_RDWR]);
    const create = this.pick([0, O_CREAT, O_CREAT, O_CREAT, O_CREAT | O_EXCL]);
    const rare = this.pick([0, 0, 0, 0, O_TRUNC, O_APPEND, O_APPEND, O_NOFOLLOW, create === 0 ? O_DIRECTORY : 0]);
    return access | create | rare;
  }

  private renameFlags(): number {
    return this.pick([0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE]);
  }

  /** Near the beginning, at a page, or anywhere. */
  private offset(): number {
    return this.pick([
      () => this.integer(0, 100),
      () => this.integer(0, 10_000),
      () => this.integer(0, 8) * 4096,
      () => this.integer(0, longest),
    ])();
  }

  private length(): number {
    return this.pick([
      () => this.integer(0, 64),
      () => this.integer(0, 5000),
      () => this.integer(1, 3) * 4096,
      () => this.integer(0, 40_000),
    ])();
  }

  private bytes(): Bytes {
    const length = this.length();
    return { from: this.integer(0, noise.length - length), length };
  }
}

export function bytesOf({ from, length }: Bytes): Buffer {
  return noise.subarray(from, from + length);
}
