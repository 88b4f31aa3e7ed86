import { bindUnchecked } from '../../../src/linux/libc.ts';
import { EPOLL_CTL_ADD, O_RDONLY } from './abi.ts';
import { data, locks, memory, openAndClose } from './calls-data.ts';
import { attributes, extended, names } from './calls-names.ts';
import { kernel, noted } from './kernel.ts';

/*
 * The system calls on files, as the kernel has them: what fails gives a negative errno and throws nothing. One call
 * here is one system call, which Node's own functions do not promise.
 */

const native = {
  epoll: kernel('epoll_create1', ['int']),
  socket: kernel('socket', ['int', 'int', 'int']),
  inotify: kernel('inotify_init1', ['int']),
  setrlimit: kernel('setrlimit', ['int', 'pointer']),
  bind: kernel('bind', ['int', 'pointer', 'uint']),
  connect: kernel('connect', ['int', 'pointer', 'uint']),
  poll: kernel('poll', ['pointer', 'ulong', 'int']),
  epollCtl: kernel('epoll_ctl', ['int', 'int', 'int', 'pointer']),
};

/** struct sockaddr_un, include/uapi/linux/un.h */
function socketAddress(path: string): Buffer {
  const address = Buffer.alloc(2 + Buffer.byteLength(path) + 1);
  address.writeUInt16LE(1, 0);
  address.write(path, 2);
  return address;
}

const others = {
  inotify: (flags: number): number => noted(native.inotify(flags)),
  watch: kernel('inotify_add_watch', ['int', 'string', 'uint']),
  socket: (domain: number, type: number, protocol: number): number => noted(native.socket(domain, type, protocol)),
  bind: (fd: number, path: string): number => native.bind(fd, socketAddress(path), socketAddress(path).length),
  connect: (fd: number, path: string): number => native.connect(fd, socketAddress(path), socketAddress(path).length),
  /** Which of the events has happened to a descriptor; 0 when none has in that time. */
  poll: (fd: number, events: number, timeoutMs = 0): number => {
    const bytes = Buffer.alloc(8);
    bytes.writeInt32LE(fd, 0);
    bytes.writeInt16LE(events, 4);
    const ready = native.poll(bytes, 1, timeoutMs);
    return ready <= 0 ? ready : bytes.readInt16LE(6);
  },
  epoll: (flags: number): number => noted(native.epoll(flags)),
  epollAdd: (epoll: number, fd: number): number => {
    const event = Buffer.alloc(16);
    event.writeUInt32LE(1, 0);
    return native.epollCtl(epoll, EPOLL_CTL_ADD, fd, event);
  },
  /** The soft limit alone; undefined for none. */
  setLimit: (resource: number, soft: number | undefined): number => {
    const bytes = Buffer.alloc(16, 0xff);
    if (soft !== undefined) bytes.writeBigUInt64LE(BigInt(soft));
    return native.setrlimit(resource, bytes);
  },
  signal: bindUnchecked('signal', 'long', ['int', 'ulong']),
  setFsUid: bindUnchecked('setfsuid', 'int', ['uint']),
};

/** The names of a whole folder, without `.` and `..`, each as often as it is told. */
function list(path: string): string[] | number {
  const fd = openAndClose.open(path, O_RDONLY);
  if (fd < 0) return fd;
  const all: string[] = [];
  let some = names.entries(fd);
  while (typeof some !== 'number' && some.length > 0) {
    all.push(...some.map(({ name }) => name));
    some = names.entries(fd);
  }
  openAndClose.close(fd);
  return typeof some === 'number' ? some : all.filter((name) => name !== '.' && name !== '..');
}

/** The beginning of a file in a folder that is open; or a negative errno. */
function readIn(folder: number, name: string): Buffer | number {
  const fd = openAndClose.open(name, O_RDONLY, 0, folder);
  if (fd < 0) return fd;
  const bytes = data.pread(fd, 65_536, 0);
  openAndClose.close(fd);
  return bytes;
}

export const calls = Object.freeze({
  ...openAndClose,
  ...data,
  ...names,
  ...attributes,
  ...extended,
  ...locks,
  ...memory,
  ...others,
  list,
  readIn,
});
