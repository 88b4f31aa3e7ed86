import {
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
import { type Handle, onHandle } from './on-handles.ts';
import { clear, onNode } from './on-nodes.ts';
import { type Doing, type OnPath, type OnSlot, type Operation, slots } from './operations.ts';
import { type Result, looksOf, nothing } from './results.ts';
import {
  type FileNode,
  type FolderNode,
  type Node,
  attach,
  detach,
  errnos,
  isWithin,
  newFile,
  newFolder,
  newSymlink,
  nodeOf,
  placeOf,
  readBytes,
  resize,
  writeBytes,
} from './tree.ts';

/* What operations must do and answer, whichever file system it is: the man pages of section 2. */

export class Model {
  readonly root = newFolder(0o755, undefined);
  private readonly handles: (Handle | undefined)[] = Array.from({ length: slots }, () => undefined);

  apply(operation: Operation): Result {
    return 'slot' in operation ? this.onSlot(operation) : this.onPath(operation);
  }

  private onSlot(operation: OnSlot): Result {
    if (operation.do === 'open') return this.open(operation);
    if (operation.do === 'tmpfile') return this.tmpfile(operation);
    const handle = this.handles[operation.slot];
    if (handle === undefined) return nothing;
    switch (operation.do) {
      case 'name':
        return this.name(handle.node, operation.path);
      case 'close':
        this.handles[operation.slot] = undefined;
        return 0;
      case 'copy':
        return this.copy(handle, operation);
      default:
        return onHandle(handle, operation);
    }
  }

  private keep(slot: number, node: FileNode, flags: number): number {
    this.handles[slot] = { node, access: flags & 3, append: (flags & O_APPEND) !== 0, position: 0 };
    return 0;
  }

  private open({ path, flags, mode, slot }: Doing<'open'>): Result {
    const follow = (flags & O_NOFOLLOW) === 0 && (flags & O_EXCL) === 0;
    const place = placeOf(this.root, path, follow);
    if (typeof place === 'number') return place;
    const node = place.folder.entries.get(place.name);
    if (node !== undefined) return this.openExisting(node, flags, slot);
    if ((flags & O_CREAT) === 0) return errnos.ENOENT;
    const file = newFile(mode, 1);
    attach(place.folder, place.name, file);
    return this.keep(slot, file, flags);
  }

  /** may_open and do_open in fs/namei.c. */
  private openExisting(node: Node, flags: number, slot: number): Result {
    if ((flags & O_EXCL) !== 0) return errnos.EEXIST;
    if (node.kind === 'symlink') return (flags & O_DIRECTORY) === 0 ? errnos.ELOOP : errnos.ENOTDIR;
    if (node.kind === 'dir') {
      const writes = (flags & 3) !== O_RDONLY || (flags & (O_CREAT | O_TRUNC)) !== 0;
      return writes ? errnos.EISDIR : nothing;
    }
    if ((flags & O_DIRECTORY) !== 0) return errnos.ENOTDIR;
    if ((flags & O_TRUNC) !== 0) resize(node, 0);
    return this.keep(slot, node, flags);
  }

  private tmpfile({ path, mode, slot }: Doing<'tmpfile'>): Result {
    const folder = nodeOf(this.root, path, true);
    if (typeof folder === 'number') return folder;
    if (folder.kind !== 'dir') return errnos.ENOTDIR;
    return this.keep(slot, newFile(mode, 0), O_RDWR);
  }

  private name(node: FileNode, path: string): Result {
    const place = placeOf(this.root, path, false);
    if (typeof place === 'number') return place;
    if (place.folder.entries.has(place.name)) return errnos.EEXIST;
    if (node.links === 0 && !node.linkable) return errnos.ENOENT;
    node.linkable = false;
    node.links += 1;
    attach(place.folder, place.name, node);
    return 0;
  }

  private copy(handle: Handle, { offset, to, toOffset, length }: Doing<'copy'>): Result {
    const other = this.handles[to];
    if (other === undefined) return nothing;
    if (handle.access === O_WRONLY || other.access === O_RDONLY || other.append) return errnos.EBADF;
    const bytes = Buffer.from(readBytes(handle.node, offset, length));
    const overlaps = toOffset < offset + bytes.length && toOffset + bytes.length > offset;
    if (handle.node === other.node && overlaps) return errnos.EINVAL;
    writeBytes(other.node, toOffset, bytes);
    return bytes.length;
  }

  private onPath(operation: OnPath): Result {
    switch (operation.do) {
      case 'mkdir':
      case 'symlink':
        return this.make(operation.path, (folder) =>
          operation.do === 'mkdir' ? newFolder(operation.mode, folder) : newSymlink(operation.target),
        );
      case 'rmdir':
      case 'unlink':
        return this.remove(operation.path, operation.do);
      case 'link':
        return this.link(operation.path, operation.to);
      case 'rename':
        return this.rename(operation);
      case 'clear': {
        const node = nodeOf(this.root, operation.path, false);
        if (typeof node === 'number') return node;
        return node.kind === 'dir' ? clear(node) : errnos.ENOTDIR;
      }
      case 'lstat':
      case 'readlink': {
        const node = nodeOf(this.root, operation.path, false);
        if (typeof node === 'number') return node;
        if (operation.do === 'lstat') return looksOf(node);
        return node.kind === 'symlink' ? node.target : errnos.EINVAL;
      }
      default: {
        const node = nodeOf(this.root, operation.path, true);
        return typeof node === 'number' ? node : onNode(node, operation);
      }
    }
  }

  private make(path: string, create: (folder: FolderNode) => Node): Result {
    const place = placeOf(this.root, path, false);
    if (typeof place === 'number') return place;
    if (place.folder.entries.has(place.name)) return errnos.EEXIST;
    attach(place.folder, place.name, create(place.folder));
    return 0;
  }

  private remove(path: string, how: 'rmdir' | 'unlink'): Result {
    const place = placeOf(this.root, path, false);
    if (typeof place === 'number') return place;
    const node = place.folder.entries.get(place.name);
    if (node === undefined) return errnos.ENOENT;
    if (how === 'unlink' && node.kind === 'dir') return errnos.EISDIR;
    if (how === 'rmdir') {
      if (node.kind !== 'dir') return errnos.ENOTDIR;
      if (node.entries.size > 0) return errnos.ENOTEMPTY;
    }
    detach(place.folder, place.name);
    node.links -= 1;
    return 0;
  }

  private link(path: string, to: string): Result {
    const node = nodeOf(this.root, path, false);
    if (typeof node === 'number') return node;
    const place = placeOf(this.root, to, false);
    if (typeof place === 'number') return place;
    if (place.folder.entries.has(place.name)) return errnos.EEXIST;
    if (node.kind === 'dir') return errnos.EPERM;
    node.links += 1;
    attach(place.folder, place.name, node);
    return 0;
  }

  /** do_renameat2 and vfs_rename in fs/namei.c. */
  private rename({ path, to, flags }: Doing<'rename'>): Result {
    const from = placeOf(this.root, path, false);
    if (typeof from === 'number') return from;
    const into = placeOf(this.root, to, false);
    if (typeof into === 'number') return into;
    const node = from.folder.entries.get(from.name);
    if (node === undefined) return errnos.ENOENT;
    const other = into.folder.entries.get(into.name);
    const exchange = flags === RENAME_EXCHANGE;
    if (flags === RENAME_NOREPLACE && other !== undefined) return errnos.EEXIST;
    if (exchange && other === undefined) return errnos.ENOENT;
    if (node.kind === 'dir' && isWithin(into.folder, node)) return errnos.EINVAL;
    if (other?.kind === 'dir' && isWithin(from.folder, other)) return exchange ? errnos.EINVAL : errnos.ENOTEMPTY;
    if (node === other) return 0;
    if (!exchange && other !== undefined) {
      if (node.kind === 'dir' && other.kind !== 'dir') return errnos.ENOTDIR;
      if (node.kind !== 'dir' && other.kind === 'dir') return errnos.EISDIR;
      if (other.kind === 'dir' && other.entries.size > 0) return errnos.ENOTEMPTY;
    }
    detach(from.folder, from.name);
    if (other !== undefined) detach(into.folder, into.name);
    attach(into.folder, into.name, node);
    if (other === undefined) return 0;
    if (exchange) attach(from.folder, from.name, other);
    else other.links -= 1;
    return 0;
  }
}
