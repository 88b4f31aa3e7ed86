import { lastErrno } from '../libc.ts';
import { SyscallError } from '../syscall-error.ts';
import { FileSystems } from './file-systems.ts';
import { statx } from './layouts.ts';
import { NodeDescriptors } from './node-descriptors.ts';
import { NodeTable } from './node-table.ts';
import { ROOT_NODE } from './protocol.ts';
import { Scratch } from './scratch.ts';
import { Control, NodeFlag, OPEN_HANDLE, type SharedState } from './shared-state.ts';
import type { SystemCalls } from './system-calls.ts';

/** What the main thread does with descriptors before the other threads begin, and after they have ended. */

/**
 * Puts the root into the table.
 *
 * @param rootFd of the folder, open with O_PATH. The table has a copy of it.
 * @throws SyscallError EMFILE
 */
export function addRoot(shared: SharedState, calls: SystemCalls, rootFd: number): void {
  const scratch = new Scratch();
  const table = new NodeTable(shared);
  const fileSystems = new FileSystems(shared, calls, scratch);
  const descriptors = new NodeDescriptors({ shared, calls, scratch, table, fileSystems, worker: 0 });
  const root = calls.dup(rootFd);
  if (root < 0) throw new SyscallError('dup', lastErrno());
  const failed = descriptors.stat(root);
  if (failed < 0) throw new SyscallError('statx', -failed);
  const fileSystem = fileSystems.indexOf(root);
  const file = { inodeLow: scratch.stat(statx.ino), inodeHigh: scratch.stat(statx.ino + 1), fileSystem };
  if (table.add(file, root, () => true) !== ROOT_NODE) throw new Error('the root is not the first node');
  Atomics.or(shared.nodes.flags, ROOT_NODE, NodeFlag.PINNED);
}

/** The kernel does not take leave of each file when a mount has ended. */
export function closeEverything(shared: SharedState, calls: SystemCalls): void {
  const { control, nodes, fileSystems, locks, openFlags } = shared;
  for (let node = ROOT_NODE; node < (control[Control.NODES_TOP] as number); node += 1) {
    const descriptor = Atomics.exchange(nodes.descriptor, node, -1);
    // A node that is free has none, and one that was never used has 0.
    if (descriptor > 0) calls.close(descriptor);
  }
  for (let index = 0; index < (control[Control.FILE_SYSTEMS] as number); index += 1) {
    const mount = fileSystems.mountDescriptor[index] as number;
    if (mount >= 0) calls.close(mount);
  }
  for (let record = 0; record < (control[Control.LOCK_OWNERS_TOP] as number); record += 1) {
    if (locks.node[record] !== 0) calls.close(locks.descriptor[record] as number);
  }
  for (const [descriptor, flags] of openFlags.entries()) {
    if ((flags & OPEN_HANDLE) !== 0) calls.close(descriptor);
  }
}
