import { constants } from 'node:fs';
import { Errno } from '../../errno.ts';
import { alterStat } from '../attributes.ts';
import { Answer, type DataPlane, type Handler } from '../data-plane.ts';
import { AT_EMPTY_PATH } from '../file-systems.ts';
import {
  batchForgetIn,
  forgetIn,
  forgetOne,
  getattrIn,
  setattrIn,
  statfs as statfsBelow,
  statfsOut,
  statx as statxBelow,
  STATX_BYTES,
  statxIn,
  statxOut,
} from '../layouts.ts';
import { Opcode, RequestFlag, SetattrValid } from '../protocol.ts';
import type { Request } from '../request.ts';
import { killPrivileges, outcome, replyAttributes, replyEntry } from './nodes.ts';

const { S_IFDIR, S_IFMT } = constants;

/** sys/stat.h: the present moment, and leave it as it is. */
const UTIME_NOW = 0x3fff_ffff;
const UTIME_OMIT = 0x3fff_fffe;
/** chown(2): leave it as it is. */
const UNCHANGED = 0xffff_ffff;

const lookup: Handler = (plane, request) => {
  const folder = plane.descriptors.hold(request.node);
  if (folder < 0) return folder;
  const name = request.name(0);
  return replyEntry(plane, {
    folder: request.node,
    descriptor: folder,
    address: request.addressAfter(0),
    name,
    interest: plane.nameInterest,
  });
};

function forgetOneNode(plane: DataPlane, request: Request, node: number, count: number): void {
  plane.interposition.consultForget(request, node);
  plane.descriptors.releaseAll();
  const descriptor = plane.table.forget(node, count);
  if (descriptor >= 0) plane.calls.close(descriptor);
}

const forget: Handler = (plane, request) => {
  forgetOneNode(plane, request, request.node, request.u64(forgetIn.nlookup));
  return Answer.NONE;
};

const batchForget: Handler = (plane, request) => {
  const count = request.u32(batchForgetIn.count);
  for (let index = 0; index < count; index += 1) {
    const at = (batchForgetIn.bytes + index * forgetOne.bytes) / 4;
    forgetOneNode(plane, request, request.u64(at + forgetOne.nodeid), request.u64(at + forgetOne.nlookup));
  }
  return Answer.NONE;
};

const getattr: Handler = (plane, request) => {
  const byHandle = (request.u32(getattrIn.getattr_flags) & RequestFlag.FUSE_GETATTR_FH) !== 0;
  const descriptor = byHandle ? request.u32(getattrIn.fh) : plane.descriptors.hold(request.node);
  return descriptor < 0 ? descriptor : replyAttributes(plane, request.node, descriptor);
};

/** Asked for what getattr does not tell: when a file was made. */
const statx: Handler = (plane, request) => {
  const { descriptors, scratch, reply, ruling } = plane;
  const byHandle = (request.u32(statxIn.getattr_flags) & RequestFlag.FUSE_GETATTR_FH) !== 0;
  const descriptor = byHandle ? request.u32(statxIn.fh) : descriptors.hold(request.node);
  if (descriptor < 0) return descriptor;
  const failed = descriptors.stat(descriptor);
  if (failed < 0) return failed;
  if (ruling?.alterAttributes !== undefined) alterStat(scratch, ruling.alterAttributes);
  // Not to be kept: the kernel asks for it seldom, and what it keeps it has from getattr.
  reply.clear(0, statxOut.bytes + STATX_BYTES);
  const at = statxOut.bytes / 4;
  for (let word = 0; word < statxBelow.mnt_id; word += 1) reply.put(at + word, scratch.stat(word));
  // Whose they are is for the kernel to say.
  for (const field of [statxBelow.dev_major, statxBelow.dev_minor]) reply.put(at + field, 0);
  return statxOut.bytes + STATX_BYTES;
};

const setattr: Handler = (plane, request) => {
  const { descriptors } = plane;
  const node = descriptors.hold(request.node);
  if (node < 0) return node;
  const valid = request.u32(setattrIn.valid);
  if ((valid & changes) === 0) dropPrivileges(plane, node);
  const failed = changeMode(plane, request, valid, node) || changeOwner(plane, request, valid, node);
  const failure = failed || changeSize(plane, request, valid, node) || changeTimes(plane, request, valid, node);
  return failure < 0 ? failure : replyAttributes(plane, request.node, node);
};

const { FATTR_MODE, FATTR_UID, FATTR_GID, FATTR_SIZE, FATTR_ATIME, FATTR_MTIME } = SetattrValid;
const changes = FATTR_MODE | FATTR_UID | FATTR_GID | FATTR_SIZE | FATTR_ATIME | FATTR_MTIME;

/**
 * What is left of ATTR_KILL_SUID and ATTR_KILL_PRIV when there is nothing besides, as before fallocate(2) and
 * copy_file_range(2), and with chown(2) to nobody: fuse_setattr of fs/fuse/dir.c sends it without them. Folders keep
 * theirs: chown_common of fs/open.c.
 */
function dropPrivileges(plane: DataPlane, node: number): void {
  const { descriptors, scratch } = plane;
  if (descriptors.stat(node) === 0 && (scratch.mode() & S_IFMT) !== S_IFDIR) killPrivileges(plane, node);
}

type Change = (plane: DataPlane, request: Request, valid: number, node: number) => number;

const changeMode: Change = ({ calls, scratch }, request, valid, node) =>
  (valid & FATTR_MODE) === 0
    ? 0
    : outcome(calls.fchmodat(-1, scratch.procPath(node), request.u32(setattrIn.mode) & 0o7777, 0));

const changeOwner: Change = ({ calls, scratch }, request, valid, node) => {
  if ((valid & (FATTR_UID | FATTR_GID)) === 0) return 0;
  const uid = (valid & FATTR_UID) === 0 ? UNCHANGED : request.u32(setattrIn.uid);
  const gid = (valid & FATTR_GID) === 0 ? UNCHANGED : request.u32(setattrIn.gid);
  return outcome(calls.fchownat(node, scratch.empty, uid, gid, AT_EMPTY_PATH));
};

const changeSize: Change = (plane, request, valid, node) => {
  if ((valid & FATTR_SIZE) === 0) return 0;
  const { calls, scratch } = plane;
  const byHandle = (valid & SetattrValid.FATTR_FH) !== 0;
  if ((valid & SetattrValid.FATTR_KILL_SUIDGID) !== 0) killPrivileges(plane, node);
  const size = request.u64(setattrIn.size);
  return outcome(
    byHandle ? calls.ftruncate(request.u32(setattrIn.fh), size) : calls.truncate(scratch.procPath(node), size),
  );
};

const changeTimes: Change = ({ calls, scratch }, request, valid, node) => {
  const { FATTR_ATIME_NOW, FATTR_MTIME_NOW } = SetattrValid;
  if ((valid & (FATTR_ATIME | FATTR_MTIME)) === 0) return 0;
  const { region, argumentWord, argument } = scratch;
  const nanoseconds = (given: number, now: number, field: number): number => {
    if ((valid & given) === 0) return UTIME_OMIT;
    return (valid & now) === 0 ? request.u32(field) : UTIME_NOW;
  };
  region.putBig(argumentWord, request.big(setattrIn.atime));
  region.put64(argumentWord + 2, nanoseconds(FATTR_ATIME, FATTR_ATIME_NOW, setattrIn.atimensec));
  region.putBig(argumentWord + 4, request.big(setattrIn.mtime));
  region.put64(argumentWord + 6, nanoseconds(FATTR_MTIME, FATTR_MTIME_NOW, setattrIn.mtimensec));
  return outcome(calls.utimensat(-1, scratch.procPath(node), argument, 0));
};

const statfs: Handler = ({ calls, descriptors, scratch, reply }, request) => {
  const node = descriptors.hold(request.node);
  if (node < 0) return node;
  const { argument, argumentWord, region } = scratch;
  const failed = outcome(calls.fstatfs(node, argument));
  if (failed < 0) return failed;
  const below = (field: number): number => region.u64(argumentWord + field);
  reply.clear(0, statfsOut.bytes);
  reply.put64(statfsOut.blocks, below(statfsBelow.blocks));
  reply.put64(statfsOut.bfree, below(statfsBelow.bfree));
  reply.put64(statfsOut.bavail, below(statfsBelow.bavail));
  reply.put64(statfsOut.files, below(statfsBelow.files));
  reply.put64(statfsOut.ffree, below(statfsBelow.ffree));
  reply.put(statfsOut.bsize, below(statfsBelow.bsize));
  reply.put(statfsOut.namelen, below(statfsBelow.namelen));
  reply.put(statfsOut.frsize, below(statfsBelow.frsize));
  return statfsOut.bytes;
};

/** With default_permissions the kernel checks by itself and never asks. */
const access: Handler = () => -Errno.ENOSYS;

export const attributeHandlers: readonly (readonly [number, Handler])[] = [
  [Opcode.LOOKUP, lookup],
  [Opcode.FORGET, forget],
  [Opcode.BATCH_FORGET, batchForget],
  [Opcode.GETATTR, getattr],
  [Opcode.STATX, statx],
  [Opcode.SETATTR, setattr],
  [Opcode.STATFS, statfs],
  [Opcode.ACCESS, access],
];
