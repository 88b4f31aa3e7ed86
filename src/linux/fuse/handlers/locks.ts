import { Errno } from '../../errno.ts';
import { lastErrno } from '../../libc.ts';
import { Answer, type DataPlane, type Handler } from '../data-plane.ts';
import { lkIn, lkOut } from '../layouts.ts';
import { type LockQuestion, questionOf, rangeOfAnswer } from '../lock-question.ts';
import { type LockOwner, type LockRange, type LockTable, LockType } from '../lock-table.ts';
import { Opcode, RequestFlag } from '../protocol.ts';
import type { Request } from '../request.ts';

/** OFFSET_MAX of include/linux/fs.h: to the end of the file, however long it gets. */
const OFFSET_MAX = 0x7fff_ffff_ffff_ffffn;
const ROOT = 0;
/** flock(2). */
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;
/**
 * A file that was closed has given its flock(2) back only when RELEASE has arrived, for which close(2) does not wait.
 * So whoever does not want to wait is let wait for that moment all the same.
 */
const triesWithoutWaiting = 2;

function ownerOf(request: Request): LockOwner {
  return {
    node: request.node,
    low: request.u32(lkIn.owner),
    high: request.u32(lkIn.owner + 1),
    // Of a lock the kernel tells the process, of the request the thread.
    pid: request.u32(lkIn.pid),
    handle: request.u32(lkIn.fh),
  };
}

function rangeOf(request: Request): LockRange {
  const start = request.big(lkIn.start);
  const end = request.big(lkIn.end);
  return { type: request.u32(lkIn.type), start, length: end >= OFFSET_MAX ? 0n : end - start + 1n };
}

function holderFor(locks: LockTable, owner: LockOwner, question: LockQuestion): number | undefined {
  switch (question.about) {
    case 'any':
      return locks.wereUsed ? 0 : undefined;
    case 'description':
      return locks.holder(owner);
    case 'process':
      return locks.holderOfProcess(owner.node, question.pid, question.index);
  }
}

/** Which of our descriptors hold locks: asked by those who move open files. */
function answer({ locks, reply }: DataPlane, request: Request, question: LockQuestion): number {
  const owner = ownerOf(request);
  const holder = holderFor(locks, owner, question);
  const { start, length } = rangeOfAnswer({ holder, handle: owner.handle });
  reply.clear(0, lkOut.bytes);
  reply.putBig(lkOut.start, start);
  reply.putBig(lkOut.end, start + length - 1n);
  reply.put(lkOut.type, LockType.READ);
  return lkOut.bytes;
}

const getlk: Handler = (plane, request) => {
  const { locks, reply } = plane;
  const range = rangeOf(request);
  const question = request.uid === ROOT ? questionOf(range) : undefined;
  if (question !== undefined) return answer(plane, request, question);
  const held = locks.conflict(ownerOf(request), range);
  if (typeof held === 'number') return held;
  reply.clear(0, lkOut.bytes);
  if (held === undefined) {
    reply.put(lkOut.type, LockType.NONE);
    return lkOut.bytes;
  }
  reply.putBig(lkOut.start, held.start);
  reply.putBig(lkOut.end, held.length === 0n ? OFFSET_MAX : held.start + held.length - 1n);
  reply.put(lkOut.type, held.type);
  reply.put(lkOut.pid, held.pid);
  return lkOut.bytes;
};

const isFlock = (request: Request): boolean => (request.u32(lkIn.lk_flags) & RequestFlag.FUSE_LK_FLOCK) !== 0;

function setFlock({ calls }: DataPlane, request: Request): number {
  const type = request.u32(lkIn.type);
  const exclusive = type === LockType.WRITE ? LOCK_EX : LOCK_UN;
  const operation = type === LockType.READ ? LOCK_SH : exclusive;
  return calls.flock(request.u32(lkIn.fh), operation | LOCK_NB) < 0 ? -lastErrno() : 0;
}

function setLock(plane: DataPlane, request: Request): number {
  plane.locks.noteUse();
  const result = isFlock(request) ? setFlock(plane, request) : plane.locks.set(ownerOf(request), rangeOf(request));
  // F_SETLK may say either; see fcntl(2).
  return result === -Errno.EACCES ? -Errno.EAGAIN : result;
}

const setlk: Handler = (plane, request) => {
  const result = setLock(plane, request);
  const isEarly = isFlock(request) && plane.attempts < triesWithoutWaiting;
  return result === -Errno.EAGAIN && isEarly ? Answer.RETRY : result;
};

/** No thread waits for a lock: it serves others, and tries again. */
const setlkw: Handler = (plane, request) => {
  const result = setLock(plane, request);
  return result === -Errno.EAGAIN ? Answer.RETRY : result;
};

export const lockHandlers: readonly (readonly [number, Handler])[] = [
  [Opcode.GETLK, getlk],
  [Opcode.SETLK, setlk],
  [Opcode.SETLKW, setlkw],
];
