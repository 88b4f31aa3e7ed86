import { readdirSync, statSync } from 'node:fs';
import { bindFunction } from '../libc.ts';
import { openFileLimits } from '../procfs/limits.ts';
import type { Remote, TargetMemory } from './traced-process.ts';

const prlimit = bindFunction('prlimit', 'int', ['int', 'int', 'pointer', 'pointer']);

/** include/uapi/asm-generic/resource.h; struct rlimit64 is the soft limit and the hard one, eight bytes each. */
const RLIMIT_NOFILE = 7;
const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

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

function rlimit(soft: number, hard: number): Buffer {
  const limits = Buffer.alloc(16);
  for (const [index, limit] of [soft, hard].entries()) {
    limits.writeBigUInt64LE(limit === Number.POSITIVE_INFINITY ? RLIM_INFINITY : BigInt(limit), index * 8);
  }
  return limits;
}

/**
 * Up to its hard limit the process may raise its soft one itself, so it does. Beyond that we must, which takes
 * CAP_SYS_RESOURCE. If we are killed in between, its limit stays raised. getrlimit(2).
 */
export function fileLimitOf({ pid, call, memory, address }: LimitAccess): FileLimit {
  let original: { readonly soft: number; readonly hard: number } | undefined;
  let allowed = 0;
  const change = (limits: Buffer, hard: number): void => {
    if (allowed > hard) {
      prlimit(pid, RLIMIT_NOFILE, limits, null);
    } else {
      memory.write(address, limits);
      call('prlimit64', 0, RLIMIT_NOFILE, address, 0);
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
        change(rlimit(count, Math.max(count, original.hard)), original.hard);
      } catch (error) {
        allowed = before;
        throw error;
      }
    },
    restore() {
      if (original === undefined || allowed === original.soft) return;
      change(rlimit(original.soft, original.hard), original.hard);
      allowed = original.soft;
    },
  };
}

/** How many descriptors a thread has open. The folder's size tells it from Linux 6.2 on. */
export function countDescriptors(pid: number, tid: number): number {
  const folder = `/proc/${pid}/task/${tid}/fd`;
  return statSync(folder).size || readdirSync(folder).length;
}
