import { XATTR_CREATE, XATTR_REPLACE } from '../posix/abi.ts';
import { type Doing, type OnNode } from './operations.ts';
import { type Result, looksOf, nothing } from './results.ts';
import { type FolderNode, type Node, detach, errnos, readBytes, resize } from './tree.ts';

/* What is done to whatever a path leads to. */

/** Remove all that is below. @returns how many names that were */
export function clear(folder: FolderNode): number {
  let removed = 0;
  for (const [name, node] of folder.entries) {
    if (node.kind === 'dir') removed += clear(node);
    detach(folder, name);
    node.links -= 1;
    removed += 1;
  }
  return removed;
}

export function onNode(node: Node, operation: OnNode): Result {
  switch (operation.do) {
    case 'stat':
      return looksOf(node);
    case 'list':
      return node.kind === 'dir' ? [...node.entries.keys()].toSorted() : errnos.ENOTDIR;
    case 'contents':
      return node.kind === 'file' ? Buffer.from(readBytes(node, 0, node.size)) : nothing;
    case 'chmod':
      node.mode = operation.mode;
      return 0;
    case 'chown':
      Object.assign(node, { uid: operation.uid, gid: operation.gid });
      return 0;
    case 'utimes':
      node.mtime = BigInt(operation.mtime);
      return 0;
    case 'truncate':
      if (node.kind === 'dir') return errnos.EISDIR;
      if (node.kind === 'file') resize(node, operation.size);
      return 0;
    default:
      return onXattrs(node, operation);
  }
}

type OnXattrs = Doing<'setxattr' | 'getxattr' | 'removexattr' | 'listxattr'>;

function onXattrs({ xattrs }: Node, operation: OnXattrs): Result {
  if (operation.do === 'listxattr') return [...xattrs.keys()].toSorted();
  const { name } = operation;
  const known = xattrs.get(name);
  if (operation.do === 'setxattr') {
    if (known !== undefined && operation.flags === XATTR_CREATE) return errnos.EEXIST;
    if (known === undefined && operation.flags === XATTR_REPLACE) return errnos.ENODATA;
    xattrs.set(name, operation.value);
    return 0;
  }
  if (known === undefined) return errnos.ENODATA;
  if (operation.do === 'removexattr') xattrs.delete(name);
  return operation.do === 'getxattr' ? Buffer.from(known) : 0;
}
