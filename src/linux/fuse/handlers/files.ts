import { constants } from 'node:fs';
import { Errno } from '../../errno.ts';
import { lastErrno } from '../../libc.ts';
import type { DataPlane, Handler } from '../data-plane.ts';
import { FileSystemFlag, O_PATH } from '../file-systems.ts';
import { createIn, ENTRY_OUT_BYTES, flushIn, fsyncIn, openIn, openOut, releaseIn } from '../layouts.ts';
import { Opcode, OpenFlag, RequestFlag } from '../protocol.ts';
import type { Request } from '../request.ts';
import { OPEN_BACKED, OPEN_HANDLE, OPEN_PASSED } from '../shared-state.ts';
import { addOpened, killPrivileges, outcome, putEntry } from './nodes.ts';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOCTTY, O_NOFOLLOW, O_TRUNC } = constants;
/** include/uapi/asm-generic/fcntl.h: __O_TMPFILE | O_DIRECTORY. */
const O_TMPFILE = 0x40_0000 | O_DIRECTORY;
/** What a file is not opened with a second time: its path is a magic link, and it is there. */
const ONLY_FIRST = O_CREAT | O_EXCL | O_NOCTTY | O_NOFOLLOW;

interface Opened {
  readonly node: number;
  readonly file: number;
  /** open(2) flags. */
  readonly flags: number;
}

/** Writes a struct fuse_open_out at the word `at`. @returns its bytes */
function putOpen(plane: DataPlane, at: number, { node, file, flags }: Opened): number {
  const { reply, shared, agreement, backings, paths } = plane;
  const targeted = paths.interestOf(node) !== 0;
  const backing = agreement.passthrough ? backings.use(node, file) : 0;
  const direct = targeted || (backing === 0 && agreement.alwaysDirect);
  reply.put64(at + openOut.fh, file);
  reply.put(
    at + openOut.open_flags,
    (backing === 0 ? 0 : OpenFlag.FOPEN_PASSTHROUGH) |
      (direct ? OpenFlag.FOPEN_DIRECT_IO | OpenFlag.FOPEN_PARALLEL_DIRECT_WRITES : 0),
  );
  reply.put(at + openOut.backing_id, backing);
  const passed = direct ? 0 : OPEN_PASSED;
  shared.openFlags[file] = flags | OPEN_HANDLE | (backing === 0 ? 0 : OPEN_BACKED | passed);
  return openOut.bytes;
}

const open: Handler = (plane, request) => {
  const { descriptors, scratch } = plane;
  const node = descriptors.hold(request.node);
  if (node < 0) return node;
  const flags = request.u32(openIn.flags);
  const killing = (request.u32(openIn.open_flags) & RequestFlag.FUSE_OPEN_KILL_SUIDGID) !== 0;
  if (killing && (flags & O_TRUNC) !== 0) killPrivileges(plane, node);
  const file = descriptors.open(-1, scratch.procPath(node), flags & ~ONLY_FIRST, 0);
  return file < 0 ? file : putOpen(plane, 0, { node: request.node, file, flags });
};

/** Answers with a file that was just made: its entry, and the file handle. */
function replyCreated(plane: DataPlane, request: Request, file: number, name: Uint8Array | undefined): number {
  const { descriptors, scratch, calls, table, paths } = plane;
  const path = descriptors.open(-1, scratch.procPath(file), O_PATH, 0);
  const node = path < 0 ? path : addOpened(plane, path);
  if (node < 0) {
    calls.close(file);
    return node;
  }
  if (name !== undefined) table.setName(node, request.node, name);
  paths.addInterest(node, plane.nameInterest);
  const entry = putEntry(plane, 0, node);
  return entry + putOpen(plane, ENTRY_OUT_BYTES / 4, { node, file, flags: request.u32(createIn.flags) });
}

const create: Handler = (plane, request) => {
  const { descriptors, callers } = plane;
  const folder = descriptors.hold(request.node);
  if (folder < 0) return folder;
  const flags = (request.u32(createIn.flags) & ~O_NOCTTY) | O_CREAT | O_NOFOLLOW;
  const name = request.addressAfter(createIn.bytes);
  const file = callers.as(request, request.u32(createIn.umask), () =>
    descriptors.open(folder, name, flags, request.u32(createIn.mode) & 0o7777),
  );
  return file < 0 ? file : replyCreated(plane, request, file, request.name(createIn.bytes));
};

const tmpfile: Handler = (plane, request) => {
  const { descriptors, callers, scratch } = plane;
  const folder = descriptors.hold(request.node);
  if (folder < 0) return folder;
  const flags = (request.u32(createIn.flags) & ~(O_CREAT | O_NOFOLLOW)) | O_TMPFILE;
  // It has no name yet; whatever rule is about the folder is about it.
  plane.nameInterest = plane.paths.interestIn(plane.paths.pathOf(request.node));
  const file = callers.as(request, request.u32(createIn.umask), () =>
    descriptors.open(folder, scratch.dot, flags, request.u32(createIn.mode) & 0o7777),
  );
  return file < 0 ? file : replyCreated(plane, request, file, undefined);
};

/** Gives back what {@link putOpen} has taken. */
export function closeFile(plane: DataPlane, node: number, file: number): void {
  const { shared, backings, locks, calls } = plane;
  if (((shared.openFlags[file] as number) & OPEN_BACKED) !== 0) backings.release(node);
  shared.openFlags[file] = 0;
  locks.dropHandle(node, file);
  calls.close(file);
}

const release: Handler = (plane, request) => {
  closeFile(plane, request.node, request.u32(releaseIn.fh));
  return 0;
};

/** close(2) of one of the descriptors of a file, by which a process gives back its record locks. */
const flush: Handler = (plane, request) => {
  const { locks, calls, fileSystems, shared } = plane;
  const file = request.u32(flushIn.fh);
  locks.dropOwner({
    node: request.node,
    low: request.u32(flushIn.lock_owner),
    high: request.u32(flushIn.lock_owner + 1),
    pid: request.pid,
    handle: file,
  });
  const fileSystem = shared.nodes.fileSystem[request.node] as number;
  if (!fileSystems.has(fileSystem, FileSystemFlag.FLUSHES)) return 0;
  const copy = calls.dup(file);
  return copy < 0 ? -lastErrno() : outcome(calls.close(copy));
};

const fsync: Handler = (plane, request) => {
  const { calls, ruling } = plane;
  const file = request.u32(fsyncIn.fh);
  const dataOnly = (request.u32(fsyncIn.fsync_flags) & RequestFlag.FUSE_FSYNC_FDATASYNC) !== 0;
  const result =
    ruling?.perform === undefined
      ? outcome(dataOnly ? calls.fdatasync(file) : calls.fsync(file))
      : ruling.perform(plane.backingOf(file), nothing, 0);
  return Math.min(result, 0);
};

const nothing = new Uint8Array(0);

/** FIBMAP is sent only for file systems on block devices: fuse_bmap() of fs/fuse/file.c. */
const bmap: Handler = () => -Errno.ENOSYS;

export const fileHandlers: readonly (readonly [number, Handler])[] = [
  [Opcode.OPEN, open],
  [Opcode.CREATE, create],
  [Opcode.TMPFILE, tmpfile],
  [Opcode.RELEASE, release],
  [Opcode.FLUSH, flush],
  [Opcode.FSYNC, fsync],
  [Opcode.BMAP, bmap],
];
