/**
 * Giving descriptors of ours to a stopped process: it makes a socket pair, we take one end (pidfd_getfd) and send our
 * descriptors through it, it receives them at the other (SCM_RIGHTS, unix(7)). It needs no right to open what they
 * stand for, no path to it, and it need not see where it is mounted.
 */
import { closeSync } from 'node:fs';
import { errnoNumber } from '../errno.ts';
import { addressOf, bindFunction, bindSyscall } from '../libc.ts';
import { isErrno, SyscallError } from '../syscall-error.ts';
import { countDescriptors } from './file-limit.ts';
import type { Remote, TargetMemory } from './traced-process.ts';

const sendmsg = bindFunction('sendmsg', 'long', ['int', 'pointer', 'int']);
const pidfdOpen = bindSyscall('pidfd_open', ['int', 'uint']);
const pidfdGetfd = bindSyscall('pidfd_getfd', ['int', 'int', 'uint']);

/** include/uapi/linux/pidfd.h, Linux 6.9: a pidfd of a thread. */
const PIDFD_THREAD = 0o200;

/** include/linux/socket.h, include/linux/net.h. */
const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CTRUNC = 0x8;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x4000_0000;

/** SCM_MAX_FD of include/net/scm.h: so many in one message. */
const FDS_PER_MESSAGE = 253;
/** More than the few descriptors that stand between the count and the first free number. */
const SPARE_DESCRIPTORS = 8;

/**
 * A message as it lies in memory: struct msghdr, struct iovec, the byte that goes with the descriptors, struct cmsghdr.
 */
const IOVEC_AT = 56;
const BYTE_AT = 72;
const CMSG_AT = 80;
const CMSG_HEADER = 16;
const CONTROL_LENGTH_AT = 40;
const FLAGS_AT = 48;
const MESSAGE_BYTES = 1120;
const MESSAGES_AT_ONCE = 8;

/** How much memory of the target this takes. */
export const PASSING_BYTES = MESSAGE_BYTES * MESSAGES_AT_ONCE;

/** A struct msghdr with what it points to, as it is to lie at `address`, with room for `count` descriptors. */
export function messageAt(address: number, count: number): Buffer {
  const message = Buffer.alloc(MESSAGE_BYTES);
  message.writeBigUInt64LE(BigInt(address + IOVEC_AT), 16);
  message.writeBigUInt64LE(1n, 24);
  message.writeBigUInt64LE(BigInt(address + CMSG_AT), 32);
  message.writeBigUInt64LE(BigInt(CMSG_HEADER + count * 4), CONTROL_LENGTH_AT);
  message.writeBigUInt64LE(BigInt(address + BYTE_AT), IOVEC_AT);
  message.writeBigUInt64LE(1n, IOVEC_AT + 8);
  return message;
}

function send(socket: number, fds: readonly number[]): void {
  const room = Buffer.alloc(MESSAGE_BYTES);
  messageAt(Number(addressOf(room)), fds.length).copy(room);
  room.writeBigUInt64LE(BigInt(CMSG_HEADER + fds.length * 4), CMSG_AT);
  room.writeInt32LE(SOL_SOCKET, CMSG_AT + 8);
  room.writeInt32LE(SCM_RIGHTS, CMSG_AT + 12);
  for (const [index, fd] of fds.entries()) room.writeInt32LE(fd, CMSG_AT + CMSG_HEADER + index * 4);
  sendmsg(socket, room, MSG_DONTWAIT);
}

/** The descriptors that a message has brought. */
export function receivedFds(message: Buffer): number[] {
  const bytes = Number(message.readBigUInt64LE(CONTROL_LENGTH_AT));
  if (bytes < CMSG_HEADER) return [];
  const end = CMSG_AT + Number(message.readBigUInt64LE(CMSG_AT));
  const fds: number[] = [];
  for (let at = CMSG_AT + CMSG_HEADER; at < end; at += 4) fds.push(message.readInt32LE(at));
  return fds;
}

/** What passing needs of a target, beside calls. */
export interface Passage {
  readonly pid: number;
  readonly memory: TargetMemory;
  /** Memory in the target of {@link PASSING_BYTES}. */
  readonly address: number;
}

/** See `Remote.passFds`. */
export function passFds(remote: Omit<Remote, 'passFds'>, passage: Passage, fds: readonly number[]): number[] {
  if (fds.length === 0) return [];
  const { pid, memory, address } = passage;
  remote.allowDescriptors(countDescriptors(pid, remote.tid) + fds.length + SPARE_DESCRIPTORS);
  remote.call('socketpair', AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, address);
  const pair = memory.read(address, 8);
  const [theirEnd, ourEnd] = [pair.readInt32LE(0), pair.readInt32LE(4)];
  const passed: number[] = [];
  let socket: number | undefined;
  try {
    socket = takeDescriptor(pid, remote.tid, ourEnd);
    for (let done = 0; done < fds.length; done += FDS_PER_MESSAGE * MESSAGES_AT_ONCE) {
      const part = fds.slice(done, done + FDS_PER_MESSAGE * MESSAGES_AT_ONCE);
      receiveInto(passed, remote, passage, theirEnd, sendAll(socket, part));
    }
    if (passed.length !== fds.length) throw new SyscallError('recvmsg', errnoNumber('EMFILE') ?? 0, `process ${pid}`);
    return passed;
  } catch (error) {
    remote.calls(passed.map((fd) => ['close', fd]));
    throw error;
  } finally {
    if (socket !== undefined) closeSync(socket);
    remote.calls([
      ['close', theirEnd],
      ['close', ourEnd],
    ]);
  }
}

/** @returns how many descriptors each message has */
function sendAll(socket: number, fds: readonly number[]): number[] {
  const counts: number[] = [];
  for (let done = 0; done < fds.length; done += FDS_PER_MESSAGE) {
    const part = fds.slice(done, done + FDS_PER_MESSAGE);
    send(socket, part);
    counts.push(part.length);
  }
  return counts;
}

/** Has the target receive messages, and collects what arrived, also if not all did. */
function receiveInto(
  passed: number[],
  remote: Omit<Remote, 'passFds'>,
  { memory, address }: Passage,
  socket: number,
  counts: readonly number[],
): void {
  const places = counts.map((_, index) => address + index * MESSAGE_BYTES);
  memory.write(address, Buffer.concat(counts.map((count, index) => messageAt(places[index] ?? 0, count))));
  const results = remote.calls(places.map((place) => ['recvmsg', socket, place, MSG_DONTWAIT | MSG_CMSG_CLOEXEC]));
  let truncated = false;
  for (const [index, result] of results.entries()) {
    if (result < 0) throw new SyscallError('recvmsg', -result);
    const message = memory.read(places[index] ?? 0, MESSAGE_BYTES);
    passed.push(...receivedFds(message));
    truncated ||= (message.readInt32LE(FLAGS_AT) & MSG_CTRUNC) !== 0;
  }
  if (truncated) throw new SyscallError('recvmsg', errnoNumber('EMFILE') ?? 0);
}

/** A descriptor of a target's thread as one of ours: pidfd_getfd(2), Linux 5.6. */
function takeDescriptor(pid: number, tid: number, fd: number): number {
  const pidfd = openThread(pid, tid);
  try {
    return pidfdGetfd(pidfd, fd, 0);
  } finally {
    closeSync(pidfd);
  }
}

/** A thread may have a table of descriptors of its own; before Linux 6.9 only that of the main thread can be had. */
function openThread(pid: number, tid: number): number {
  if (tid === pid) return pidfdOpen(pid, 0);
  try {
    return pidfdOpen(tid, PIDFD_THREAD);
  } catch (error) {
    if (isErrno(error, 'EINVAL')) return pidfdOpen(pid, 0);
    throw error;
  }
}
