import { readdirSync, statSync } from 'node:fs';
import { bindFunction } from '../libc.ts';

const prlimit = bindFunction('prlimit', 'int', ['int', 'int', 'pointer', 'pointer']);

/** include/uapi/asm-generic/resource.h; struct rlimit64 is the soft limit and the hard one, eight bytes each. */
const RLIMIT_NOFILE = 7;
const RLIMIT_SIZE = 16;

/** The limit on open files of a process, which may be raised for a while. getrlimit(2). */
export interface FileLimit {
  /** Numbers below `count` may be used. @throws SyscallError EPERM: above the hard limit, or /proc/sys/fs/nr_open */
  allow(count: number): void;
  /** Sets it back to what it was. */
  restore(): void;
}

export function fileLimitOf(pid: number): FileLimit {
  let original: Buffer | undefined;
  let allowed = 0n;
  return {
    allow(count) {
      const wanted = BigInt(count);
      if (original === undefined) {
        original = Buffer.alloc(RLIMIT_SIZE);
        prlimit(pid, RLIMIT_NOFILE, null, original);
        allowed = original.readBigUInt64LE(0);
      }
      if (wanted <= allowed) return;
      const hard = original.readBigUInt64LE(8);
      const raised = Buffer.alloc(RLIMIT_SIZE);
      raised.writeBigUInt64LE(wanted, 0);
      raised.writeBigUInt64LE(wanted > hard ? wanted : hard, 8);
      prlimit(pid, RLIMIT_NOFILE, raised, null);
      allowed = wanted;
    },
    restore() {
      if (original === undefined) return;
      if (allowed !== original.readBigUInt64LE(0)) prlimit(pid, RLIMIT_NOFILE, original, null);
      original = undefined;
    },
  };
}

/** How many descriptors a thread has open. The folder's size tells it from Linux 6.2 on. */
export function countDescriptors(pid: number, tid: number): number {
  const folder = `/proc/${pid}/task/${tid}/fd`;
  return statSync(folder).size || readdirSync(folder).length;
}
