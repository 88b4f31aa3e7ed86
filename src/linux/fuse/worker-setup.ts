import { openSync } from 'node:fs';
import { lastErrno } from '../libc.ts';
import { SyscallError } from '../syscall-error.ts';
import { BackingFile } from './backing-file.ts';
import { Backings } from './backings.ts';
import { Callers } from './callers.ts';
import type { DataPlane } from './data-plane.ts';
import { FileSystems, O_CLOEXEC } from './file-systems.ts';
import { Interposition } from './interposition.ts';
import type { Interposer } from './interposer.ts';
import { LockTable } from './lock-table.ts';
import type { Agreement } from './negotiation.ts';
import { NodeDescriptors } from './node-descriptors.ts';
import { NodeTable } from './node-table.ts';
import { Paths } from './paths.ts';
import { DeviceIoctl } from './protocol.ts';
import { Reply } from './reply.ts';
import { Scratch } from './scratch.ts';
import { type Capacity, openSharedState } from './shared-state.ts';
import { bindSystemCalls, type SystemCalls } from './system-calls.ts';

/** What a thread needs to serve a volume. Plain data, for `workerData`. */
export interface WorkerOptions {
  /** Its number, from 0. */
  readonly worker: number;
  /** `/dev/fuse` of the connection. */
  readonly fuseFd: number;
  /** An eventfd for each thread, to call it. */
  readonly wakeFds: readonly number[];
  readonly shared: SharedArrayBuffer;
  readonly capacity: Capacity;
  readonly agreement: Agreement;
  /** How long a thread looks for the next request before it sleeps. */
  readonly lookMs: number;
}

/** Room for a listing, and for the answer to STATX, whatever the largest write is. */
const leastPayload = 65_536;

/**
 * What this thread serves with, and its own descriptor of the connection: requests are handed out to all of them, and
 * each is answered where it was read.
 *
 * @throws SyscallError EPERM: CAP_SETPCAP is missing
 */
export function createDataPlane(
  options: WorkerOptions,
  interposer: Interposer,
): { readonly plane: DataPlane; readonly device: number } {
  const { agreement, fuseFd } = options;
  const calls = bindSystemCalls();
  const shared = openSharedState(options.shared, options.capacity);
  const scratch = new Scratch();
  const device = cloneDevice(calls, scratch, fuseFd);
  const table = new NodeTable(shared);
  const fileSystems = new FileSystems(shared, calls, scratch);
  const descriptors = new NodeDescriptors({ shared, calls, scratch, table, fileSystems, worker: options.worker });
  const paths = new Paths({ shared, calls, scratch, table, descriptors, interposer });
  const below = new BackingFile(calls);
  const plane: DataPlane = {
    agreement,
    shared,
    calls,
    scratch,
    reply: new Reply(calls, Math.max(agreement.maxWrite, leastPayload)),
    table,
    descriptors,
    fileSystems,
    paths,
    interposition: new Interposition(interposer, paths),
    callers: new Callers(calls),
    backings: new Backings(shared, calls, scratch, fuseFd),
    locks: new LockTable(shared, calls, scratch, descriptors),
    backingOf: (file) => below.of(file),
    ruling: undefined,
    nameInterest: 0,
    attempts: 0,
  };
  return { plane, device };
}

/** FUSE_DEV_IOC_CLONE. Not blocking, as the thread must also hear other things than requests. */
function cloneDevice(calls: SystemCalls, { region, argument, argumentWord }: Scratch, fuseFd: number): number {
  const readWrite = 0x2;
  const nonBlocking = 0x800;
  const device = openSync('/dev/fuse', readWrite | nonBlocking | O_CLOEXEC);
  region.put(argumentWord, fuseFd);
  if (calls.ioctl(device, DeviceIoctl.CLONE, argument) < 0) throw new SyscallError('ioctl', lastErrno(), '/dev/fuse');
  return device;
}
