/** Why a process was not traced, as errors for people and programs: TRACE_REFUSED with `details.reason`. */
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { architecture } from '../arch.ts';
import { readComm } from '../procfs/comm.ts';
import { isEndedState } from '../procfs/stat.ts';
import { readTaskStat } from '../procfs/tasks.ts';
import { syscallLabel } from './interrupted-calls.ts';
import { hasSeccomp, readThreadStatus, readThreadWait } from './thread-status.ts';
import type { TraceRefusal } from './traced-process.ts';

/** PF_* of include/linux/sched.h: a thread on its way out, an io_uring worker, another worker (Linux 6.4). */
const PF_EXITING = 0x4;
const PF_IO_WORKER = 0x10;
const PF_USER_WORKER = 0x4000;

interface Explanation {
  readonly sentence: string;
  readonly hint: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

function refused(pid: number, reason: TraceRefusal, { sentence, hint, details }: Explanation): FaultlineError {
  const name = readComm(pid);
  const who = name === undefined ? `process ${pid}` : `process ${pid} (${printable(name)})`;
  return new FaultlineError('TRACE_REFUSED', `${who} cannot be stopped to change it: ${sentence}`, {
    hint,
    details: { pid, reason, ...details },
  });
}

/** What it means that a thread may not be traced. */
export type Unseizable = 'ended' | 'kernel-worker' | FaultlineError;

/** ptrace(2) has one errno for many reasons, EPERM; /proc knows which it is. */
export function whyNotSeized(pid: number, tid: number): Unseizable {
  const stat = readTaskStat(pid, tid);
  const status = readThreadStatus(pid, tid);
  if (stat === undefined || status === undefined) return 'ended';
  if (isEndedState(stat.state) || (stat.flags & PF_EXITING) !== 0) return 'ended';
  if ((stat.flags & (PF_IO_WORKER | PF_USER_WORKER)) !== 0) return 'kernel-worker';
  if (pid === process.pid) {
    return refused(pid, 'ourselves', {
      sentence: 'it is the process that traces',
      hint: 'leave Faultline itself out of the selection',
    });
  }
  if (status.tracerPid !== 0) {
    const tracer = readComm(status.tracerPid);
    const name = tracer === undefined ? '' : ` (${printable(tracer)})`;
    return refused(pid, 'already-traced', {
      sentence: `process ${status.tracerPid}${name} traces it already`,
      hint: 'end the debugger or strace that is attached to it, or leave the process out',
      details: { tid, tracerPid: status.tracerPid },
    });
  }
  return refused(pid, 'not-permitted', {
    sentence: 'it may not be traced',
    hint: 'run as root with CAP_SYS_PTRACE; see also /proc/sys/kernel/yama/ptrace_scope and SELinux or AppArmor',
    details: { tid },
  });
}

export function compatTask(pid: number, tid: number): FaultlineError {
  return refused(pid, 'compat-task', {
    sentence: 'it is a 32-bit program',
    hint: 'only programs of the same architecture as Faultline can be changed while they run',
    details: { tid },
  });
}

/** A thread that is still not stopped. */
export function notStopped(pid: number, tid: number, deadlineMs: number): FaultlineError {
  const { channel, syscall } = readThreadWait(pid, tid);
  const label = syscall === undefined || syscall < 0 ? undefined : syscallLabel(syscall, architecture());
  const where = [
    ...(label === undefined ? [] : [`in ${label}`]),
    ...(channel === undefined ? [] : [`waiting in ${printable(channel)}`]),
  ].join(', ');
  return refused(pid, 'not-stopped', {
    sentence: `its thread ${tid} did not stop within ${deadlineMs} ms${where === '' ? '' : ` (${where})`}`,
    hint: 'the kernel lets no thread stop in such a wait; try again, or leave the process out',
    details: { tid, waitChannel: channel ?? null, syscall: label ?? null },
  });
}

/** With a seccomp filter each call of ours could be its last. Undefined where there is none. */
export function seccompInTheWay(pid: number): FaultlineError | undefined {
  if (!hasSeccomp(pid)) return undefined;
  return refused(pid, 'seccomp', {
    sentence: 'it has a seccomp filter, which cannot be suspended',
    hint: 'it takes CAP_SYS_ADMIN, a kernel with CONFIG_CHECKPOINT_RESTORE, and no seccomp filter on Faultline itself',
  });
}

export function syscallsRedirected(pid: number, tid: number): FaultlineError {
  return refused(pid, 'syscall-dispatch', {
    sentence: 'it has its system calls redirected to itself (Syscall User Dispatch)',
    hint: 'programs that run under Wine or its like cannot be changed while they run',
    details: { tid },
  });
}

export function noRoom(pid: number): FaultlineError {
  return refused(pid, 'no-room', {
    sentence: 'none of its executable mappings has unused bytes at its end',
    hint: 'please report what program it is',
  });
}

/** A call that a target makes for us does not come back. */
export function callHangs(pid: number, tid: number, timeoutMs: number): FaultlineError {
  return refused(pid, 'not-stopped', {
    sentence: `a system call that its thread ${tid} made for us did not come back within ${timeoutMs} ms`,
    hint: 'is a file system that it uses hung? try again, or leave the process out',
    details: { tid, waitChannel: readThreadWait(pid, tid).channel ?? null, syscall: null },
  });
}

/** It was killed while we held it. */
export function killedMeanwhile(pid: number): FaultlineError {
  return new FaultlineError('PROCESS_NOT_FOUND', `process ${pid} was killed while it was being changed`, {
    details: { pid },
  });
}
