import { constants } from 'node:fs';
import { Errno } from '../errno.ts';
import { lastErrno } from '../libc.ts';
import { backingMap } from './layouts.ts';
import { lock, unlock } from './mutex.ts';
import { DeviceIoctl } from './protocol.ts';
import type { Scratch } from './scratch.ts';
import { Control, NodeFlag, type SharedState } from './shared-state.ts';
import type { SystemCalls } from './system-calls.ts';

const { O_RDONLY } = constants;
const O_CLOEXEC = 0o2000000;

/**
 * Files that the kernel reads and writes by itself: FUSE_PASSTHROUGH,
 * Documentation/filesystems/fuse/fuse-passthrough.rst.
 *
 * Each inode has one backing id, and all its open files must use it, so it is counted. What the kernel is given for it
 * is an open file description of its own, of which it takes the path only, and which it keeps: one that somebody locks
 * by flock(2) would be locked for as long as anybody has the file open.
 */
export class Backings {
  private readonly shared: SharedState;
  private readonly calls: SystemCalls;
  private readonly scratch: Scratch;
  private readonly device: number;

  /** @param device any descriptor of the connection */
  constructor(shared: SharedState, calls: SystemCalls, scratch: Scratch, device: number) {
    this.shared = shared;
    this.calls = calls;
    this.scratch = scratch;
    this.device = device;
  }

  /**
   * The backing id of a file for one more open file, which gives it back by {@link release}.
   *
   * @param file an open file, not O_PATH
   * @returns 0: there is none, and no open file of the inode has one
   */
  use(node: number, file: number): number {
    const { control, nodes } = this.shared;
    if (((nodes.flags[node] as number) & NodeFlag.NO_BACKING) !== 0) return 0;
    lock(control, Control.BACKING_MUTEX);
    let id = nodes.backingId[node] as number;
    if (id === 0) {
      id = this.open(node, file);
      nodes.backingId[node] = id;
    }
    if (id !== 0) nodes.backingUses[node] = (nodes.backingUses[node] as number) + 1;
    unlock(control, Control.BACKING_MUTEX);
    return id;
  }

  release(node: number): void {
    const { control, nodes } = this.shared;
    lock(control, Control.BACKING_MUTEX);
    const uses = (nodes.backingUses[node] as number) - 1;
    nodes.backingUses[node] = uses;
    if (uses === 0) {
      this.close(nodes.backingId[node] as number);
      nodes.backingId[node] = 0;
    }
    unlock(control, Control.BACKING_MUTEX);
  }

  private open(node: number, file: number): number {
    const { argumentWord, argument, region } = this.scratch;
    const own = this.calls.openat(-1, this.scratch.procPath(file), O_RDONLY | O_CLOEXEC, 0);
    if (own < 0) return 0;
    region.put(argumentWord + backingMap.fd, own);
    region.put(argumentWord + backingMap.flags, 0);
    region.put64(argumentWord + backingMap.padding, 0);
    const id = this.calls.ioctl(this.device, DeviceIoctl.BACKING_OPEN, argument);
    const errno = id > 0 ? 0 : lastErrno();
    this.calls.close(own);
    if (id > 0) return id;
    // Out of descriptors is for now; what the file system or the kernel refuses it refuses for good.
    if (errno !== Errno.EMFILE && errno !== Errno.ENFILE && errno !== Errno.ENOMEM) {
      Atomics.or(this.shared.nodes.flags, node, NodeFlag.NO_BACKING);
    }
    return 0;
  }

  private close(id: number): void {
    const { argumentWord, argument, region } = this.scratch;
    region.put(argumentWord, id);
    this.calls.ioctl(this.device, DeviceIoctl.BACKING_CLOSE, argument);
  }
}
