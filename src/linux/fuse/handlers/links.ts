import { constants } from 'node:fs';
import { lastErrno } from '../../libc.ts';
import type { DataPlane, Handler } from '../data-plane.ts';
import { FileSystemFlag } from '../file-systems.ts';
import { linkIn, mkdirIn, mknodIn, rename2In, renameIn } from '../layouts.ts';
import { Opcode } from '../protocol.ts';
import type { Request } from '../request.ts';
import { PATH_BYTES } from '../scratch.ts';
import { Control } from '../shared-state.ts';
import { type EntryName, outcome, replyEntry, statName } from './nodes.ts';

/** fcntl.h, and include/uapi/linux/fs.h. */
const AT_SYMLINK_FOLLOW = 0x400;
const AT_REMOVEDIR = 0x200;
const RENAME_EXCHANGE = 1 << 1;

/** The name that follows `bytes` bytes of a request's structure, in the folder that it is about. */
function entryAt(plane: DataPlane, request: Request, bytes: number, descriptor: number): EntryName {
  return {
    folder: request.node,
    descriptor,
    address: request.addressAfter(bytes),
    name: request.name(bytes),
    interest: plane.nameInterest,
  };
}

/** Makes something in a folder, in the caller's name, and answers with it. */
function make(
  plane: DataPlane,
  request: Request,
  form: { readonly nameAt: number; readonly umask: number },
  create: (folder: number, name: number) => number,
): number {
  const folder = plane.descriptors.hold(request.node);
  if (folder < 0) return folder;
  const entry = entryAt(plane, request, form.nameAt, folder);
  const failed = plane.callers.as(request, form.umask, () => outcome(create(folder, entry.address)));
  return failed < 0 ? failed : replyEntry(plane, entry);
}

const symlink: Handler = (plane, request) => {
  const target = request.addressAfter(request.nameLength(0) + 1);
  // A link has no permissions that a umask could take.
  return make(plane, request, { nameAt: 0, umask: 0 }, (folder, name) => plane.calls.symlinkat(target, folder, name));
};

const mknod: Handler = (plane, request) => {
  const form = { nameAt: mknodIn.bytes, umask: request.u32(mknodIn.umask) };
  const mode = request.u32(mknodIn.mode);
  const device = request.u32(mknodIn.rdev);
  return make(plane, request, form, (folder, name) => plane.calls.mknodat(folder, name, mode, device));
};

const mkdir: Handler = (plane, request) => {
  const form = { nameAt: mkdirIn.bytes, umask: request.u32(mkdirIn.umask) };
  const mode = request.u32(mkdirIn.mode);
  return make(plane, request, form, (folder, name) => plane.calls.mkdirat(folder, name, mode));
};

/**
 * To be asked before a name is taken away. A file may lose its last one: then nothing but an open descriptor finds it,
 * which must be open by then. Or that by which it would be found again, where files have no handles.
 *
 * @returns the node to be told to {@link hasLost} afterwards, or 0
 */
function willLose(plane: DataPlane, folder: number, descriptor: number, name: number): number {
  const { shared, fileSystems, descriptors } = plane;
  const hasHandles = fileSystems.has(shared.nodes.fileSystem[folder] as number, FileSystemFlag.HANDLES);
  if (hasHandles && (shared.control[Control.EVICTIONS] as number) === 0) return 0;
  const node = statName(plane, descriptor, name);
  if (node !== 0) descriptors.hold(node);
  return hasHandles ? 0 : node;
}

function hasLost(plane: DataPlane, node: number, folder: number, name: Uint8Array): void {
  if (node !== 0) plane.table.loseName(node, folder, name);
}

function remove(plane: DataPlane, request: Request, flags: number): number {
  const folder = plane.descriptors.hold(request.node);
  if (folder < 0) return folder;
  const name = request.addressAfter(0);
  const node = willLose(plane, request.node, folder, name);
  const failed = outcome(plane.calls.unlinkat(folder, name, flags));
  if (failed === 0) hasLost(plane, node, request.node, request.name(0));
  return failed;
}

const unlink: Handler = (plane, request) => remove(plane, request, 0);
const rmdir: Handler = (plane, request) => remove(plane, request, AT_REMOVEDIR);

/** One end of a renaming. */
interface End {
  readonly folder: number;
  readonly descriptor: number;
  readonly address: number;
  readonly name: Uint8Array;
}

/** What is found at a name: its node, or 0, and whether it is a folder. */
function found(plane: DataPlane, { descriptor, address }: End): { readonly node: number; readonly isFolder: boolean } {
  const node = statName(plane, descriptor, address);
  return { node, isFolder: node !== 0 && (plane.scratch.mode() & constants.S_IFMT) === constants.S_IFDIR };
}

function renameTo(
  plane: DataPlane,
  request: Request,
  form: { readonly bytes: number; readonly flags: number },
): number {
  const { descriptors, calls } = plane;
  const folder = request.u64(renameIn.newdir);
  const fromFolder = descriptors.hold(request.node);
  const toFolder = fromFolder < 0 ? fromFolder : descriptors.hold(folder);
  if (toFolder < 0) return toFolder;
  const second = form.bytes + request.nameLength(form.bytes) + 1;
  const from = endAt(request, request.node, fromFolder, form.bytes);
  const to = endAt(request, folder, toFolder, second);
  const moved = found(plane, from);
  const replaced = willLose(plane, folder, to.descriptor, to.address);
  const other = (form.flags & RENAME_EXCHANGE) === 0 ? undefined : found(plane, to);
  const failed = outcome(calls.renameat2(from.descriptor, from.address, to.descriptor, to.address, form.flags));
  if (failed < 0) return failed;
  if (replaced !== moved.node) hasLost(plane, replaced, to.folder, to.name);
  hasMoved(plane, moved, to);
  if (other !== undefined) hasMoved(plane, other, from);
  return 0;
}

function endAt(request: Request, folder: number, descriptor: number, bytes: number): End {
  return { folder, descriptor, address: request.addressAfter(bytes), name: request.name(bytes) };
}

function hasMoved(plane: DataPlane, { node, isFolder }: ReturnType<typeof found>, to: End): void {
  const { paths, table } = plane;
  if (node === 0) return;
  table.setName(node, to.folder, to.name);
  if (isFolder) paths.forgetAll();
  else paths.forgetInterest(node);
}

const rename: Handler = (plane, request) => renameTo(plane, request, { bytes: renameIn.bytes, flags: 0 });
const rename2: Handler = (plane, request) =>
  renameTo(plane, request, { bytes: rename2In.bytes, flags: request.u32(rename2In.flags) });

const link: Handler = (plane, request) => {
  const { descriptors, calls, scratch } = plane;
  const file = descriptors.hold(request.u64(linkIn.oldnodeid));
  const folder = file < 0 ? file : descriptors.hold(request.node);
  if (folder < 0) return folder;
  const entry = entryAt(plane, request, linkIn.bytes, folder);
  const linked = calls.linkat(-1, scratch.procPath(file), folder, entry.address, AT_SYMLINK_FOLLOW);
  return linked < 0 ? -lastErrno() : replyEntry(plane, entry);
};

const readlink: Handler = ({ descriptors, calls, scratch, reply }, request) => {
  const node = descriptors.hold(request.node);
  if (node < 0) return node;
  const length = calls.readlinkat(node, scratch.empty, reply.address, PATH_BYTES - 1);
  return length < 0 ? -lastErrno() : length;
};

export const linkHandlers: readonly (readonly [number, Handler])[] = [
  [Opcode.SYMLINK, symlink],
  [Opcode.MKNOD, mknod],
  [Opcode.MKDIR, mkdir],
  [Opcode.UNLINK, unlink],
  [Opcode.RMDIR, rmdir],
  [Opcode.RENAME, rename],
  [Opcode.RENAME2, rename2],
  [Opcode.LINK, link],
  [Opcode.READLINK, readlink],
];
