import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { errnoNumber } from '../errno.ts';
import { SyscallError, toSyscallError } from '../syscall-error.ts';
import type { TargetMemory } from './traced-process.ts';

/** The memory of a traced process through /proc/PID/task/TID/mem: proc_pid_mem(5). */
export interface OpenMemory extends TargetMemory {
  close(): void;
}

/**
 * Opens the memory of the process of a stopped thread, at the first use.
 *
 * By the thread and not by the process: a main thread that has ended has no memory any more, though the others have.
 */
export function openMemory(pid: number, tid: number): OpenMemory {
  const file = `/proc/${pid}/task/${tid}/mem`;
  let fd: number | undefined;
  const open = (): number => {
    fd ??= attempt(() => openSync(file, 'r+'));
    return fd;
  };
  const transfer = (transferred: number, length: number): void => {
    // The kernel transfers what it can; what is missing is not mapped.
    if (transferred !== length) throw new SyscallError('pread', errnoNumber('EIO') ?? 0, file);
  };
  const readInto = (address: number, into: Uint8Array): void => {
    transfer(
      attempt(() => readSync(open(), into, 0, into.byteLength, address)),
      into.byteLength,
    );
  };
  return {
    read(address, length) {
      const bytes = Buffer.alloc(length);
      readInto(address, bytes);
      return bytes;
    },
    readInto,
    write(address, bytes) {
      transfer(
        attempt(() => writeSync(open(), bytes, 0, bytes.byteLength, address)),
        bytes.byteLength,
      );
    },
    close() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toSyscallError(error);
  }
}
