import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { FaultlineError } from '../../base/error.ts';
import { errnoNumber } from '../errno.ts';
import { setProcessName } from '../prctl.ts';
import { SyscallError, toSyscallError } from '../syscall-error.ts';
import { Gate, type HopAnswer, type HopFailure, type HopMessage, type HopOrder } from './hop-order.ts';
import { changeFolder, enterMountNamespace, unshareRoot } from './namespace-calls.ts';
import { FOLDER_PATH_FLAGS } from './path-lookup.ts';
import { perform } from './placing.ts';

/*
 * The program of a thread that goes into another mount namespace, does one thing, and ends.
 *
 * From `enterMountNamespace` on nothing may be loaded, and nothing asynchronous may be started: a file would be read
 * from the other namespace, and a thread that libuv starts would stay in it.
 */

function run(order: HopOrder): HopAnswer {
  const opened: number[] = [];
  const open = (path: string, flags: number): number => {
    const fd = openSync(path, flags);
    opened.push(fd);
    return fd;
  };
  try {
    // All that needs our own /proc is opened before.
    const procFd = open('/proc', FOLDER_PATH_FLAGS);
    const namespaceFd = open(`/proc/${order.pid}/ns/mnt`, constants.O_RDONLY);
    const rootFd = open(`/proc/${order.pid}/root`, FOLDER_PATH_FLAGS);
    if (fstatSync(namespaceFd).ino !== order.mountNamespace) {
      throw new FaultlineError('PROCESS_NOT_FOUND', `process ${order.pid} has left its mount namespace`);
    }
    unshareRoot();
    enterMountNamespace(namespaceFd);
    // The only place to name descriptors from: the other namespace need not have a /proc.
    changeFolder(procFd);
    return perform({ rootFd, fdPath: (fd) => `self/fd/${fd}`, commit: () => passGate(order) }, order.task);
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

function passGate({ gate }: HopOrder): void {
  if (Atomics.compareExchange(gate, 0, Gate.open, Gate.passed) === Gate.open) return;
  throw new FaultlineError('VOLUME_BUSY', 'nobody waits for it any more');
}

/** Errors lose their class on the way to another thread. */
function failureOf(thrown: unknown): HopFailure {
  const error = toSyscallError(thrown);
  if (error instanceof SyscallError) {
    const number = Number(error.details?.['errnoNumber'] ?? errnoNumber(error.errno) ?? 0);
    return { kind: 'syscall', syscall: error.syscall, errno: number };
  }
  if (error instanceof FaultlineError) {
    return { kind: 'expected', code: error.code, message: error.message, hint: error.hint };
  }
  return { kind: 'bug', error };
}

function attempt(order: HopOrder): HopMessage {
  try {
    return { answer: run(order) };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

setProcessName('mount-hop');
parentPort?.postMessage(attempt(workerData as HopOrder), []);
