import { SyscallError } from '../syscall-error.ts';
import { TABLE_ENTRY_BYTES } from './arch.ts';
import { decodeResults, encodeTable } from './call-table.ts';
import { type FileLimit, fileLimitOf } from './file-limit.ts';
import { PASSING_BYTES, passFds } from './pass-fds.ts';
import { remoteSyscallNumber, type RemoteSyscall } from './remote-syscalls.ts';
import { type RemoteTarget, RemoteThread } from './remote-thread.ts';
import type { OpenMemory } from './target-memory.ts';
import type { Remote, RemoteCall, RemoteOptions } from './traced-process.ts';

/** Calls in one run of the program; longer batches take several. */
const TABLE_CALLS = 512;
const TABLE_BYTES = TABLE_CALLS * TABLE_ENTRY_BYTES;
const SCRATCH_BYTES = 16 * 1024;
const BATCH_TIMEOUT_MS = 5000;
const PAGE_BYTES = 4096;

/** include/uapi/asm-generic/mman-common.h */
const PROT_READ_WRITE = 0x1 | 0x2;
const MAP_PRIVATE_ANONYMOUS = 0x2 | 0x20;

/** See `TracedProcess.withRemote`. */
export function withRemoteThread<T>(target: RemoteTarget, options: RemoteOptions, body: (remote: Remote) => T): T {
  const worker = new RemoteThread(target, options.batchTimeoutMs ?? BATCH_TIMEOUT_MS);
  try {
    worker.install();
    return withMapping(worker, target, options, body);
  } finally {
    worker.remove();
  }
}

/** One call whose arguments are in registers: for what must be done while nothing is mapped. */
function callByRegisters(worker: RemoteThread, name: RemoteSyscall, ...values: readonly number[]): number {
  const { architecture } = worker;
  const syscall = remoteSyscallNumber(name, architecture.name);
  const result = architecture.result(worker.run({ kind: 'single', syscall, values }));
  if (result < 0) throw new SyscallError(name, -result);
  return result;
}

/** Table, memory for passing descriptors, and scratch are one mapping. */
function withMapping<T>(
  worker: RemoteThread,
  target: RemoteTarget,
  options: RemoteOptions,
  body: (remote: Remote) => T,
): T {
  const scratchBytes = options.scratchBytes ?? SCRATCH_BYTES;
  const length = Math.ceil((TABLE_BYTES + PASSING_BYTES + scratchBytes) / PAGE_BYTES) * PAGE_BYTES;
  const address = callByRegisters(worker, 'mmap', 0, length, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  const { remote, limit } = remoteOf(worker, target, { address, scratchBytes });
  try {
    return body(remote);
  } finally {
    // A thread that hangs in a call of ours still reads the table.
    if (!worker.isAstray) {
      limit.restore();
      callByRegisters(worker, 'munmap', address, length);
    }
  }
}

interface Mapping {
  readonly address: number;
  readonly scratchBytes: number;
}

interface WorkingRemote {
  readonly remote: Remote;
  readonly limit: FileLimit;
}

function remoteOf(worker: RemoteThread, { process, memory }: RemoteTarget, mapping: Mapping): WorkingRemote {
  const { pid } = process;
  const table = mapping.address;
  const passageAt = table + TABLE_BYTES;
  const calls = callsByTable(worker, memory, table);
  const call = (...one: RemoteCall): number => {
    const [result = 0] = calls([one]);
    if (result < 0) throw new SyscallError(one[0], -result);
    return result;
  };
  const limit = fileLimitOf({ pid, call, memory, address: passageAt });
  const remote: Omit<Remote, 'passFds'> = {
    tid: worker.tid,
    scratch: Object.freeze({ address: passageAt + PASSING_BYTES, bytes: mapping.scratchBytes }),
    calls,
    call,
    allowDescriptors: (count) => limit.allow(count),
  };
  const passage = { pid, memory, address: passageAt };
  return {
    remote: Object.freeze({ ...remote, passFds: (fds: readonly number[]) => passFds(remote, passage, fds) }),
    limit,
  };
}

function callsByTable(worker: RemoteThread, memory: OpenMemory, table: number): Remote['calls'] {
  const runTable = (batch: readonly RemoteCall[]): number[] => {
    memory.write(table, encodeTable(batch, worker.architecture.name));
    worker.run({ kind: 'batch', table, count: batch.length });
    return decodeResults(memory.read(table, batch.length * TABLE_ENTRY_BYTES));
  };
  return (batch) => {
    const results: number[] = [];
    for (let done = 0; done < batch.length; done += TABLE_CALLS) {
      for (const result of runTable(batch.slice(done, done + TABLE_CALLS))) results.push(result);
    }
    return results;
  };
}
