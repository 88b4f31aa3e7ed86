import { lastErrno } from '../libc.ts';
import { SyscallError } from '../syscall-error.ts';
import { Errno } from '../errno.ts';
import { notifyInvalInodeOut, outHeader } from './layouts.ts';
import { mapRegion, type Region } from './memory.ts';
import { NotifyCode } from './protocol.ts';
import type { SystemCalls } from './system-calls.ts';

const NOTIFY_BYTES = outHeader.bytes + notifyInvalInodeOut.bytes;
/** struct fuse_notify_inval_inode_out: a negative offset means the attributes alone. */
const ATTRIBUTES_ONLY = -1;

/** The node is forgotten, or the mount is gone or not there yet: then there is nothing to be told. */
const goneErrnos: ReadonlySet<number> = new Set([Errno.ENOENT, Errno.ENODEV, Errno.ENOTCONN, Errno.EPERM]);

/**
 * Tells the kernel that what it keeps is not so any more.
 *
 * Never from a thread that serves requests: the kernel may wait, in the middle of the write(2), for an answer from it.
 */
export class Notifier {
  private readonly calls: SystemCalls;
  private readonly fuseFd: number;
  private readonly memory: Region = mapRegion(NOTIFY_BYTES);

  constructor(calls: SystemCalls, fuseFd: number) {
    this.calls = calls;
    this.fuseFd = fuseFd;
  }

  /** Every name is looked up again. @returns false: this kernel cannot be told so, before Linux 6.16 */
  forgetNames(): boolean {
    return this.send(NotifyCode.INC_EPOCH, outHeader.bytes);
  }

  /** The attributes of a node, and its ACLs, are asked for again. */
  forgetAttributes(node: number): void {
    const at = outHeader.bytes / 4;
    this.memory.put64(at + notifyInvalInodeOut.ino, node);
    this.memory.put64(at + notifyInvalInodeOut.off, ATTRIBUTES_ONLY);
    this.memory.put64(at + notifyInvalInodeOut.len, 0);
    this.send(NotifyCode.INVAL_INODE, NOTIFY_BYTES);
  }

  /** @returns whether the kernel has understood; a node that it has forgotten is no failure */
  private send(code: number, bytes: number): boolean {
    const { memory, calls, fuseFd } = this;
    memory.put(outHeader.len, bytes);
    memory.put(outHeader.error, code);
    memory.put64(outHeader.unique, 0);
    if (calls.write(fuseFd, memory.address, bytes) >= 0) return true;
    const errno = lastErrno();
    if (goneErrnos.has(errno)) return true;
    if (errno === Errno.EINVAL || errno === Errno.ENOSYS) return false;
    throw new SyscallError('write', errno, '/dev/fuse');
  }
}
