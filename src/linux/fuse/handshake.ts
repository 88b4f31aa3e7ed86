import { FaultlineError } from '../../base/error.ts';
import { Errno } from '../errno.ts';
import { lastErrno } from '../libc.ts';
import { SyscallError } from '../syscall-error.ts';
import { initIn } from './layouts.ts';
import { type Agreement, MAX_WRITE, negotiate } from './negotiation.ts';
import { MAJOR_VERSION, OLDEST_MINOR_VERSION, Opcode } from './protocol.ts';
import { Reply } from './reply.ts';
import { Request } from './request.ts';
import type { SystemCalls } from './system-calls.ts';

/** Room for struct fuse_init_out. */
const INIT_BYTES = 4096;

/**
 * Reads INIT, which waits there since the mount was made, and answers it.
 *
 * @throws FaultlineError HOST_UNSUPPORTED: the kernel speaks another version
 * @throws SyscallError EPERM: nothing was mounted on this descriptor
 */
export function shakeHands(calls: SystemCalls, fuseFd: number, allow: { readonly passthrough: boolean }): Agreement {
  const request = new Request(MAX_WRITE);
  const reply = new Reply(calls, INIT_BYTES);
  while (calls.read(fuseFd, request.memory.address, request.capacity) < 0) {
    const errno = lastErrno();
    if (errno !== Errno.EINTR) throw new SyscallError('read', errno, '/dev/fuse');
  }
  const major = request.u32(initIn.major);
  const minor = request.u32(initIn.minor);
  if (request.opcode !== Opcode.INIT || major !== MAJOR_VERSION || minor < OLDEST_MINOR_VERSION) {
    reply.send(fuseFd, request, -Errno.EPROTO);
    throw new FaultlineError('HOST_UNSUPPORTED', `this kernel speaks version ${major}.${minor} of FUSE`, {
      hint: `version ${MAJOR_VERSION}.${OLDEST_MINOR_VERSION} or a newer one of the same kind is needed: Linux 4.2`,
    });
  }
  const { agreement, bytes } = negotiate(request, reply, allow);
  const failed = reply.send(fuseFd, request, bytes);
  if (failed < 0) throw new SyscallError('write', -failed, '/dev/fuse');
  return agreement;
}
