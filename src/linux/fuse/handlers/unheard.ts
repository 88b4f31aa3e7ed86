import type { DataPlane } from '../data-plane.ts';
import { dirent, ENTRY_OUT_BYTES, entryOut, openOut } from '../layouts.ts';
import { Opcode } from '../protocol.ts';
import type { Request } from '../request.ts';
import { closeFile } from './files.ts';

/**
 * Takes back what an answer has given that nobody has heard, because the connection has ended: the kernel will neither
 * release nor forget what it was not told of.
 *
 * @param result bytes behind the header of the answer, which is still there
 */
export function undoUnheard(plane: DataPlane, request: Request, result: number): void {
  if (result <= 0) return;
  const { reply, calls } = plane;
  switch (request.opcode) {
    case Opcode.OPEN:
      closeFile(plane, request.node, reply.u32(openOut.fh));
      break;
    case Opcode.OPENDIR:
      calls.close(reply.u32(openOut.fh));
      break;
    case Opcode.CREATE:
    case Opcode.TMPFILE:
      closeFile(plane, reply.u32(entryOut.nodeid), reply.u32(ENTRY_OUT_BYTES / 4 + openOut.fh));
      forgetEntry(plane, 0);
      break;
    case Opcode.LOOKUP:
    case Opcode.MKNOD:
    case Opcode.MKDIR:
    case Opcode.SYMLINK:
    case Opcode.LINK:
      forgetEntry(plane, 0);
      break;
    case Opcode.READDIRPLUS:
      for (let at = 0; at < result; at += listedBytes(plane, at)) forgetEntry(plane, at / 4);
      break;
    default:
  }
}

function forgetEntry({ reply, table, calls }: DataPlane, at: number): void {
  const node = reply.u32(at + entryOut.nodeid);
  const descriptor = node === 0 ? -1 : table.forget(node, 1);
  if (descriptor >= 0) calls.close(descriptor);
}

function listedBytes({ reply }: DataPlane, at: number): number {
  const header = ENTRY_OUT_BYTES + dirent.bytes;
  return (header + reply.u32((at + ENTRY_OUT_BYTES) / 4 + dirent.namelen) + 7) & ~7;
}
