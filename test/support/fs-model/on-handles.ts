import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, O_RDONLY, O_RDWR, O_WRONLY } from '../posix/abi.ts';
import { type Doing, type OnHandle, bytesOf } from './operations.ts';
import { type Result, looksOf, nothing } from './results.ts';
import { type FileNode, errnos, readBytes, resize, writeBytes } from './tree.ts';

/* What is done to open files. */

export interface Handle {
  readonly node: FileNode;
  readonly access: number;
  readonly append: boolean;
  position: number;
}

const page = 4096;

export function onHandle(handle: Handle, operation: OnHandle): Result {
  const { node } = handle;
  switch (operation.do) {
    case 'fstat':
      return looksOf(node);
    case 'fsync':
      return 0;
    case 'fchmod':
      node.mode = operation.mode;
      return 0;
    case 'seek':
      return seek(handle, operation.offset, operation.whence);
    case 'read':
    case 'pread':
    case 'peek':
      return reading(handle, operation);
    default:
      return writing(handle, operation);
  }
}

function seek(handle: Handle, offset: number, whence: number): Result {
  const position = offset + ([0, handle.position, handle.node.size][whence] ?? 0);
  if (position < 0) return errnos.EINVAL;
  handle.position = position;
  return position;
}

type Reading = Doing<'read' | 'pread' | 'peek'>;

function reading(handle: Handle, operation: Reading): Result {
  const { node, access } = handle;
  if (operation.do === 'peek') {
    const { offset, length } = operation;
    const begin = offset - (offset % page);
    return access === O_WRONLY || begin >= node.size ? nothing : Buffer.from(readBytes(node, offset, length));
  }
  if (access === O_WRONLY) return errnos.EBADF;
  const offset = operation.do === 'read' ? handle.position : operation.offset;
  const bytes = Buffer.from(readBytes(node, offset, operation.length));
  if (operation.do === 'read') handle.position += bytes.length;
  return bytes;
}

type Writing = Doing<'write' | 'pwrite' | 'poke' | 'ftruncate' | 'fallocate'>;

function writing(handle: Handle, operation: Writing): Result {
  const { node, access, append } = handle;
  const readOnly = access === O_RDONLY;
  switch (operation.do) {
    case 'write':
    case 'pwrite': {
      if (readOnly) return errnos.EBADF;
      const bytes = bytesOf(operation.bytes);
      const offset = append ? node.size : operation.do === 'write' ? handle.position : operation.offset;
      writeBytes(node, offset, bytes);
      // Nothing at all leaves even an appender where it is: vfs_write of no bytes does nothing.
      if (operation.do === 'write' && bytes.length > 0) handle.position = offset + bytes.length;
      return bytes.length;
    }
    case 'poke': {
      const { offset } = operation;
      const bytes = bytesOf(operation.bytes).subarray(0, Math.max(0, node.size - offset));
      if (access !== O_RDWR || bytes.length === 0) return nothing;
      writeBytes(node, offset, bytes);
      return bytes.length;
    }
    case 'ftruncate':
      if (readOnly) return errnos.EINVAL;
      resize(node, operation.size);
      return 0;
    case 'fallocate':
      return readOnly ? errnos.EBADF : allocate(node, operation);
  }
}

function allocate(node: FileNode, { mode, offset, length }: Doing<'fallocate'>): Result {
  node.mtime = undefined;
  const end = offset + length;
  if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0) readBytes(node, offset, length).fill(0);
  else if ((mode & FALLOC_FL_KEEP_SIZE) === 0 && end > node.size) resize(node, end);
  return 0;
}
