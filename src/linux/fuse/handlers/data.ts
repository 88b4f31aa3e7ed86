import { constants } from 'node:fs';
import { Errno } from '../../errno.ts';
import { lastErrno } from '../../libc.ts';
import type { DataPlane, Handler } from '../data-plane.ts';
import {
  copyFileRangeIn,
  copyFileRangeOut,
  fallocateIn,
  ioctlIn,
  ioctlOut,
  lseekIn,
  lseekOut,
  readIn,
  writeIn,
  writeOut,
} from '../layouts.ts';
import { Opcode, RequestFlag } from '../protocol.ts';
import type { Request } from '../request.ts';
import { killPrivileges, outcome } from './nodes.ts';

const { O_APPEND, O_DIRECT } = constants;
/** Flags that fcntl(2) can change while a file is open, and that matter to reading and writing. */
const CHANGEABLE = O_APPEND | O_DIRECT;
const F_SETFL = 4;

/** Makes the file below behave as its flags say now. */
function setFlags({ shared, calls }: DataPlane, file: number, flags: number): void {
  const known = shared.openFlags[file] as number;
  if (((known ^ flags) & CHANGEABLE) === 0) return;
  const changed = (known & ~CHANGEABLE) | (flags & CHANGEABLE);
  if (calls.fcntl(file, F_SETFL, changed) === 0) shared.openFlags[file] = changed;
}

const read: Handler = (plane, request) => {
  const { reply, calls, ruling } = plane;
  const file = request.u32(readIn.fh);
  const offset = request.u64(readIn.offset);
  const size = Math.min(request.u32(readIn.size), ruling?.maxBytes ?? Infinity);
  setFlags(plane, file, request.u32(readIn.flags));
  const length =
    ruling?.perform === undefined
      ? calls.pread(file, reply.address, size, offset)
      : ruling.perform(plane.backingOf(file), reply.payload(size), offset);
  if (length < 0) return ruling?.perform === undefined ? -lastErrno() : length;
  ruling?.alterData?.(reply.payload(length), offset);
  return length;
};

const write: Handler = (plane, request) => {
  const { reply, calls, ruling } = plane;
  const file = request.u32(writeIn.fh);
  const offset = request.u64(writeIn.offset);
  const size = Math.min(request.u32(writeIn.size), ruling?.maxBytes ?? Infinity);
  setFlags(plane, file, request.u32(writeIn.flags));
  if ((request.u32(writeIn.write_flags) & RequestFlag.FUSE_WRITE_KILL_SUIDGID) !== 0) killPrivileges(plane, file);
  ruling?.alterData?.(request.payload(writeIn.bytes, size), offset);
  const length =
    ruling?.perform === undefined
      ? calls.pwrite(file, request.addressAfter(writeIn.bytes), size, offset)
      : ruling.perform(plane.backingOf(file), request.payload(writeIn.bytes, size), offset);
  if (length < 0) return ruling?.perform === undefined ? -lastErrno() : length;
  reply.put(writeOut.size, length);
  reply.put(writeOut.padding, 0);
  return writeOut.bytes;
};

const fallocate: Handler = ({ calls }, request) =>
  outcome(
    calls.fallocate(
      request.u32(fallocateIn.fh),
      request.u32(fallocateIn.mode),
      request.u64(fallocateIn.offset),
      request.u64(fallocateIn.length),
    ),
  );

/** Only holes and data are asked of us. */
const lseek: Handler = ({ calls, reply }, request) => {
  const at = calls.lseek(request.u32(lseekIn.fh), request.u64(lseekIn.offset), request.u32(lseekIn.whence));
  if (at < 0) return -lastErrno();
  reply.put64(lseekOut.offset, at);
  return lseekOut.bytes;
};

/** @returns bytes copied, or a negative errno */
function copy({ calls, scratch, paths }: DataPlane, request: Request): number {
  const to = request.u64(copyFileRangeIn.nodeid_out);
  // Then the kernel copies by reading and writing, and each of both can be disturbed.
  if (paths.interestOf(request.node) !== 0 || paths.interestOf(to) !== 0) return -Errno.EOPNOTSUPP;
  const { region, argumentWord, argument } = scratch;
  region.put64(argumentWord, request.u64(copyFileRangeIn.off_in));
  region.put64(argumentWord + 2, request.u64(copyFileRangeIn.off_out));
  const from = request.u32(copyFileRangeIn.fh_in);
  const copied = calls.copyFileRange(
    from,
    argument,
    request.u32(copyFileRangeIn.fh_out),
    argument + 8,
    request.u64(copyFileRangeIn.len),
    0,
  );
  return copied < 0 ? -lastErrno() : copied;
}

const copyFileRange: Handler = (plane, request) => {
  const copied = copy(plane, request);
  if (copied < 0) return copied;
  plane.reply.put(writeOut.size, copied);
  plane.reply.put(writeOut.padding, 0);
  return writeOut.bytes;
};

const copyFileRange64: Handler = (plane, request) => {
  const copied = copy(plane, request);
  if (copied < 0) return copied;
  plane.reply.put64(copyFileRangeOut.bytes_copied, copied);
  return copyFileRangeOut.bytes;
};

/**
 * FS_IOC_GETFLAGS, SETFLAGS, GETVERSION, FSGETXATTR and FSSETXATTR of include/uapi/linux/fs.h: all take a structure.
 */
const passedOn: ReadonlySet<number> = new Set([0x8008_6601, 0x4008_6602, 0x8008_7601, 0x801c_581f, 0x401c_5820]);
const IOCTL_BYTES = 64;

const ioctl: Handler = ({ calls, scratch, reply }, request) => {
  const command = request.u32(ioctlIn.cmd);
  const given = request.u32(ioctlIn.in_size);
  const wanted = request.u32(ioctlIn.out_size);
  const is32Bit = (request.u32(ioctlIn.flags) & RequestFlag.FUSE_IOCTL_32BIT) !== 0;
  if (!passedOn.has(command) || is32Bit || given > IOCTL_BYTES || wanted > IOCTL_BYTES) return -Errno.ENOTTY;
  const argument = scratch.argumentWord * 4;
  scratch.region.bytes.fill(0, argument, argument + IOCTL_BYTES);
  scratch.region.bytes.set(request.payload(ioctlIn.bytes, given), argument);
  const failed = outcome(calls.ioctl(request.u32(ioctlIn.fh), command, scratch.argument));
  if (failed < 0) return failed;
  reply.clear(0, ioctlOut.bytes);
  const end = ioctlOut.bytes + wanted;
  reply.putBytes(ioctlOut.bytes, scratch.region.bytes.subarray(argument, argument + wanted), end);
  return end;
};

export const dataHandlers: readonly (readonly [number, Handler])[] = [
  [Opcode.READ, read],
  [Opcode.WRITE, write],
  [Opcode.FALLOCATE, fallocate],
  [Opcode.LSEEK, lseek],
  [Opcode.COPY_FILE_RANGE, copyFileRange],
  [Opcode.COPY_FILE_RANGE_64, copyFileRange64],
  [Opcode.IOCTL, ioctl],
];
