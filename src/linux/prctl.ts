import { bindSyscall } from './libc.ts';

const prctl = bindSyscall('prctl', ['int', 'pointer', 'ulong', 'ulong', 'ulong']);

/** include/uapi/linux/prctl.h */
const PR_SET_PDEATHSIG = 1;
const PR_SET_NAME = 15;
const PR_GET_NAME = 16;
const PR_GET_SECUREBITS = 27;
const PR_SET_SECUREBITS = 28;
const PR_SET_TIMERSLACK = 29;
/** include/uapi/linux/securebits.h */
const SECBIT_NO_SETUID_FIXUP = 1 << 2;

/** TASK_COMM_LEN of include/linux/sched.h, with the NUL. */
const COMM_SIZE = 16;

/**
 * Names the calling thread, which on the main thread is the `comm` of the process: PR_SET_NAME, prctl(2).
 *
 * The kernel keeps 15 bytes; a longer name is cut, never within a character.
 */
export function setProcessName(name: string): void {
  const comm = Buffer.alloc(COMM_SIZE);
  comm.write(name, 0, COMM_SIZE - 1, 'utf8');
  prctl(PR_SET_NAME, comm, 0, 0, 0);
}

/** The name of the calling thread: PR_GET_NAME. */
export function processName(): string {
  const comm = Buffer.alloc(COMM_SIZE);
  prctl(PR_GET_NAME, comm, 0, 0, 0);
  return comm.toString('utf8', 0, comm.indexOf(0));
}

/** The calling thread is woken when its time has come, and not up to 50 µs later: PR_SET_TIMERSLACK. */
export function wakeOnTime(): void {
  prctl(PR_SET_TIMERSLACK, 1n, 0, 0, 0);
}

/**
 * From now on the calling thread keeps its capabilities when it takes another user's id for files with setfsuid(2).
 *
 * @throws SyscallError EPERM: CAP_SETPCAP is missing
 */
export function keepCapabilitiesAsOtherUser(): void {
  const bits = prctl(PR_GET_SECUREBITS, null, 0, 0, 0);
  prctl(PR_SET_SECUREBITS, BigInt(bits | SECBIT_NO_SETUID_FIXUP), 0, 0, 0);
}

const SIGKILL = 9;

/** The same call with a number where others have memory. */
const prctlWithNumber = bindSyscall('prctl', ['int', 'ulong', 'ulong', 'ulong', 'ulong']);

/**
 * From now on this process is killed when the thread that started it ends: PR_SET_PDEATHSIG.
 *
 * Whose parent has ended before is not killed any more: compare the parent's PID afterwards.
 */
export function dieWithParent(): void {
  prctlWithNumber(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}
