import { closeSync } from 'node:fs';
import { bindFunction, bindUnchecked } from '../../../src/linux/libc.ts';

const mountCall = bindFunction('mount', 'int', ['string', 'string', 'string', 'ulong', 'string']);
const chrootCall = bindFunction('chroot', 'int', ['string']);
const rebootCall = bindFunction('reboot', 'int', ['int']);
const waitpidCall = bindUnchecked('waitpid', 'int', ['int', 'pointer', 'int']);
const socketCall = bindFunction('socket', 'int', ['int', 'int', 'int']);
const ioctlCall = bindFunction('ioctl', 'int', ['int', 'ulong', 'pointer']);

/** include/uapi/linux/mount.h */
const MS_BIND = 0x1000;
const MS_MOVE = 0x2000;

/** @throws SyscallError */
export function mount(type: string, source: string, target: string, options = ''): void {
  mountCall(source, target, type, 0, options);
}

/** @throws SyscallError */
export function bindMount(source: string, target: string): void {
  mountCall(source, target, 'none', MS_BIND, '');
}

/**
 * Make a mount the root of everything, as switch_root(8) does. With a chroot alone the namespace would keep its old
 * root: setns(2) would lead back to it, and the kernel refuses user namespaces to whoever is in a chroot.
 *
 * @throws SyscallError
 */
export function switchRoot(root: string): void {
  process.chdir(root);
  mountCall('.', '/', 'none', MS_MOVE, '');
  chrootCall('.');
  process.chdir('/');
}

/** include/uapi/linux/sockios.h, if.h: `struct ifreq` is 40 bytes, a name of 16 and then, here, flags. */
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 0x1;
const IFREQ_BYTES = 40;
const FLAGS_AT = 16;
const AF_INET = 2;
const SOCK_DGRAM = 2;

/** Bring an interface up: netdevice(7). @throws SyscallError */
export function interfaceUp(name: string): void {
  const socket = socketCall(AF_INET, SOCK_DGRAM, 0);
  try {
    const request = Buffer.alloc(IFREQ_BYTES);
    request.write(name, 'latin1');
    ioctlCall(socket, SIOCGIFFLAGS, request);
    request.writeUInt16LE(request.readUInt16LE(FLAGS_AT) | IFF_UP, FLAGS_AT);
    ioctlCall(socket, SIOCSIFFLAGS, request);
  } finally {
    closeSync(socket);
  }
}

const WNOHANG = 1;

/** Take a dead child away: it must be one that Node.js has not started itself. */
export function reap(pid: number): void {
  waitpidCall(pid, null, WNOHANG);
}

/** include/uapi/linux/reboot.h */
const LINUX_REBOOT_CMD_POWER_OFF = 0x4321_fedc;

/** Nothing is written back: the disks are thrown away. @throws SyscallError */
export function powerOff(): void {
  rebootCall(LINUX_REBOOT_CMD_POWER_OFF);
}
