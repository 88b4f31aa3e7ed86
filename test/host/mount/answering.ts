import { readSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrno } from '../../../src/linux/syscall-error.ts';
import { onEnd } from './lab.ts';

/*
 * The least that a FUSE connection needs to be walked through: every folder has a folder of every name in it.
 * include/uapi/linux/fuse.h.
 */

const FUSE_LOOKUP = 1;
const FUSE_FORGET = 2;
const FUSE_GETATTR = 3;
const FUSE_INIT = 26;
const FUSE_BATCH_FORGET = 42;
const ENOSYS = 38;

const IN_HEADER = 40;
const ATTR = 88;

/** Answers what the kernel asks over an open /dev/fuse (O_NONBLOCK), between other things, until the test ends. */
export function answer(fuseFd: number): void {
  const ended = new AbortController();
  onEnd(() => ended.abort());
  const request = Buffer.alloc(2 << 20);
  const serve = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      if (!next(fuseFd, request)) await delay(1);
    }
  };
  void serve();
}

/** @returns false when nothing is asked at the moment */
function next(fuseFd: number, request: Buffer): boolean {
  try {
    readSync(fuseFd, request);
  } catch (error) {
    if (isErrno(error, 'EAGAIN', 'ENODEV', 'ENOENT')) return false;
    throw error;
  }
  const opcode = request.readUInt32LE(4);
  if (opcode === FUSE_FORGET || opcode === FUSE_BATCH_FORGET) return true;
  const body = bodyOf(opcode, request);
  const header = Buffer.alloc(16);
  header.writeUInt32LE(16 + (body?.length ?? 0), 0);
  header.writeInt32LE(body === undefined ? -ENOSYS : 0, 4);
  request.copy(header, 8, 8, 16);
  writeSync(fuseFd, Buffer.concat([header, body ?? Buffer.alloc(0)]));
  return true;
}

function bodyOf(opcode: number, request: Buffer): Buffer | undefined {
  switch (opcode) {
    case FUSE_INIT:
      return initOut(request.readUInt32LE(IN_HEADER + 4));
    case FUSE_LOOKUP: {
      const entry = Buffer.alloc(40);
      entry.writeBigUInt64LE(2n, 0);
      return Buffer.concat([entry, folderAttributes(2n)]);
    }
    case FUSE_GETATTR:
      return Buffer.concat([Buffer.alloc(16), folderAttributes(request.readBigUInt64LE(16))]);
    default:
      return undefined;
  }
}

function initOut(minor: number): Buffer {
  const out = Buffer.alloc(64);
  out.writeUInt32LE(7, 0);
  out.writeUInt32LE(minor, 4);
  out.writeUInt32LE(1 << 16, 20);
  return out;
}

function folderAttributes(inode: bigint): Buffer {
  const attributes = Buffer.alloc(ATTR);
  attributes.writeBigUInt64LE(inode, 0);
  attributes.writeUInt32LE(0o40755, 60);
  attributes.writeUInt32LE(2, 64);
  return attributes;
}
