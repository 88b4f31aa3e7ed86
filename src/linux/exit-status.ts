/** How a process ended. `signal` is a signal number. */
export type ExitStatus =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signaled'; readonly signal: number; readonly coreDumped: boolean };

const SIGNAL_MASK = 0x7f;
const CORE_FLAG = 0x80;

/** What wait(2) calls `wstatus`, and /proc/PID/stat and struct pidfd_info call `exit_code`, of an ended process. */
export function decodeWaitStatus(status: number): ExitStatus {
  const signal = status & SIGNAL_MASK;
  return signal === 0
    ? Object.freeze({ kind: 'exited', code: (status >> 8) & 0xff })
    : Object.freeze({ kind: 'signaled', signal, coreDumped: (status & CORE_FLAG) !== 0 });
}
