/** What /proc tells of one thread, as far as tracing needs it: proc_pid_status(5). */
import { readFileSync } from 'node:fs';
import { readProcessRecord } from '../procfs/read.ts';
import { parseStatus, type ProcessStatus } from '../procfs/status.ts';
import { isErrno } from '../syscall-error.ts';

/** /proc/PID/task/TID/status; undefined when the thread is gone. */
export function readThreadStatus(pid: number, tid: number): ProcessStatus | undefined {
  const bytes = readProcessRecord(pid, `task/${tid}/status`);
  return bytes === undefined ? undefined : parseStatus(bytes);
}

/** Signals that the process handles, bit n-1 for signal n; undefined when the thread is gone. */
export function caughtSignals(pid: number, tid: number): bigint | undefined {
  const bytes = readProcessRecord(pid, `task/${tid}/status`);
  return bytes === undefined ? undefined : caughtSignalsIn(bytes);
}

/** The one field of the file that is needed while a target stands still: parsing all of it takes as long as a stop. */
export function caughtSignalsIn(status: Buffer): bigint {
  const start = status.indexOf('\nSigCgt:\t');
  if (start === -1) return 0n;
  const begin = start + '\nSigCgt:\t'.length;
  return BigInt(`0x${status.toString('latin1', begin, status.indexOf('\n', begin))}`);
}

/** Has the process a seccomp filter, or is it in strict mode? Unknown, before Linux 3.8, counts as no. */
export function hasSeccomp(pid: number): boolean {
  const text = readProcessRecord(pid, 'status')?.toString('latin1') ?? '';
  return /^Seccomp:\s*[12]$/mu.test(text);
}

/** SIGCHLD, SIGCONT, SIGURG, SIGWINCH: what a program that has no handler for them does not notice. signal(7). */
const ignoredByDefault = signalBit(17) | signalBit(18) | signalBit(23) | signalBit(28);

function signalBit(signal: number): bigint {
  return 1n << BigInt(signal - 1);
}

/** Is a signal waiting that the thread will handle, or die or stop of, as soon as it runs? */
export function hasSignalToHandle(pid: number, tid: number): boolean {
  const status = readThreadStatus(pid, tid);
  return status === undefined || signalsToHandle(status) !== 0n;
}

/** Signals that wait, are not blocked, and do something. A traced thread is left with ignored ones waiting, too. */
export function signalsToHandle(
  status: Pick<ProcessStatus, 'pending' | 'sharedPending' | 'blocked' | 'ignored' | 'caught'>,
): bigint {
  const without = status.blocked | status.ignored | (ignoredByDefault & ~status.caught);
  return (status.pending | status.sharedPending) & ~without;
}

/** In what a thread waits: the kernel's function, and the number of the system call; -1 for none. */
export interface ThreadWait {
  readonly channel: string | undefined;
  readonly syscall: number | undefined;
}

/** /proc/PID/task/TID/wchan and syscall, as far as they may be read. */
export function readThreadWait(pid: number, tid: number): ThreadWait {
  const channel = readText(pid, tid, 'wchan');
  const syscall = Number(/^-?\d+/u.exec(readText(pid, tid, 'syscall') ?? '')?.[0]);
  return {
    channel: channel === undefined || channel === '' || channel === '0' ? undefined : channel,
    syscall: Number.isNaN(syscall) ? undefined : syscall,
  };
}

function readText(pid: number, tid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/task/${tid}/${file}`, 'latin1').trim();
  } catch (error) {
    // EPERM, EACCES: not for us; EINVAL, ENOSYS: not in this kernel.
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EPERM', 'EACCES', 'EINVAL', 'ENOSYS')) return undefined;
    throw error;
  }
}
