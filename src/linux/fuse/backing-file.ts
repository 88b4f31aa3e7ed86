import { lastErrno } from '../libc.ts';
import type { Backing } from './interposer.ts';
import type { SystemCalls } from './system-calls.ts';

/** What lies below one open file after the other, so that none has to be made for an operation. */
export class BackingFile implements Backing {
  private readonly calls: SystemCalls;
  private file = -1;

  constructor(calls: SystemCalls) {
    this.calls = calls;
  }

  of(file: number): this {
    this.file = file;
    return this;
  }

  read(bytes: Uint8Array, offset: number): number {
    return result(this.calls.preadInto(this.file, bytes, bytes.length, offset));
  }

  write(bytes: Uint8Array, offset: number): number {
    return result(this.calls.pwriteFrom(this.file, bytes, bytes.length, offset));
  }

  sync(dataOnly: boolean): number {
    return result(dataOnly ? this.calls.fdatasync(this.file) : this.calls.fsync(this.file));
  }
}

function result(returned: number): number {
  return returned < 0 ? -lastErrno() : returned;
}
