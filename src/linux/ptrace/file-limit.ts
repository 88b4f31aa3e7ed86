import { readdirSync, statSync } from 'node:fs';
import { openFileLimits } from '../procfs/limits.ts';
import { encodeLimits, Resource, setLimits } from '../resource-limits.ts';
import type { Remote, TargetMemory } from './traced-process.ts';

/** The limit on open files of a stopped process, raised for a while. */
export interface FileLimit {
  /** Numbers below `count` may be used. @throws SyscallError EPERM: above the hard limit, or /proc/sys/fs/nr_open */
  allow(count: number): void;
  /** Sets it back to what it was. */
  restore(): void;
}

/** What changing the limit takes. */
export interface LimitAccess {
  readonly pid: number;
  readonly call: Remote['call'];
  readonly memory: TargetMemory;
  /** Memory in the target of 16 bytes. */
  readonly address: number;
}

/**
 * Up to its hard limit the process may raise its soft one itself, so it does. Beyond that we must, which takes
 * CAP_SYS_RESOURCE. If we are killed in between, its limit stays raised. getrlimit(2).
 */
export function fileLimitOf({ pid, call, memory, address }: LimitAccess): FileLimit {
  let original: { readonly soft: number; readonly hard: number } | undefined;
  let allowed = 0;
  const change = (soft: number, hard: number, hardBefore: number): void => {
    if (allowed > hardBefore) {
      setLimits(pid, Resource.NOFILE, soft, hard);
    } else {
      memory.write(address, encodeLimits(soft, hard));
      call('prlimit64', 0, Resource.NOFILE, address, 0);
    }
  };
  return {
    allow(count) {
      if (original === undefined) {
        const { soft = Number.POSITIVE_INFINITY, hard = Number.POSITIVE_INFINITY } = openFileLimits(pid);
        original = { soft, hard };
        allowed = soft;
      }
      if (count <= allowed) return;
      const before = allowed;
      allowed = count;
      try {
        change(count, Math.max(count, original.hard), original.hard);
      } catch (error) {
        allowed = before;
        throw error;
      }
    },
    restore() {
      if (original === undefined || allowed === original.soft) return;
      change(original.soft, original.hard, original.hard);
      allowed = original.soft;
    },
  };
}

/** How many descriptors a thread has open. The folder's size tells it from Linux 6.2 on. */
export function countDescriptors(pid: number, tid: number): number {
  const folder = `/proc/${pid}/task/${tid}/fd`;
  return statSync(folder).size || readdirSync(folder).length;
}
