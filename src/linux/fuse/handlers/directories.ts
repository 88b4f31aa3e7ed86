import { constants } from 'node:fs';
import { lastErrno } from '../../libc.ts';
import type { DataPlane, Handler } from '../data-plane.ts';
import { dirent, ENTRY_OUT_BYTES, fsyncIn, linuxDirent, openIn, openOut, readIn, releaseIn } from '../layouts.ts';
import { Opcode, RequestFlag } from '../protocol.ts';
import type { Request } from '../request.ts';
import { ENTRIES_BYTES } from '../scratch.ts';
import { lookUp, outcome, putEntry } from './nodes.ts';

const { O_DIRECTORY, O_RDONLY } = constants;
const SEEK_SET = 0;

/** What is read of a folder for READDIRPLUS, whose entries are five times as long as those that it is told. */
const plusShare = 4;
const leastEntriesBytes = 1024;

const opendir: Handler = ({ descriptors, scratch, reply }, request) => {
  const node = descriptors.hold(request.node);
  if (node < 0) return node;
  const opened = descriptors.open(node, scratch.dot, (request.u32(openIn.flags) & ~3) | O_RDONLY | O_DIRECTORY, 0);
  if (opened < 0) return opened;
  reply.put64(openOut.fh, opened);
  reply.put(openOut.open_flags, 0);
  reply.put(openOut.backing_id, 0);
  return openOut.bytes;
};

/**
 * Reads on from where the kernel says, which is an offset that the file system below has given: ext4's and Btrfs' are
 * 64 bits without meaning to anybody else.
 *
 * @returns bytes at `scratch.entries`, or a negative errno
 */
function readEntries({ calls, scratch }: DataPlane, request: Request, wanted: number): number {
  const folder = request.u32(readIn.fh);
  if (calls.lseek(folder, BigInt.asIntN(64, request.big(readIn.offset)), SEEK_SET) === -1) return -lastErrno();
  const length = calls.getdents64(folder, scratch.entries, Math.min(wanted, ENTRIES_BYTES));
  return length < 0 ? -lastErrno() : length;
}

const readdir: Handler = (plane, request) => {
  const size = request.u32(readIn.size);
  const length = readEntries(plane, request, size);
  return length < 0 ? length : putEntries(plane, request, { length, size, headerBytes: dirent.bytes });
};

const readdirplus: Handler = (plane, request) => {
  const size = request.u32(readIn.size);
  const wanted = Math.max(leastEntriesBytes, Math.floor(size / plusShare));
  // What is different about listing a folder is not so about the files in it.
  plane.ruling = undefined;
  const length = readEntries(plane, request, wanted);
  return length < 0
    ? length
    : putEntries(plane, request, { length, size, headerBytes: ENTRY_OUT_BYTES + dirent.bytes });
};

interface Listing {
  /** Bytes at `scratch.entries`. */
  readonly length: number;
  /** Bytes that the kernel has room for. */
  readonly size: number;
  /** What stands before a name in the answer. */
  readonly headerBytes: number;
}

function putEntries(plane: DataPlane, request: Request, { length, size, headerBytes }: Listing): number {
  const { scratch, reply } = plane;
  const end = scratch.entriesByte + length;
  const withAttributes = headerBytes > dirent.bytes;
  let written = 0;
  for (let at = scratch.entriesByte; at < end; at += scratch.entryLength(at)) {
    const name = scratch.nameAt(at + linuxDirent.name);
    const next = written + align(headerBytes + name.length);
    if (next > size) break;
    if (withAttributes) putEntryOf(plane, request, { at, name, written });
    putDirent(plane, at, name.length, written + headerBytes - dirent.bytes);
    reply.putBytes(written + headerBytes, name, next);
    written = next;
  }
  return written;
}

/** FUSE_REC_ALIGN. */
function align(bytes: number): number {
  return (bytes + 7) & ~7;
}

function putDirent({ scratch, reply }: DataPlane, at: number, nameLength: number, written: number): void {
  const from = at / 4;
  const to = written / 4;
  const { ino, off } = linuxDirent;
  reply.put(to + dirent.ino, scratch.stat(from + ino / 4));
  reply.put(to + dirent.ino + 1, scratch.stat(from + ino / 4 + 1));
  reply.put(to + dirent.off, scratch.stat(from + off / 4));
  reply.put(to + dirent.off + 1, scratch.stat(from + off / 4 + 1));
  reply.put(to + dirent.namelen, nameLength);
  reply.put(to + dirent.type, scratch.region.u8(at + linuxDirent.type));
}

interface Listed {
  /** Where the entry is in the scratch memory, and in the answer: bytes. */
  readonly at: number;
  readonly written: number;
  readonly name: Uint8Array;
}

/**
 * The entry in front of a name. It is left empty for `.` and `..`, as the protocol wants; for names that are gone
 * already; and for files that a rule is about, so that the kernel looks those up one by one and each lookup can be
 * disturbed.
 */
function putEntryOf(plane: DataPlane, request: Request, { at, name, written }: Listed): void {
  const { scratch, reply, paths } = plane;
  const interest = isDot(name) ? 0 : paths.interestIn(paths.pathWith(request.node, scratch.text(name)));
  const entry = {
    folder: request.node,
    descriptor: request.u32(readIn.fh),
    address: scratch.region.address + at + linuxDirent.name,
    name,
    interest,
  };
  const node = isDot(name) || interest !== 0 ? 0 : lookUp(plane, entry);
  if (node > 0) putEntry(plane, written / 4, node);
  else reply.clear(written, written + ENTRY_OUT_BYTES);
}

function isDot(name: Uint8Array): boolean {
  const dot = 0x2e;
  return name[0] === dot && (name.length === 1 || (name.length === 2 && name[1] === dot));
}

const releasedir: Handler = ({ calls }, request) => {
  calls.close(request.u32(releaseIn.fh));
  return 0;
};

const fsyncdir: Handler = ({ calls }, request) => {
  const folder = request.u32(fsyncIn.fh);
  const dataOnly = (request.u32(fsyncIn.fsync_flags) & RequestFlag.FUSE_FSYNC_FDATASYNC) !== 0;
  return outcome(dataOnly ? calls.fdatasync(folder) : calls.fsync(folder));
};

export const directoryHandlers: readonly (readonly [number, Handler])[] = [
  [Opcode.OPENDIR, opendir],
  [Opcode.READDIR, readdir],
  [Opcode.READDIRPLUS, readdirplus],
  [Opcode.RELEASEDIR, releasedir],
  [Opcode.FSYNCDIR, fsyncdir],
];
