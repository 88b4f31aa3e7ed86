import type { Operation } from '../../../linux/fuse/interposer.ts';
import { readComm } from '../../../linux/procfs/comm.ts';
import { readProcessRecord } from '../../../linux/procfs/read.ts';
import { readStatus } from '../../../linux/procfs/status.ts';
import { commOfName } from '../../../targets/name-match.ts';
import type { RequesterSpec } from '../rule.ts';

/*
 * Who asks for an operation. The kernel tells the thread; what it belongs to is read from /proc each time, since a
 * thread's number may have passed to another one, and a process that has just been forked is about to change its name.
 */

/** Is the thread one of the process's? */
function isThreadOf(thread: number, pid: number): boolean {
  return thread === pid || readProcessRecord(pid, `task/${thread}/comm`) !== undefined;
}

function hasName(thread: number, names: ReadonlySet<string>): boolean {
  const own = readComm(thread);
  if (own !== undefined && names.has(own)) return true;
  const process = readStatus(thread)?.tgid;
  if (process === undefined || process === thread) return false;
  return names.has(readComm(process) ?? '');
}

/**
 * Is an operation asked for by one of those that a rule names?
 *
 * An operation whose thread cannot be seen, such as the kernel's own writing back of a shared mapping, is asked for by
 * nobody that could be named.
 */
export function requesterFilter({ pids, comms, uids }: RequesterSpec): (operation: Operation) => boolean {
  const users = new Set(uids);
  const names = new Set(comms.map(commOfName));
  const ofUser = (uid: number): boolean => users.size === 0 || users.has(uid);
  const ofProcess = (thread: number): boolean => pids.length === 0 || pids.some((pid) => isThreadOf(thread, pid));
  const named = (thread: number): boolean => names.size === 0 || hasName(thread, names);
  if (pids.length === 0 && names.size === 0) return ({ uid }) => ofUser(uid);
  return ({ uid, pid }) => ofUser(uid) && pid > 0 && ofProcess(pid) && named(pid);
}
