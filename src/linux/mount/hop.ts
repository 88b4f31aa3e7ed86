import { closeSync, openSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { readNamespace } from '../procfs/namespaces.ts';
import { SyscallError, toSyscallError } from '../syscall-error.ts';
import { threadFile } from '../thread.ts';
import { Gate, type HopAnswer, type HopFailure, type HopMessage, type HopOrder } from './hop-order.ts';
import { FOLDER_PATH_FLAGS } from './path-lookup.ts';
import { perform, type Placed, type PlaceTask, type Removed, type RemoveTask } from './placing.ts';

/** Where to go. */
export interface HopPlace {
  readonly pid: number;
  readonly mountNamespace: number;
  /** For how long to wait; 20,000 if left out. */
  readonly patienceMs?: number | undefined;
}

/** Looking up a path waits for the file systems on the way, and one of those may not answer. */
const PATIENCE_MS = 20_000;

/**
 * Does one thing in the mount namespace of a process.
 *
 * A thread of its own goes there, because a thread that has been in another namespace does not come back to quite what
 * it was: setns(2) resets its root. Where that is our own namespace nobody has to go anywhere: looking up, placing and
 * removing say nothing about the thread that does it, and the process's root is named by a descriptor. What is looked
 * up through the mount itself is for another thread all the same: we may be the one who serves it.
 *
 * @throws SyscallError EPERM: CAP_SYS_ADMIN; EACCES: CAP_SYS_PTRACE; ENOENT, ESRCH: the process is gone
 * @throws FaultlineError VOLUME_BUSY: a file system does not answer in time; whatever the task throws
 */
export function inMountNamespace(where: HopPlace, task: PlaceTask): Promise<Placed>;
export function inMountNamespace(where: HopPlace, task: RemoveTask): Promise<Removed>;
export async function inMountNamespace(where: HopPlace, task: PlaceTask | RemoveTask): Promise<HopAnswer> {
  const asksUs = task.kind === 'remove' && task.children.length > 0;
  return readNamespace('self', 'mnt') === where.mountNamespace && !asksUs
    ? stayHere(where.pid, task)
    : await hop(where, task);
}

function stayHere(pid: number, task: PlaceTask | RemoveTask): HopAnswer {
  let rootFd: number;
  try {
    rootFd = openSync(`/proc/${pid}/root`, FOLDER_PATH_FLAGS);
  } catch (error) {
    throw toSyscallError(error);
  }
  try {
    return perform({ rootFd, fdPath: (fd) => `/proc/self/fd/${fd}`, commit: () => undefined }, task);
  } finally {
    closeSync(rootFd);
  }
}

/** Ends when the thread has ended, so that nothing of ours is left in the namespace. */
function hop({ pid, mountNamespace, patienceMs }: HopPlace, task: PlaceTask | RemoveTask): Promise<HopAnswer> {
  const gate = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const order: HopOrder = { pid, mountNamespace, task, gate };
  const worker = new Worker(threadFile('mount-hop'), {
    workerData: order,
    name: 'mount-hop',
    // Flags of Node are for the program, not for this.
    execArgv: [],
    // Descriptors that it opens outlive it, and some are not opened by Node.
    trackUnmanagedFds: false,
  });
  return new Promise<HopAnswer>((resolve, reject) => {
    let message: HopMessage | undefined;
    const timer = setTimeout(() => {
      // It sits in a system call that nothing but the file system can end, and must not do it after we have given up.
      Atomics.compareExchange(gate, 0, Gate.open, Gate.closed);
      worker.unref();
      reject(noAnswer(order));
    }, patienceMs ?? PATIENCE_MS);
    worker.on('message', (received: HopMessage) => {
      message = received;
    });
    worker.on('error', (error) => {
      message = { failure: { kind: 'bug', error } };
    });
    worker.on('exit', () => {
      clearTimeout(timer);
      if (message === undefined) reject(new Error('the thread has ended without a word'));
      else if ('failure' in message) reject(asError(message.failure, order));
      else resolve(message.answer);
    });
  });
}

function noAnswer({ task, pid }: HopOrder): FaultlineError {
  const path = task.kind === 'place' ? task.path : task.mountPoint;
  return new FaultlineError(
    'VOLUME_BUSY',
    `a file system on the way to ${printable(path)} of process ${pid} does not answer`,
    {
      hint: 'a network file system whose server is away, or a FUSE mount that nobody serves, holds up all who go there',
    },
  );
}

function asError(failure: HopFailure, { pid }: HopOrder): Error {
  switch (failure.kind) {
    case 'syscall':
      return new SyscallError(failure.syscall, failure.errno, `in the mount namespace of process ${pid}`);
    case 'expected':
      return new FaultlineError(
        failure.code,
        failure.message,
        failure.hint === undefined ? {} : { hint: failure.hint },
      );
    case 'bug':
      return failure.error instanceof Error ? failure.error : new Error(String(failure.error));
  }
}
