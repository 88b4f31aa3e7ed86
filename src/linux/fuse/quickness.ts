import { FileSystemFlag, type FileSystems } from './file-systems.ts';
import { Opcode } from './protocol.ts';
import type { Request } from './request.ts';
import type { SharedState } from './shared-state.ts';

/** Never wait for anything. */
const always: ReadonlySet<number> = new Set([Opcode.FORGET, Opcode.BATCH_FORGET, Opcode.DESTROY]);

/** On a local disk as a rule answered from memory. */
const mostly: ReadonlySet<number> = new Set([
  ...always,
  Opcode.LOOKUP,
  Opcode.GETATTR,
  Opcode.STATX,
  Opcode.READLINK,
  Opcode.GETXATTR,
  Opcode.LISTXATTR,
  Opcode.OPEN,
  Opcode.OPENDIR,
  Opcode.READDIR,
  Opcode.READDIRPLUS,
  Opcode.RELEASE,
  Opcode.RELEASEDIR,
  Opcode.FLUSH,
  Opcode.STATFS,
  Opcode.GETLK,
  Opcode.SETLK,
  Opcode.SETLKW,
]);

/** Whether a request will probably be served within microseconds, so that the next one may wait for it. */
export function isQuick(request: Request, shared: SharedState, fileSystems: FileSystems): boolean {
  const fileSystem = shared.nodes.fileSystem[request.node] ?? 0;
  if (fileSystems.has(fileSystem, FileSystemFlag.IN_MEMORY)) return true;
  return (fileSystems.has(fileSystem, FileSystemFlag.FLUSHES) ? always : mostly).has(request.opcode);
}
