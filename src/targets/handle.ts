import { closePidfd, openPidfd, type Pidfd } from '../linux/pidfd.ts';
import { isErrno } from '../linux/syscall-error.ts';
import { currentState, type ProcessIdentity } from './identity.ts';

/** A process that is held: as long as the pidfd is open, it means this process and no other. */
export interface ProcessHandle {
  readonly identity: ProcessIdentity;
  readonly pidfd: Pidfd;
}

export type OpenedProcess =
  | { readonly state: 'open'; readonly handle: ProcessHandle }
  | { readonly state: 'gone' | 'reused' | 'rebooted' };

const absent = {
  gone: Object.freeze({ state: 'gone' }),
  reused: Object.freeze({ state: 'reused' }),
  rebooted: Object.freeze({ state: 'rebooted' }),
} as const;

/**
 * The pidfd of whoever has this PID now, or undefined when nobody has.
 *
 * Besides ESRCH the kernel answers EINVAL (ENOENT since 6.15) when the number is a thread of another process, which
 * happens once the process is gone: threads and processes draw from one pool of numbers.
 */
function holderOf(pid: number): Pidfd | undefined {
  try {
    return openPidfd(pid);
  } catch (error) {
    if (isErrno(error, 'ESRCH', 'EINVAL', 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Take hold of a process so that it, and only it, can be signalled. Close the handle with {@link closeProcess}.
 *
 * The order makes this safe. The pidfd is opened first, and from then on stands for one process, whoever that is. Only
 * then is the identity checked, through /proc/PID/stat. While the process behind the pidfd exists, as a zombie at
 * least, its PID is not given away; so if the stat line shows our process, then it had the PID at that later moment.
 * It had the PID when it was chosen too, before the pidfd was opened, and one process never gets its PID back after
 * losing it; so it had the PID in between, and the pidfd is ours. Checking first and opening then would leave a gap in
 * which the process dies and the pidfd becomes a stranger's. Should ours die after the check, `pidfd_send_signal`
 * answers ESRCH and nobody is hit.
 *
 * A zombie counts as gone: there is nobody left to act on, and a signal to it would be reported as delivered.
 *
 * Sources: pidfd_open(2), pidfd_send_signal(2), proc_pid_stat(5).
 *
 * @throws {SyscallError} for anything but absence: EMFILE, ENFILE, ENOMEM, ENOSYS (before Linux 5.3)
 */
export function openProcess(identity: ProcessIdentity): OpenedProcess {
  const pidfd = holderOf(identity.pid);
  if (pidfd === undefined) {
    const state = currentState(identity);
    return state === 'reused' || state === 'rebooted' ? absent[state] : absent.gone;
  }
  let state: ReturnType<typeof currentState> | undefined;
  try {
    state = currentState(identity);
  } finally {
    if (state !== 'alive') closePidfd(pidfd);
  }
  if (state === 'alive') return Object.freeze({ state: 'open', handle: Object.freeze({ identity, pidfd }) });
  return state === 'zombie' ? absent.gone : absent[state];
}

/** Let go of a process. A second call does nothing. */
export function closeProcess(handle: ProcessHandle): void {
  closePidfd(handle.pidfd);
}
