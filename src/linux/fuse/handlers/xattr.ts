import { lastErrno } from '../../libc.ts';
import type { DataPlane, Handler } from '../data-plane.ts';
import { getxattrIn, getxattrOut, SETXATTR_IN_COMPAT_BYTES, setxattrIn } from '../layouts.ts';
import { Opcode, RequestFlag } from '../protocol.ts';
import type { Request } from '../request.ts';
import { outcome } from './nodes.ts';

/** Attributes that only those with CAP_SYS_ADMIN are told of: xattr(7). */
const TRUSTED = Buffer.from('trusted.');
const S_ISGID = 0o2000;

const setxattr: Handler = (plane, request) => {
  const { descriptors, calls, scratch, agreement } = plane;
  const node = descriptors.hold(request.node);
  if (node < 0) return node;
  const header = agreement.longSetxattr ? setxattrIn.bytes : SETXATTR_IN_COMPAT_BYTES;
  const name = request.addressAfter(header);
  const value = request.addressAfter(header + request.nameLength(header) + 1);
  const size = request.u32(setxattrIn.size);
  const flags = request.u32(setxattrIn.flags);
  const failed = outcome(calls.setxattr(scratch.procPath(node), name, value, size, flags));
  const extra = agreement.longSetxattr ? request.u32(setxattrIn.setxattr_flags) : 0;
  if (failed === 0 && (extra & RequestFlag.FUSE_SETXATTR_ACL_KILL_SGID) !== 0) clearSgid(plane, node);
  return failed;
};

function clearSgid({ descriptors, scratch, calls }: DataPlane, node: number): void {
  if (descriptors.stat(node) < 0 || (scratch.mode() & S_ISGID) === 0) return;
  calls.fchmodat(-1, scratch.procPath(node), scratch.mode() & 0o7777 & ~S_ISGID, 0);
}

/** Answers with a value, or with its length when that is all that is asked for. */
function replyValue({ reply }: DataPlane, wanted: number, length: number): number {
  if (length < 0) return -lastErrno();
  if (wanted !== 0) return length;
  reply.put(getxattrOut.size, length);
  reply.put(getxattrOut.padding, 0);
  return getxattrOut.bytes;
}

const getxattr: Handler = (plane, request) => {
  const { descriptors, calls, scratch, reply } = plane;
  const node = descriptors.hold(request.node);
  if (node < 0) return node;
  const wanted = request.u32(getxattrIn.size);
  const name = request.addressAfter(getxattrIn.bytes);
  const length = calls.getxattr(scratch.procPath(node), name, wanted === 0 ? 0 : reply.address, wanted);
  return replyValue(plane, wanted, length);
};

const listxattr: Handler = (plane, request) => {
  const { descriptors, calls, scratch, reply } = plane;
  const node = descriptors.hold(request.node);
  if (node < 0) return node;
  const wanted = request.u32(getxattrIn.size);
  const length = calls.listxattr(scratch.procPath(node), wanted === 0 ? 0 : reply.address, wanted);
  return replyValue(plane, wanted, wanted === 0 || length < 0 ? length : withoutTrusted(plane, request, length));
};

/** Takes the names out that the caller would not be told by the file system below, which is told that we ask. */
function withoutTrusted({ reply }: DataPlane, request: Request, length: number): number {
  const names = Buffer.from(reply.payload(length).buffer, reply.payload(length).byteOffset, length);
  if (request.uid === 0 || !names.includes(TRUSTED)) return length;
  let kept = 0;
  for (let at = 0; at < length; ) {
    const end = names.indexOf(0, at) + 1;
    if (names.compare(TRUSTED, 0, TRUSTED.length, at, Math.min(at + TRUSTED.length, end)) !== 0) {
      names.copyWithin(kept, at, end);
      kept += end - at;
    }
    at = end;
  }
  return kept;
}

const removexattr: Handler = ({ descriptors, calls, scratch }, request) => {
  const node = descriptors.hold(request.node);
  if (node < 0) return node;
  return outcome(calls.removexattr(scratch.procPath(node), request.addressAfter(0)));
};

export const xattrHandlers: readonly (readonly [number, Handler])[] = [
  [Opcode.SETXATTR, setxattr],
  [Opcode.GETXATTR, getxattr],
  [Opcode.LISTXATTR, listxattr],
  [Opcode.REMOVEXATTR, removexattr],
];
