import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { FaultlineError } from '../../base/error.ts';
import { createFuseMount } from '../mount/fuse-mount.ts';
import { type OpenFileLimits, openFileLimits } from '../procfs/limits.ts';
import { isErrno, SyscallError, toSyscallError } from '../syscall-error.ts';
import { inHeader, initIn } from './layouts.ts';
import { INC_EPOCH_MINOR_VERSION, InitFlag, InitFlag2, Opcode } from './protocol.ts';

/** What the kernel offers of FUSE, by its INIT. */
export interface FuseKernel {
  /** Of the protocol: 7.`minorVersion`. */
  readonly minorVersion: number;
  /** The kernel reads and writes by itself where nothing is injected: Linux 6.9, if it was built with it. */
  readonly passthrough: boolean;
  /** All that the kernel has cached of names can be dropped at once: Linux 6.16. */
  readonly epochInvalidation: boolean;
  /** Shared maps of files with faults: Linux 6.6. */
  readonly directIoMaps: boolean;
  /** Writing does not ask for security.capability each time: Linux 5.12. */
  readonly killsPrivileges: boolean;
  /** All flags: bits 0 to 31 of `flags`, and from 32 on those of `flags2`. */
  readonly flags: bigint;
}

/** Whether FUSE can be used here. */
export type FuseAnswer =
  | { readonly status: 'usable'; readonly kernel: FuseKernel }
  /** No /dev/fuse: it is not passed on to the container, or the kernel is without FUSE. */
  | { readonly status: 'missing'; readonly reason: string }
  /** /dev/fuse may not be opened, or mounting is not permitted. */
  | { readonly status: 'denied'; readonly reason: string };

/**
 * Asks the kernel what it offers, with a mount that stands nowhere and is gone again at once. INIT is sent while the
 * file system is made (fuse_send_init of fs/fuse/inode.c), so that it is there to be read without anybody's looking.
 */
export function askFuse(): FuseAnswer {
  const opened: number[] = [];
  try {
    const fuseFd = openSync('/dev/fuse', constants.O_RDWR | constants.O_NONBLOCK);
    opened.push(fuseFd);
    // What is asked is forgotten with the mount.
    opened.push(createFuseMount({ fuseFd, source: 'faultline-doctor', rootMode: 0o40700 }));
    return Object.freeze({ status: 'usable', kernel: readInit(fuseFd) });
  } catch (error) {
    return refusalOf(toSyscallError(error));
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

function refusalOf(error: unknown): FuseAnswer {
  if (!(error instanceof FaultlineError)) throw error;
  // ENOSYS: no fsopen(2), which is Linux 5.2.
  const missing = isErrno(error, 'ENOENT', 'ENODEV', 'ENXIO', 'ENOSYS');
  if (!missing && !(error instanceof SyscallError && error.code === 'PERMISSION_DENIED')) throw error;
  return Object.freeze({ status: missing ? 'missing' : 'denied', reason: error.message });
}

/** FUSE_MIN_READ_BUFFER of include/uapi/linux/fuse.h: less is refused. */
const MIN_READ_BUFFER = 8192;

function readInit(fd: number): FuseKernel {
  const request = Buffer.alloc(MIN_READ_BUFFER);
  readSync(fd, request);
  if (request.readUInt32LE(inHeader.opcode * 4) !== Opcode.INIT) {
    throw new FaultlineError('HOST_UNSUPPORTED', 'the kernel did not begin with INIT, as FUSE does');
  }
  const field = (word: number): number => request.readUInt32LE(inHeader.bytes + word * 4);
  const flags = field(initIn.flags);
  const flags2 = (flags & InitFlag.INIT_EXT) === 0 ? 0 : field(initIn.flags2);
  const minorVersion = field(initIn.minor);
  return Object.freeze({
    minorVersion,
    passthrough: (flags2 & InitFlag2.PASSTHROUGH) !== 0,
    epochInvalidation: minorVersion >= INC_EPOCH_MINOR_VERSION,
    directIoMaps: (flags2 & InitFlag2.DIRECT_IO_ALLOW_MMAP) !== 0,
    killsPrivileges: (flags & InitFlag.HANDLE_KILLPRIV_V2) !== 0,
    flags: BigInt(flags) | (BigInt(flags2) << 32n),
  });
}

/** What else decides about faults in files, besides capabilities (`Host.capabilities`). */
export interface FileFaultLimits {
  /** kernel.yama.ptrace_scope: 0 as ever, 1 descendants only, 2 with CAP_SYS_PTRACE, 3 nobody. Undefined: no Yama. */
  readonly ptraceScope: number | undefined;
  /** How many files our processes may have open. */
  readonly openFiles: OpenFileLimits;
  /** fs.nr_open: to which even root may not raise that. */
  readonly openFilesCeiling: number | undefined;
}

/** Looks at limits of this host. @throws SyscallError: /proc/sys cannot be read */
export function readFileFaultLimits(): FileFaultLimits {
  return Object.freeze({
    ptraceScope: readSysctl('kernel/yama/ptrace_scope'),
    openFiles: openFileLimits(),
    openFilesCeiling: readSysctl('fs/nr_open'),
  });
}

function readSysctl(name: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/sys/${name}`, 'latin1'));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw toSyscallError(error);
  }
}
