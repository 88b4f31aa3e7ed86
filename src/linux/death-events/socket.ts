import { closeSync } from 'node:fs';
import { bindFunction, bindUnchecked, lastErrno } from '../libc.ts';
import { errnoName } from '../errno.ts';
import { SyscallError } from '../syscall-error.ts';

/*
 * A netlink socket: netlink(7). Node.js has none of its own.
 */

const socket = bindFunction('socket', 'int', ['int', 'int', 'int']);
const bind = bindFunction('bind', 'int', ['int', 'pointer', 'uint']);
const setsockopt = bindFunction('setsockopt', 'int', ['int', 'int', 'int', 'pointer', 'uint']);
const send = bindFunction('send', 'long', ['int', 'pointer', 'size_t', 'int']);
const recv = bindUnchecked('recv', 'long', ['int', 'pointer', 'size_t', 'int']);

const AF_NETLINK = 16;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;

/** @throws {SyscallError} EPROTONOSUPPORT: the kernel was built without it; EPERM */
export function openNetlink(protocol: number, groups: number): number {
  const fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  // struct sockaddr_nl: family, padding, port (0: the kernel chooses one), groups
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(groups, 8);
  try {
    bind(fd, address, address.length);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Let as much wait as asked, or as much as the kernel allows us. */
export function growReceiveBuffer(fd: number, bytes: number): void {
  const value = Buffer.alloc(4);
  value.writeInt32LE(bytes);
  try {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, value, value.length);
  } catch {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, value, value.length);
  }
}

export function sendMessage(fd: number, message: Buffer): void {
  send(fd, message, message.length, 0);
}

/** How a message came. @returns bytes; `none` waits, or `overrun`: some were lost */
export function receiveMessage(fd: number, buffer: Buffer): number | 'none' | 'overrun' {
  const bytes = recv(fd, buffer, buffer.length, 0);
  if (bytes !== -1) return bytes;
  const name = errnoName(lastErrno());
  if (name === 'EAGAIN' || name === 'EINTR') return 'none';
  if (name === 'ENOBUFS') return 'overrun';
  throw new SyscallError('recv', lastErrno());
}
