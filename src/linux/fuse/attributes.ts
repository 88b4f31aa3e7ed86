import type { FileAttributes } from './interposer.ts';
import { attr, statx } from './layouts.ts';
import type { Reply } from './reply.ts';
import type { Scratch } from './scratch.ts';

/** Attributes, from statx(2) to an answer, and through the hands of whoever wants to change them. */

const nsPerSecond = 1_000_000_000n;

/** A device number as the kernel's new_encode_dev() of include/linux/kdev_t.h has it. */
function encodeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** Fields of eight bytes, of 1 word or half of one, with where statx(2) has them. */
const wide = [
  [attr.ino, statx.ino],
  [attr.size, statx.size],
  [attr.blocks, statx.blocks],
  [attr.atime, statx.atime],
  [attr.mtime, statx.mtime],
  [attr.ctime, statx.ctime],
] as const;
const narrow = [
  [attr.atimensec, statx.atime_nsec],
  [attr.mtimensec, statx.mtime_nsec],
  [attr.ctimensec, statx.ctime_nsec],
  [attr.nlink, statx.nlink],
  [attr.uid, statx.uid],
  [attr.gid, statx.gid],
  [attr.blksize, statx.blksize],
] as const;

/** Writes what statx(2) has said as a struct fuse_attr that begins at the word `at`. */
export function putAttributes(reply: Reply, at: number, scratch: Scratch): void {
  for (const [to, from] of wide) {
    reply.put(at + to, scratch.stat(from));
    reply.put(at + to + 1, scratch.stat(from + 1));
  }
  for (const [to, from] of narrow) reply.put(at + to, scratch.stat(from));
  reply.put(at + attr.mode, scratch.mode());
  reply.put(at + attr.rdev, encodeDevice(scratch.stat(statx.rdev_major), scratch.stat(statx.rdev_minor)));
  reply.put(at + attr.flags, 0);
}

/** Has somebody change what statx(2) has said, before it is used. */
export function alterStat(scratch: Scratch, alter: (attributes: FileAttributes) => void): void {
  const attributes = readStat(scratch);
  alter(attributes);
  const { region } = scratch;
  region.putBig(statx.ino, attributes.inode);
  region.putBig(statx.size, attributes.size);
  region.putBig(statx.blocks, attributes.blocks);
  putTime(scratch, statx.atime, attributes.atimeNs);
  putTime(scratch, statx.mtime, attributes.mtimeNs);
  putTime(scratch, statx.ctime, attributes.ctimeNs);
  region.put(statx.mode, attributes.mode);
  region.put(statx.nlink, attributes.links);
  region.put(statx.uid, attributes.uid);
  region.put(statx.gid, attributes.gid);
  region.put(statx.rdev_major, (attributes.rdev >>> 8) & 0xfff);
  region.put(statx.rdev_minor, (attributes.rdev & 0xff) | ((attributes.rdev >>> 12) & 0xfff00));
}

function readStat(scratch: Scratch): FileAttributes {
  const { region } = scratch;
  return {
    inode: region.big(statx.ino),
    size: region.big(statx.size),
    blocks: region.big(statx.blocks),
    atimeNs: readTime(scratch, statx.atime),
    mtimeNs: readTime(scratch, statx.mtime),
    ctimeNs: readTime(scratch, statx.ctime),
    mode: scratch.mode(),
    links: scratch.stat(statx.nlink),
    uid: scratch.stat(statx.uid),
    gid: scratch.stat(statx.gid),
    rdev: encodeDevice(scratch.stat(statx.rdev_major), scratch.stat(statx.rdev_minor)),
  };
}

/** struct statx_timestamp: seconds, signed, and nanoseconds behind them. */
function readTime({ region }: Scratch, field: number): bigint {
  return BigInt.asIntN(64, region.big(field)) * nsPerSecond + BigInt(region.u32(field + 2));
}

function putTime({ region }: Scratch, field: number, ns: bigint): void {
  const rest = ((ns % nsPerSecond) + nsPerSecond) % nsPerSecond;
  region.putBig(field, (ns - rest) / nsPerSecond);
  region.put(field + 2, Number(rest));
}
