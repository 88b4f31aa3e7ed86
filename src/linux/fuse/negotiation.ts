import { initIn, initOut } from './layouts.ts';
import { InitFlag, InitFlag2, MAJOR_VERSION, MINOR_VERSION } from './protocol.ts';
import type { Reply } from './reply.ts';
import type { Request } from './request.ts';

/** Bytes of the largest write, and of the largest read. */
export const MAX_WRITE = 1 << 20;
const PAGE = 4096;
/** How many requests that nobody waits for may be under way, and from how many on the kernel holds back. */
const MAX_BACKGROUND = 64;
const CONGESTION_THRESHOLD = 48;
/** A file system that itself lies on another one, as overlayfs does, may still be below ours. */
const MAX_STACK_DEPTH = 2;

/**
 * Asked for where the kernel has it. What is left out, and why:
 *
 * - ASYNC_DIO: a reader that is killed would wait until its delay is over.
 * - WRITEBACK_CACHE: writes would reach us late, in other sizes and in nobody's name; not together with PASSTHROUGH.
 * - CACHE_SYMLINKS, NO_OPEN_SUPPORT, NO_OPENDIR_SUPPORT: readlink, open and opendir could not be disturbed any more.
 * - EXPORT_SUPPORT: nobody needs to export a volume that is being disturbed over NFS.
 *
 * POSIX_LOCKS and FLOCK_LOCKS are asked for although the kernel would keep locks by itself, and faster. But then they
 * would hold only among those who use the mount: two processes that share a database by record locks would both get
 * them, while one was moved onto the mount and the other was not yet, or is not to be. So each lock is taken on the
 * file below. The price: every lock and every close(2) is asked of us, waiting is done by trying again, and a deadlock
 * of waiting processes is not noticed (EDEADLK).
 */
const wanted =
  InitFlag.ASYNC_READ |
  InitFlag.POSIX_LOCKS |
  InitFlag.ATOMIC_O_TRUNC |
  InitFlag.BIG_WRITES |
  InitFlag.DONT_MASK |
  InitFlag.FLOCK_LOCKS |
  InitFlag.HAS_IOCTL_DIR |
  InitFlag.AUTO_INVAL_DATA |
  InitFlag.DO_READDIRPLUS |
  InitFlag.READDIRPLUS_AUTO |
  InitFlag.PARALLEL_DIROPS |
  InitFlag.POSIX_ACL |
  InitFlag.MAX_PAGES |
  InitFlag.HANDLE_KILLPRIV_V2 |
  InitFlag.SETXATTR_EXT |
  InitFlag.INIT_EXT;

/** What the kernel and we have agreed on. Plain data, for all threads. */
export interface Agreement {
  /** Of the protocol, the lower one of the kernel's and ours. */
  readonly minorVersion: number;
  readonly maxWrite: number;
  readonly passthrough: boolean;
  /**
   * Files without passthrough are opened with FOPEN_DIRECT_IO whether or not a rule is about them: so that they are
   * read as they are now, whoever has written to them. Before Linux 6.6 they could not be mapped then, so that only
   * files that a rule is about are.
   */
  readonly alwaysDirect: boolean;
  readonly longSetxattr: boolean;
}

/**
 * Answers INIT.
 *
 * @param allow what may be asked for besides: tests try what happens without
 * @returns the agreement, and how long the answer is
 */
export function negotiate(
  request: Request,
  reply: Reply,
  allow: { readonly passthrough: boolean },
): { readonly agreement: Agreement; readonly bytes: number } {
  const minorVersion = Math.min(request.u32(initIn.minor), MINOR_VERSION);
  const flags = request.u32(initIn.flags) & wanted;
  const extended = (flags & InitFlag.INIT_EXT) !== 0;
  const offered = extended ? request.u32(initIn.flags2) : 0;
  const flags2 = offered & (InitFlag2.DIRECT_IO_ALLOW_MMAP | (allow.passthrough ? InitFlag2.PASSTHROUGH : 0));
  const passthrough = (flags2 & InitFlag2.PASSTHROUGH) !== 0;

  reply.clear(0, initOut.bytes);
  reply.put(initOut.major, MAJOR_VERSION);
  reply.put(initOut.minor, minorVersion);
  reply.put(initOut.max_readahead, request.u32(initIn.max_readahead));
  reply.put(initOut.flags, flags);
  reply.put(initOut.max_background, MAX_BACKGROUND | (CONGESTION_THRESHOLD << 16));
  reply.put(initOut.max_write, MAX_WRITE);
  reply.put(initOut.time_gran, 1);
  reply.put(initOut.max_pages, MAX_WRITE / PAGE);
  reply.put(initOut.flags2, flags2);
  reply.put(initOut.max_stack_depth, passthrough ? MAX_STACK_DEPTH : 0);
  return {
    agreement: Object.freeze({
      minorVersion,
      maxWrite: MAX_WRITE,
      passthrough,
      alwaysDirect: passthrough || (flags2 & InitFlag2.DIRECT_IO_ALLOW_MMAP) !== 0,
      longSetxattr: (flags & InitFlag.SETXATTR_EXT) !== 0,
    }),
    bytes: initOut.bytes,
  };
}
