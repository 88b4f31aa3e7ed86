import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  MAP_SHARED,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_WRONLY,
  PROT_READ,
  PROT_WRITE,
  UTIME_OMIT,
} from '../posix/abi.ts';
import { calls } from '../posix/calls.ts';
import type { Stat } from '../posix/structs.ts';

import { type Looks, type Result, nothing } from './results.ts';
import { errnos } from './tree.ts';
import { type Doing, type OnHandle, type OnPath, type OnSlot, type Operation, bytesOf, slots } from './operations.ts';

/* The same operations by system calls, in a folder. */

interface Handle {
  readonly fd: number;
  readonly access: number;
}

const page = 4096;
/** More than any file of the model has; files of other tests are larger than there is memory. */
const mostRead = 1 << 20;

/** As the model tells it, where the same things are compared. */
function looksOf(stat: Stat | number): Looks | number {
  if (typeof stat === 'number') return stat;
  const { type, mode, links, uid, gid, size, mtime } = stat;
  if (type !== 'file' && type !== 'dir' && type !== 'symlink') return -1;
  return { type, mode, links, uid, gid, size, mtime };
}

/** All names in a folder, those told twice twice. */
function list(path: string): readonly string[] | number {
  const names = calls.list(path);
  return typeof names === 'number' ? names : names.toSorted();
}

export class Volume {
  private readonly folder: string;
  private readonly handles: (Handle | undefined)[] = Array.from({ length: slots }, () => undefined);

  constructor(folder: string) {
    this.folder = folder;
  }

  apply(operation: Operation): Result {
    return 'slot' in operation ? this.onSlot(operation) : this.onPath(operation);
  }

  /** Close all that is open. */
  close(): void {
    for (const slot of this.handles.keys()) this.release(slot);
  }

  private at(path: string): string {
    return `${this.folder}/${path}`;
  }

  private release(slot: number): number {
    const handle = this.handles[slot];
    this.handles[slot] = undefined;
    return handle === undefined ? 0 : calls.close(handle.fd);
  }

  private onSlot(operation: OnSlot): Result {
    const { slot } = operation;
    if (operation.do === 'open') return this.open(slot, this.at(operation.path), operation.flags, operation.mode);
    if (operation.do === 'tmpfile') {
      return this.open(slot, this.at(operation.path), O_TMPFILE | O_RDWR, operation.mode);
    }
    const handle = this.handles[slot];
    if (handle === undefined) return nothing;
    if (operation.do === 'close') return this.release(slot);
    if (operation.do === 'name') return calls.linkAt(handle.fd, '', AT_FDCWD, this.at(operation.path), AT_EMPTY_PATH);
    if (operation.do !== 'copy') return onHandle(handle, operation);
    const other = this.handles[operation.to];
    if (other === undefined) return nothing;
    return calls.copyFileRange(handle.fd, operation.offset, other.fd, operation.toOffset, operation.length);
  }

  /** A new file takes the place of another only once it is open. Folders are opened and closed. */
  private open(slot: number, path: string, flags: number, mode: number): Result {
    const fd = calls.open(path, flags, mode);
    if (fd < 0) return fd;
    if ((flags & O_TMPFILE) !== O_TMPFILE && isFolder(fd, flags)) {
      calls.close(fd);
      return nothing;
    }
    this.release(slot);
    this.handles[slot] = { fd, access: flags & 3 };
    return 0;
  }

  private onPath(operation: OnPath): Result {
    const path = this.at(operation.path);
    switch (operation.do) {
      case 'mkdir':
        return calls.mkdir(path, operation.mode);
      case 'rmdir':
        return calls.rmdir(path);
      case 'unlink':
        return calls.unlink(path);
      case 'link':
        return calls.link(path, this.at(operation.to));
      case 'rename':
        return calls.rename(path, this.at(operation.to), operation.flags);
      case 'symlink':
        return calls.symlink(operation.target, path);
      case 'readlink':
        return calls.readlink(path);
      case 'list':
        return list(path);
      case 'contents':
        return contents(path);
      case 'clear':
        return clear(path);
      default:
        return onAttributes(path, operation);
    }
  }
}

/** Only what is opened for reading, and without O_CREAT, can be a folder. */
function isFolder(fd: number, flags: number): boolean {
  if ((flags & 3) !== O_RDONLY) return false;
  const stat = calls.fstat(fd);
  return typeof stat !== 'number' && stat.type === 'dir';
}

/** What a file holds, from its beginning; a folder holds nothing. */
function contents(path: string): Result {
  const fd = calls.open(path, O_RDONLY);
  if (fd < 0) return fd;
  const all: Buffer[] = [];
  for (let left = mostRead; ; ) {
    const bytes = calls.read(fd, Math.min(left, 65_536));
    if (typeof bytes === 'number') {
      calls.close(fd);
      return bytes === errnos.EISDIR ? nothing : bytes;
    }
    all.push(bytes);
    left -= bytes.length;
    if (bytes.length > 0 && left > 0) continue;
    calls.close(fd);
    return Buffer.concat(all);
  }
}

/** As `rm -r` does it, but for the folder itself. */
function clear(path: string): number {
  const stat = calls.lstat(path);
  if (typeof stat === 'number') return stat;
  if (stat.type !== 'dir') return errnos.ENOTDIR;
  const names = list(path);
  if (typeof names === 'number') return names;
  let removed = 0;
  for (const name of names) {
    const below = clear(`${path}/${name}`);
    const failed = below < 0 ? calls.unlink(`${path}/${name}`) : calls.rmdir(`${path}/${name}`);
    if (failed < 0) return failed;
    removed += 1 + Math.max(0, below);
  }
  return removed;
}

type OnAttributes = Doing<
  'stat' | 'lstat' | 'chmod' | 'chown' | 'utimes' | 'truncate' | 'setxattr' | 'getxattr' | 'removexattr' | 'listxattr'
>;

function onAttributes(path: string, operation: OnAttributes): Result {
  switch (operation.do) {
    case 'stat':
      return looksOf(calls.stat(path));
    case 'lstat':
      return looksOf(calls.lstat(path));
    case 'chmod':
      return calls.chmod(path, operation.mode);
    case 'chown':
      return calls.chown(path, operation.uid, operation.gid);
    case 'utimes':
      return calls.utimes(path, UTIME_OMIT, BigInt(operation.mtime));
    case 'truncate':
      return calls.truncate(path, operation.size);
    case 'setxattr':
      return calls.setxattr(path, operation.name, operation.value, operation.flags);
    case 'getxattr':
      return calls.getxattr(path, operation.name, 256);
    case 'removexattr':
      return calls.removexattr(path, operation.name);
    case 'listxattr':
      return calls.listxattr(path, 1024);
  }
}

function onHandle({ fd, access }: Handle, operation: OnHandle): Result {
  switch (operation.do) {
    case 'fstat':
      return looksOf(calls.fstat(fd));
    case 'fsync':
      return calls.fsync(fd);
    case 'read':
      return calls.read(fd, operation.length);
    case 'write':
      return calls.write(fd, bytesOf(operation.bytes));
    case 'pread':
      return calls.pread(fd, operation.length, operation.offset);
    case 'pwrite':
      return calls.pwrite(fd, bytesOf(operation.bytes), operation.offset);
    case 'seek':
      return calls.lseek(fd, operation.offset, operation.whence);
    case 'ftruncate':
      return calls.ftruncate(fd, operation.size);
    case 'fchmod':
      return calls.fchmod(fd, operation.mode);
    case 'fallocate':
      return calls.fallocate(fd, operation.mode, operation.offset, operation.length);
    case 'peek':
      return access === O_WRONLY ? nothing : peek(fd, operation.offset, operation.length);
    case 'poke':
      return access === O_RDWR ? poke(fd, operation.offset, bytesOf(operation.bytes)) : nothing;
  }
}

function sizeOf(fd: number): number {
  const stat = calls.fstat(fd);
  return typeof stat === 'number' ? stat : stat.size;
}

/** Bytes by way of memory; where there is no page of the file, there is nothing to map. */
function peek(fd: number, offset: number, length: number): Result {
  const begin = offset - (offset % page);
  const end = Math.min(offset + length, sizeOf(fd));
  if (begin >= sizeOf(fd)) return nothing;
  const size = Math.max(end, begin + 1) - begin;
  const map = calls.mmap(fd, size, PROT_READ, MAP_SHARED, begin);
  if (map < 0) return map;
  const bytes = end > offset ? calls.peek(map + offset - begin, end - offset) : Buffer.alloc(0);
  calls.munmap(map, size);
  return bytes;
}

function poke(fd: number, offset: number, bytes: Buffer): Result {
  const begin = offset - (offset % page);
  const fitting = bytes.subarray(0, Math.max(0, sizeOf(fd) - offset));
  if (fitting.length === 0) return nothing;
  const size = offset + fitting.length - begin;
  const map = calls.mmap(fd, size, PROT_READ | PROT_WRITE, MAP_SHARED, begin);
  if (map < 0) return map;
  calls.poke(map + offset - begin, fitting);
  calls.munmap(map, size);
  return fitting.length;
}

/** Everything below a folder, one line each, to be compared with the model's. */
export function* walk(folder: string, prefix = ''): Generator<readonly [string, Looks | number, Result]> {
  const names = list(folder);
  if (typeof names === 'number') throw new Error(`${folder} cannot be read: errno ${-names}`);
  for (const name of names) {
    const path = `${folder}/${name}`;
    const looks = looksOf(calls.lstat(path));
    const type = typeof looks === 'number' ? undefined : looks.type;
    const holds = type === 'file' ? contents(path) : type === 'symlink' ? calls.readlink(path) : nothing;
    yield [`${prefix}${name}`, looks, holds];
    if (type === 'dir') yield* walk(path, `${prefix}${name}/`);
  }
}
