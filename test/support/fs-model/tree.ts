/*
 * A tree of files in memory, with path resolution as path_resolution(7) and symlink(7) have it. No permissions: who
 * works on it is root.
 */

export interface Common {
  mode: number;
  uid: number;
  gid: number;
  links: number;
  /** As it was set; undefined once something else may have moved it. */
  mtime: bigint | undefined;
  readonly xattrs: Map<string, string>;
}

export interface FileNode extends Common {
  readonly kind: 'file';
  /** More than `size` bytes: what is behind them is zeros. */
  bytes: Buffer;
  size: number;
  /** It was made without a name, and may be given one. */
  linkable: boolean;
}

export interface FolderNode extends Common {
  readonly kind: 'dir';
  parent: FolderNode | undefined;
  readonly entries: Map<string, Node>;
}

export interface SymlinkNode extends Common {
  readonly kind: 'symlink';
  readonly target: string;
}

export type Node = FileNode | FolderNode | SymlinkNode;

function common(mode: number, links: number): Common {
  return { mode, uid: 0, gid: 0, links, mtime: undefined, xattrs: new Map() };
}

export function newFile(mode: number, links: number): FileNode {
  return { kind: 'file', ...common(mode, links), bytes: Buffer.alloc(4096), size: 0, linkable: links === 0 };
}

export function newFolder(mode: number, parent: FolderNode | undefined): FolderNode {
  return { kind: 'dir', ...common(mode, 2), parent, entries: new Map() };
}

export function newSymlink(target: string): SymlinkNode {
  return { kind: 'symlink', ...common(0o777, 1), target };
}

/** Put in a node, which is no file of two names, or take its place in the tree's counting of links. */
export function attach(folder: FolderNode, name: string, node: Node): void {
  folder.entries.set(name, node);
  folder.mtime = undefined;
  if (node.kind === 'dir') {
    node.parent = folder;
    folder.links += 1;
  }
}

export function detach(folder: FolderNode, name: string): void {
  const node = folder.entries.get(name);
  folder.entries.delete(name);
  folder.mtime = undefined;
  if (node?.kind === 'dir') {
    node.parent = undefined;
    folder.links -= 1;
  }
}

export function isWithin(node: Node, folder: FolderNode): boolean {
  for (let at: FolderNode | undefined = node.kind === 'dir' ? node : undefined; at !== undefined; at = at.parent) {
    if (at === folder) return true;
  }
  return false;
}

export const errnos = {
  EPERM: -1,
  ENOENT: -2,
  EBADF: -9,
  EEXIST: -17,
  ENOTDIR: -20,
  EISDIR: -21,
  EINVAL: -22,
  ENOTEMPTY: -39,
  ELOOP: -40,
  ENODATA: -61,
} as const;

/** Where a path leads: the folder and the name in it, whether or not there is something of that name. */
export interface Place {
  readonly folder: FolderNode;
  readonly name: string;
}

/** MAXSYMLINKS in include/linux/namei.h */
const mostSymlinks = 40;

/**
 * @param follow a symlink at the end of the path, too; then the place is where it leads
 * @returns a negative errno
 */
export function placeOf(root: FolderNode, path: string, follow: boolean): Place | number {
  return walk(root, path.split('/'), { follow, symlinks: 0 });
}

interface Walk {
  readonly follow: boolean;
  symlinks: number;
}

function walk(start: FolderNode, parts: readonly string[], state: Walk): Place | number {
  let folder = start;
  for (const [index, name] of parts.entries()) {
    const last = index === parts.length - 1;
    const node = name === '..' ? (folder.parent ?? folder) : folder.entries.get(name);
    if (last && (node?.kind !== 'symlink' || !state.follow)) return { folder, name };
    if (node === undefined) return errnos.ENOENT;
    if (node.kind === 'file') return errnos.ENOTDIR;
    if (node.kind === 'dir') {
      folder = node;
      continue;
    }
    state.symlinks += 1;
    if (state.symlinks > mostSymlinks) return errnos.ELOOP;
    return walk(folder, [...node.target.split('/'), ...parts.slice(index + 1)], state);
  }
  return errnos.ENOENT;
}

/** What is at a path. @returns a negative errno */
export function nodeOf(root: FolderNode, path: string, follow: boolean): Node | number {
  const place = placeOf(root, path, follow);
  if (typeof place === 'number') return place;
  const { folder, name } = place;
  return (name === '..' ? (folder.parent ?? folder) : folder.entries.get(name)) ?? errnos.ENOENT;
}

export function readBytes({ bytes, size }: FileNode, offset: number, length: number): Buffer {
  return bytes.subarray(Math.min(offset, size), Math.min(offset + length, size));
}

export function resize(node: FileNode, size: number): void {
  if (size > node.bytes.length) {
    const larger = Buffer.alloc(Math.max(size, node.bytes.length * 2));
    node.bytes.copy(larger, 0, 0, node.size);
    node.bytes = larger;
  }
  if (size < node.size) node.bytes.fill(0, size, node.size);
  node.size = size;
  node.mtime = undefined;
}

export function writeBytes(node: FileNode, offset: number, bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  if (offset + bytes.length > node.size) resize(node, offset + bytes.length);
  node.bytes.set(bytes, offset);
  node.mtime = undefined;
}
