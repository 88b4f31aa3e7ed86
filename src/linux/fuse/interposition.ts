import type { Interposer, Operation, Ruling } from './interposer.ts';
import { fallocateIn, linkIn, mkdirIn, mknodIn, createIn, readIn, rename2In, renameIn, writeIn } from './layouts.ts';
import type { FuseMethod } from './methods.ts';
import type { Paths } from './paths.ts';
import { Opcode, OPCODES } from './protocol.ts';
import type { Request } from './request.ts';

/** Where the names of a request stand, in bytes behind its header; of `rename` the second follows the first. */
interface Form {
  readonly method: FuseMethod;
  /** A name in the folder that the request is about. Without it the request is about the node itself. */
  readonly nameAt?: number;
  /** `rename`: the folder of the second name, as a field. */
  readonly secondFolder?: number;
  /** `link`: the file that gets the name, as a field. */
  readonly linked?: number;
  /** Fields of eight bytes, and of four where it says so. */
  readonly offset?: number;
  readonly size?: number;
}

const transfer = { offset: readIn.offset, size: readIn.size };

/**
 * What the methods are asked about. Of all requests that a process causes these are the ones that no rule can be about:
 * lseek(2) for holes, ioctl(2), copy_file_range(2), which arrives as reads and writes where there is a rule.
 */
const forms: readonly (readonly [opcode: number, form: Form])[] = [
  [Opcode.LOOKUP, { method: 'lookup', nameAt: 0 }],
  [Opcode.GETATTR, { method: 'getattr' }],
  [Opcode.STATX, { method: 'getattr' }],
  [Opcode.SETATTR, { method: 'setattr' }],
  [Opcode.READLINK, { method: 'readlink' }],
  [Opcode.SYMLINK, { method: 'symlink', nameAt: 0 }],
  [Opcode.MKNOD, { method: 'mknod', nameAt: mknodIn.bytes }],
  [Opcode.MKDIR, { method: 'mkdir', nameAt: mkdirIn.bytes }],
  [Opcode.UNLINK, { method: 'unlink', nameAt: 0 }],
  [Opcode.RMDIR, { method: 'rmdir', nameAt: 0 }],
  [Opcode.RENAME, { method: 'rename', nameAt: renameIn.bytes, secondFolder: renameIn.newdir }],
  [Opcode.RENAME2, { method: 'rename', nameAt: rename2In.bytes, secondFolder: rename2In.newdir }],
  [Opcode.LINK, { method: 'link', nameAt: linkIn.bytes, linked: linkIn.oldnodeid }],
  [Opcode.OPEN, { method: 'open' }],
  [Opcode.CREATE, { method: 'create', nameAt: createIn.bytes }],
  [Opcode.TMPFILE, { method: 'create' }],
  [Opcode.READ, { method: 'read', ...transfer }],
  [Opcode.WRITE, { method: 'write', offset: writeIn.offset, size: writeIn.size }],
  [Opcode.FALLOCATE, { method: 'write', offset: fallocateIn.offset, size: fallocateIn.length }],
  [Opcode.FLUSH, { method: 'flush' }],
  [Opcode.RELEASE, { method: 'release' }],
  [Opcode.FSYNC, { method: 'fsync' }],
  [Opcode.OPENDIR, { method: 'opendir' }],
  [Opcode.READDIR, { method: 'readdir' }],
  [Opcode.READDIRPLUS, { method: 'readdir' }],
  [Opcode.RELEASEDIR, { method: 'releasedir' }],
  [Opcode.FSYNCDIR, { method: 'fsyncdir' }],
  [Opcode.STATFS, { method: 'statfs' }],
  [Opcode.SETXATTR, { method: 'setxattr' }],
  [Opcode.GETXATTR, { method: 'getxattr' }],
  [Opcode.LISTXATTR, { method: 'listxattr' }],
  [Opcode.REMOVEXATTR, { method: 'removexattr' }],
  [Opcode.GETLK, { method: 'getlk' }],
  [Opcode.SETLK, { method: 'setlk' }],
  [Opcode.SETLKW, { method: 'setlk' }],
];

const formOf: readonly (Form | undefined)[] = ((): (Form | undefined)[] => {
  const table = Array.from({ length: OPCODES }, (): Form | undefined => undefined);
  for (const [opcode, form] of forms) table[opcode] = form;
  return table;
})();

/** The operation that is asked about. There is one a thread, and its paths are made when somebody wants them. */
class CurrentOperation implements Operation {
  method: FuseMethod = 'lookup';
  pid = 0;
  uid = 0;
  gid = 0;
  offset = 0;
  size = 0;
  firstPath: string | undefined;
  secondPath: string | undefined;
  node = 0;
  private readonly paths: Paths;

  constructor(paths: Paths) {
    this.paths = paths;
  }

  begin(method: FuseMethod, request: Request, node: number): void {
    this.method = method;
    this.pid = request.pid;
    this.uid = request.uid;
    this.gid = request.gid;
    this.offset = 0;
    this.size = 0;
    this.node = node;
    this.firstPath = undefined;
    this.secondPath = undefined;
  }

  path(): string {
    this.firstPath ??= this.paths.pathOf(this.node);
    return this.firstPath;
  }

  otherPath(): string | undefined {
    return this.secondPath;
  }
}

/** Asks the interposer about each request that it is interested in. */
export class Interposition {
  private readonly interposer: Interposer;
  private readonly paths: Paths;
  private readonly operation: CurrentOperation;
  /** What the interposer has said of the name in the request that was asked about last. */
  nameInterest = 0;

  constructor(interposer: Interposer, paths: Paths) {
    this.interposer = interposer;
    this.paths = paths;
    this.operation = new CurrentOperation(paths);
  }

  /** What is to be different about a request; undefined: nothing. Leaves nothing of the scratch memory as it was. */
  consult(request: Request): Ruling | undefined {
    const form = formOf[request.opcode];
    if (form === undefined) return undefined;
    const { operation } = this;
    operation.begin(form.method, request, request.node);
    const interest = form.nameAt === undefined ? this.paths.interestOf(request.node) : this.byName(request, form);
    if (interest === 0) return undefined;
    if (form.offset !== undefined) operation.offset = request.u64(form.offset);
    if (form.size !== undefined) {
      operation.size = request.opcode === Opcode.FALLOCATE ? request.u64(form.size) : request.u32(form.size);
    }
    return this.interposer.rule(interest, operation);
  }

  /** Tells of a file that the kernel forgets. Nobody waits for that, so that nothing can be different about it. */
  consultForget(request: Request, node: number): void {
    const interest = this.paths.interestOf(node);
    if (interest === 0) return;
    this.operation.begin('forget', request, node);
    this.interposer.rule(interest, this.operation);
  }

  private byName(request: Request, form: Form): number {
    const { operation, paths } = this;
    const nameAt = form.nameAt ?? 0;
    const path = paths.pathWith(request.node, request.nameText(nameAt));
    this.nameInterest = paths.interestIn(path);
    if (form.linked !== undefined) {
      operation.node = request.u64(form.linked);
      operation.secondPath = path;
      return this.nameInterest | paths.interestOf(operation.node);
    }
    operation.firstPath = path;
    if (form.secondFolder === undefined) return this.nameInterest;
    const second = nameAt + request.nameLength(nameAt) + 1;
    operation.secondPath = paths.pathWith(request.u64(form.secondFolder), request.nameText(second));
    return this.nameInterest | paths.interestIn(operation.secondPath);
  }
}
