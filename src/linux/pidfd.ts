import { closeSync } from 'node:fs';
import { FaultlineError } from '../base/error.ts';
import { errnoNumber } from './errno.ts';
import { decodeWaitStatus, type ExitStatus } from './exit-status.ts';
import { isKernelAtLeast } from './kernel-release.ts';
import { bindSyscall } from './libc.ts';
import { answersInfo, reapedWaitStatus } from './pidfd-info.ts';
import type { Signal } from './signals.ts';
import { isErrno, SyscallError } from './syscall-error.ts';
import { zombieWaitStatus } from './zombie-status.ts';

export type { ExitStatus } from './exit-status.ts';

/**
 * A hold on one process: its number may be reused, its pidfd never means another process. Close it with `closePidfd`.
 */
export interface Pidfd {
  readonly pid: number;
  readonly fd: number;
}

const pidfdOpen = bindSyscall('pidfd_open', ['int', 'uint']);
const pidfdSendSignal = bindSyscall('pidfd_send_signal', ['int', 'int', 'pointer', 'uint']);
const waitid = bindSyscall('waitid', ['int', 'int', 'pointer', 'int', 'pointer']);
const ppoll = bindSyscall('ppoll', ['pointer', 'ulong', 'pointer', 'pointer', 'size_t']);

/** pid_t is an int. */
const PID_MAX = 0x7fff_ffff;
const closed = new WeakSet<Pidfd>();

/**
 * Takes hold of a process: pidfd_open(2), Linux 5.3. The descriptor is closed on exec.
 *
 * Look at the identity of the process (start time) after opening, not before: only then is it the one that is held.
 *
 * @throws FaultlineError PID_INVALID: not a number that a process can have
 * @throws SyscallError ESRCH: no such process; ENOENT or EINVAL: a thread that leads no process; EMFILE; ENOSYS
 */
export function openPidfd(pid: number): Pidfd {
  if (!Number.isInteger(pid) || pid < 1 || pid > PID_MAX) {
    throw new FaultlineError('PID_INVALID', `${pid} is not a process ID`, {
      hint: 'a process ID is a positive integer',
    });
  }
  return Object.freeze({ pid, fd: pidfdOpen(pid, 0) });
}

/** Lets go of a process. A second call does nothing, so that it can never close a descriptor that was reused since. */
export function closePidfd(pidfd: Pidfd): void {
  if (closed.has(pidfd)) return;
  closed.add(pidfd);
  closeSync(pidfd.fd);
}

/**
 * Sends a signal to exactly the held process: pidfd_send_signal(2), Linux 5.1. Signal number 0 only asks.
 *
 * @throws SyscallError ESRCH: it has been reaped; EPERM: not ours to signal; EINVAL: no such signal
 */
export function sendSignal(pidfd: Pidfd, signal: Signal | number): void {
  pidfdSendSignal(openFd(pidfd), typeof signal === 'number' ? signal : signal.number, null, 0);
}

/** Has the process ended? True for a zombie too; false while any thread of it lives. */
export function hasExited(pidfd: Pidfd): boolean {
  return pollExit([pidfd], 0)[0] ?? false;
}

/** struct pollfd: int fd, short events, short revents; poll(2). */
const POLLFD_SIZE = 8;
const POLLIN = 0x01;
const POLLHUP = 0x10;
const POLLNVAL = 0x20;
const SIGSET_SIZE = 8;

/**
 * Which of these processes have ended? One ppoll(2) over all of them; the answers stand in the order of the question.
 *
 * Waits until the first of them ends, at most `timeoutMs` (fractions allowed, Infinity for ever). It comes back early,
 * with what is known, when a signal for this process arrives meanwhile: its JavaScript handler can only run once the
 * event loop, which stands still for as long, goes on. A signal that came just before does not end the wait, so whoever
 * must stay responsive waits in slices.
 */
export function pollExit(pidfds: readonly Pidfd[], timeoutMs: number): boolean[] {
  const fds = Buffer.alloc(POLLFD_SIZE * pidfds.length);
  for (const [index, pidfd] of pidfds.entries()) {
    fds.writeInt32LE(openFd(pidfd), index * POLLFD_SIZE);
    fds.writeInt16LE(POLLIN, index * POLLFD_SIZE + 4);
  }
  try {
    ppoll(fds, pidfds.length, timespec(timeoutMs), null, SIGSET_SIZE);
  } catch (error) {
    if (!isErrno(error, 'EINTR')) throw error;
    return pollExit(pidfds, 0);
  }
  return pidfds.map((_, index) => {
    const revents = fds.readInt16LE(index * POLLFD_SIZE + 6);
    if ((revents & POLLNVAL) !== 0) throw new SyscallError('ppoll', errnoNumber('EBADF') ?? 0);
    return (revents & (POLLIN | POLLHUP)) !== 0;
  });
}

/** struct timespec: seconds and nanoseconds, eight bytes each. NULL, for ever, where the time is infinite. */
function timespec(ms: number): Buffer | null {
  if (ms === Number.POSITIVE_INFINITY) return null;
  const time = Buffer.alloc(16);
  const wait = Math.max(0, ms);
  const seconds = Math.floor(wait / 1000);
  time.writeBigInt64LE(BigInt(seconds), 0);
  time.writeBigInt64LE(BigInt(Math.floor((wait - seconds * 1000) * 1e6)), 8);
  return time;
}

/** waitid(2), and where siginfo_t keeps what it answers on 64-bit: include/uapi/asm-generic/siginfo.h. */
const P_PIDFD = 3;
const WNOHANG = 1;
const WEXITED = 4;
const SIGINFO_SIZE = 128;
const SI_CODE_OFFSET = 8;
const SI_PID_OFFSET = 16;
const SI_STATUS_OFFSET = 24;
const CLD_EXITED = 1;
const CLD_DUMPED = 3;

/**
 * Reaps a child of this process and says how it ended; undefined while it runs. waitid(2) with P_PIDFD, Linux 5.4.
 *
 * Not for children that `node:child_process` started: libuv reaps those itself.
 *
 * @throws SyscallError ECHILD: not a child of ours, or reaped already
 */
export function waitChild(pidfd: Pidfd): ExitStatus | undefined {
  const siginfo = Buffer.alloc(SIGINFO_SIZE);
  waitid(P_PIDFD, openFd(pidfd), siginfo, WEXITED | WNOHANG, null);
  if (siginfo.readInt32LE(SI_PID_OFFSET) === 0) return undefined;
  const code = siginfo.readInt32LE(SI_CODE_OFFSET);
  const status = siginfo.readInt32LE(SI_STATUS_OFFSET);
  return code === CLD_EXITED
    ? Object.freeze({ kind: 'exited', code: status })
    : Object.freeze({ kind: 'signaled', signal: status, coreDumped: code === CLD_DUMPED });
}

/**
 * How the held process ended, whoever its parent is; undefined while it lives, and where the kernel does not tell.
 *
 * A zombie shows its status in /proc/PID/stat. Once it is reaped only the pidfd knows, from Linux 6.15 on. Between the
 * two looks it may be reaped, hence the second look at the pidfd.
 */
export function exitStatus(pidfd: Pidfd): ExitStatus | undefined {
  // A main thread that ended before the others looks like a zombie, but its process lives.
  if (!hasExited(pidfd)) return undefined;
  const fd = openFd(pidfd);
  const status = reapedWaitStatus(fd) ?? zombieWaitStatus(pidfd.pid, () => isReaped(pidfd)) ?? reapedWaitStatus(fd);
  return status === undefined ? undefined : decodeWaitStatus(status);
}

function isReaped(pidfd: Pidfd): boolean {
  try {
    sendSignal(pidfd, 0);
    return false;
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return true;
    if (isErrno(error, 'EPERM')) return false;
    throw error;
  }
}

/** A closed descriptor's number may belong to anything by now, so using it is a mistake of the caller's. */
function openFd(pidfd: Pidfd): number {
  if (closed.has(pidfd)) throw new Error(`the pidfd of process ${pidfd.pid} has been closed`);
  return pidfd.fd;
}

export interface PidfdSupport {
  /** pidfd_open and pidfd_send_signal work: Linux 5.3. */
  readonly open: boolean;
  /** The exit status of a process that is no child of ours can be had after it was reaped: Linux 6.15. */
  readonly exitInfo: boolean;
}

/** What this kernel's pidfds can do, tried on ourselves. */
export function pidfdSupport(): PidfdSupport {
  let self: Pidfd | undefined;
  try {
    self = openPidfd(process.pid);
    sendSignal(self, 0);
    // 6.13 and 6.14 answer the ioctl too, but without the exit status; only the dead show that, so go by the release.
    return Object.freeze({ open: true, exitInfo: answersInfo(self.fd) && isKernelAtLeast(6, 15) });
  } catch (error) {
    // EPERM is how seccomp profiles of container runtimes refuse what they do not know.
    if (isErrno(error, 'ENOSYS', 'EPERM')) return Object.freeze({ open: false, exitInfo: false });
    throw error;
  } finally {
    if (self !== undefined) closePidfd(self);
  }
}
