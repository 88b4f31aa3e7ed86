import { unshareRoot } from '../mount/namespace-calls.ts';
import { keepCapabilitiesAsOtherUser } from '../prctl.ts';
import type { Request } from './request.ts';
import type { SystemCalls } from './system-calls.ts';

/**
 * Makes new files in the name of whoever asks for them: the owner, the group and the permissions of a new file come
 * from the thread that makes it.
 *
 * The kernel has checked already what the caller may do, and knows the caller's supplementary groups, which we do not.
 * So this thread takes the user's ids, but keeps the capabilities to do whatever it is told. The umask is for the file
 * system below to apply, since it must not where the folder has a default ACL.
 */
export class Callers {
  private readonly calls: SystemCalls;
  private mask = 0;

  /** Gives the calling thread a umask of its own, and keeps its capabilities for it. @throws SyscallError EPERM */
  constructor(calls: SystemCalls) {
    this.calls = calls;
    unshareRoot();
    keepCapabilitiesAsOtherUser();
    calls.umask(0);
  }

  /** @returns what `create` returns */
  as(request: Request, umask: number, create: () => number): number {
    const { calls } = this;
    const { uid, gid } = request;
    if (umask !== this.mask) {
      calls.umask(umask);
      this.mask = umask;
    }
    if (gid !== 0) calls.setfsgid(gid);
    if (uid !== 0) calls.setfsuid(uid);
    const result = create();
    if (uid !== 0) calls.setfsuid(0);
    if (gid !== 0) calls.setfsgid(0);
    return result;
  }
}
