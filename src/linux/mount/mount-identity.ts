import { FaultlineError } from '../../base/error.ts';
import { bindSyscall } from '../libc.ts';

/*
 * Which mount a descriptor is of: statx(2), include/uapi/linux/stat.h. Nothing is asked of the file system, so that a
 * FUSE mount that nobody serves does not hold us up.
 */

const statx = bindSyscall('statx', ['int', 'string', 'int', 'uint', 'pointer']);

const AT_EMPTY_PATH = 0x1000;
const AT_STATX_DONT_SYNC = 0x4000;
/** Linux 5.8. */
const STATX_MNT_ID = 0x1000;
/** Linux 6.8. */
const STATX_MNT_ID_UNIQUE = 0x4000;
const STATX_ATTR_MOUNT_ROOT = 0x2000;

/** struct statx, and where it keeps what is asked for. */
const STATX_SIZE = 256;
const STX_MASK = 0;
const STX_ATTRIBUTES = 8;
const STX_DEV_MAJOR = 136;
const STX_DEV_MINOR = 140;
const STX_MNT_ID = 144;

/** A mount, and which file system it shows. */
export interface MountIdentity {
  /** As /proc/PID/mountinfo numbers it. The kernel gives the number out again once the mount is gone. */
  readonly mountId: number;
  /** A number that no other mount has until the next boot; undefined before Linux 6.8. */
  readonly uniqueMountId: number | undefined;
  /** `major:minor`, as in mountinfo except for btrfs, whose subvolumes have numbers of their own. */
  readonly device: string;
  /** The descriptor is of the root of the mount. */
  readonly isMountRoot: boolean;
}

/**
 * The mount that an open place lies on.
 *
 * @throws FaultlineError HOST_UNSUPPORTED: the kernel does not tell, so it is older than 5.8
 * @throws SyscallError EBADF
 */
export function mountOf(fd: number): MountIdentity {
  const legacy = look(fd, STATX_MNT_ID);
  if ((legacy.readUInt32LE(STX_MASK) & STATX_MNT_ID) === 0) {
    throw new FaultlineError('HOST_UNSUPPORTED', 'this kernel does not tell mounts apart', {
      hint: 'faults in files need Linux 5.8 or newer',
    });
  }
  const unique = look(fd, STATX_MNT_ID_UNIQUE);
  const hasUnique = (unique.readUInt32LE(STX_MASK) & STATX_MNT_ID_UNIQUE) !== 0;
  return Object.freeze({
    mountId: Number(legacy.readBigUInt64LE(STX_MNT_ID)),
    uniqueMountId: hasUnique ? Number(unique.readBigUInt64LE(STX_MNT_ID)) : undefined,
    device: `${legacy.readUInt32LE(STX_DEV_MAJOR)}:${legacy.readUInt32LE(STX_DEV_MINOR)}`,
    isMountRoot: (legacy.readBigUInt64LE(STX_ATTRIBUTES) & BigInt(STATX_ATTR_MOUNT_ROOT)) !== 0n,
  });
}

/** Is it the same mount? By the number that is never given out again, where both sides know it. */
export function isSameMount(
  one: Pick<MountIdentity, 'mountId' | 'uniqueMountId'>,
  other: Pick<MountIdentity, 'mountId' | 'uniqueMountId'>,
): boolean {
  if (one.uniqueMountId !== undefined && other.uniqueMountId !== undefined) {
    return one.uniqueMountId === other.uniqueMountId;
  }
  return one.mountId === other.mountId;
}

function look(fd: number, mask: number): Buffer {
  const result = Buffer.alloc(STATX_SIZE);
  statx(fd, '', AT_EMPTY_PATH | AT_STATX_DONT_SYNC, mask, result);
  return result;
}
