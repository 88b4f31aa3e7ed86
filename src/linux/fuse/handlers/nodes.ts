import { constants } from 'node:fs';
import { Errno } from '../../errno.ts';
import { lastErrno } from '../../libc.ts';
import { alterStat, putAttributes } from '../attributes.ts';
import type { DataPlane } from '../data-plane.ts';
import { O_PATH } from '../file-systems.ts';
import { attrOut, ENTRY_OUT_BYTES, attr, entryOut, statx } from '../layouts.ts';
import { Control } from '../shared-state.ts';

const { O_NOFOLLOW, S_IFDIR, S_IFMT } = constants;

/** STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID; AT_SYMLINK_NOFOLLOW of fcntl.h. */
const STATX_ALL = 0x7ff | 0x800 | 0x1000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const SUID_AND_SGID = 0o6000;

/** A name in a folder, and where it stands. */
export interface EntryName {
  readonly folder: number;
  /** The folder's descriptor. */
  readonly descriptor: number;
  /** Of the name, NUL-terminated. */
  readonly address: number;
  readonly name: Uint8Array;
  /** What the interposer has said of its path. */
  readonly interest: number;
}

/**
 * The node of a name, of which the kernel will be told. Afterwards the scratch memory has the file's attributes.
 *
 * @returns a node, or a negative errno
 */
export function lookUp(plane: DataPlane, entry: EntryName): number {
  const known = findKnown(plane, entry);
  if (known !== 0) return known;
  const { descriptors } = plane;
  const opened = descriptors.open(entry.descriptor, entry.address, O_PATH | O_NOFOLLOW, 0);
  if (opened < 0) return opened;
  const node = addOpened(plane, opened);
  if (node > 0) named(plane, node, entry);
  return node;
}

/** The node of a file that was just opened with O_PATH, which is taken over. @returns a node, or a negative errno */
export function addOpened(plane: DataPlane, opened: number): number {
  const { descriptors, fileSystems, table, scratch, calls } = plane;
  const failed = descriptors.stat(opened);
  const fileSystem = failed < 0 ? -1 : fileSystems.indexOf(opened);
  if (fileSystem < 0) {
    calls.close(opened);
    return failed < 0 ? failed : -Errno.ENOMEM;
  }
  const file = { inodeLow: scratch.stat(statx.ino), inodeHigh: scratch.stat(statx.ino + 1), fileSystem };
  const node = table.add(file, opened, (candidate) => descriptors.isSame(candidate, opened));
  if (node === 0 || !table.adopted) calls.close(opened);
  return node === 0 ? -Errno.ENOMEM : node;
}

/** Spares opening a file that is open already. @returns 0: it is not, or cannot be told */
function findKnown(plane: DataPlane, entry: EntryName): number {
  const node = statName(plane, entry.descriptor, entry.address);
  if (node === 0 || !plane.table.addKnown(node, plane.scratch.stat(statx.ino))) return 0;
  named(plane, node, entry);
  return node;
}

/** The node of a name, if the kernel knows it, without telling it. The scratch memory has the file's attributes. */
export function statName(plane: DataPlane, descriptor: number, address: number): number {
  const { calls, scratch, table, fileSystems } = plane;
  if (calls.statx(descriptor, address, AT_SYMLINK_NOFOLLOW, STATX_ALL, scratch.statx) < 0) return 0;
  const fileSystem = fileSystems.known();
  if (fileSystem < 0) return 0;
  return table.find({ inodeLow: scratch.stat(statx.ino), inodeHigh: scratch.stat(statx.ino + 1), fileSystem });
}

function named(plane: DataPlane, node: number, { folder, name, interest }: EntryName): void {
  plane.table.setName(node, folder, name);
  plane.paths.addInterest(node, interest);
}

/** How long the kernel may believe what it is told about a file: not at all when a rule is about it. */
function cacheMs(plane: DataPlane, node: number): number {
  return plane.paths.interestOf(node) === 0 ? (plane.shared.control[Control.CACHE_MS] as number) : 0;
}

/** Attributes that others than the kernel change: writing takes suid and sgid away. */
function attributesMs(plane: DataPlane, ms: number): number {
  const mode = plane.scratch.mode();
  return (mode & SUID_AND_SGID) !== 0 && (mode & S_IFMT) !== S_IFDIR ? 0 : ms;
}

/**
 * Writes a struct fuse_entry_out at the word `at` of the answer, from the attributes in the scratch memory.
 *
 * @returns its bytes
 */
export function putEntry(plane: DataPlane, at: number, node: number): number {
  const { reply, scratch, table, ruling } = plane;
  const entryMs = cacheMs(plane, node);
  if (ruling?.alterAttributes !== undefined) alterStat(scratch, ruling.alterAttributes);
  reply.put64(at + entryOut.nodeid, node);
  reply.put64(at + entryOut.generation, table.generationOf(node));
  const attributes = attributesMs(plane, entryMs);
  reply.put64(at + entryOut.entry_valid, Math.floor(entryMs / 1000));
  reply.put(at + entryOut.entry_valid_nsec, (entryMs % 1000) * 1_000_000);
  reply.put64(at + entryOut.attr_valid, Math.floor(attributes / 1000));
  reply.put(at + entryOut.attr_valid_nsec, (attributes % 1000) * 1_000_000);
  putAttributes(reply, at + entryOut.bytes / 4, scratch);
  return ENTRY_OUT_BYTES;
}

/** Answers with the entry of a name. */
export function replyEntry(plane: DataPlane, entry: EntryName): number {
  const node = lookUp(plane, entry);
  return node < 0 ? node : putEntry(plane, 0, node);
}

/** Answers with the attributes of an open file, which is that of a node. */
export function replyAttributes(plane: DataPlane, node: number, descriptor: number): number {
  const { reply, scratch, descriptors, ruling } = plane;
  const ms = cacheMs(plane, node);
  const failed = descriptors.stat(descriptor);
  if (failed < 0) return failed;
  if (ruling?.alterAttributes !== undefined) alterStat(scratch, ruling.alterAttributes);
  const attributes = attributesMs(plane, ms);
  reply.put64(attrOut.attr_valid, Math.floor(attributes / 1000));
  reply.put(attrOut.attr_valid_nsec, (attributes % 1000) * 1_000_000);
  reply.put(attrOut.dummy, 0);
  putAttributes(reply, attrOut.bytes / 4, scratch);
  return attrOut.bytes + attr.bytes;
}

/**
 * Takes away what makes a program run with more rights, as the kernel does when somebody without CAP_FSETID writes to
 * it: setattr_should_drop_suidgid() of fs/attr.c, and cap_inode_killpriv().
 */
export function killPrivileges(plane: DataPlane, descriptor: number): void {
  const { calls, scratch, descriptors } = plane;
  if (descriptors.stat(descriptor) < 0) return;
  const mode = scratch.mode();
  const dropped = (mode & constants.S_IXGRP) === 0 ? 0o4000 : SUID_AND_SGID;
  if ((mode & dropped) !== 0) calls.fchmodat(-1, scratch.procPath(descriptor), mode & 0o7777 & ~dropped, 0);
  calls.removexattr(scratch.procPath(descriptor), scratch.capability);
}

/** The result of a call as a handler returns it. */
export function outcome(result: number): number {
  return result < 0 ? -lastErrno() : 0;
}
