import { SyscallError } from '../syscall-error.ts';
import { TABLE_ENTRY_BYTES } from './arch.ts';
import { decodeResults, encodeTable } from './call-table.ts';
import { type FileLimit, fileLimitOf } from './file-limit.ts';
import { PASSING_BYTES, passFds } from './pass-fds.ts';
import { remoteSyscallNumber, type RemoteSyscall } from './remote-syscalls.ts';
import { RemoteThread } from './remote-thread.ts';
import type { StoppingProcess, TracedThread } from './stopping-process.ts';
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

/** What is known of the process whose thread is to make calls. */
export interface RemoteTarget {
  readonly process: StoppingProcess;
  readonly thread: TracedThread;
  readonly memory: OpenMemory;
}

/** See `TracedProcess.withRemote`. */
export function withRemoteThread<T>(target: RemoteTarget, options: RemoteOptions, body: (remote: Remote) => T): T {
  const worker = new RemoteThread(target.process, target.thread, options.batchTimeoutMs ?? BATCH_TIMEOUT_MS);
  try {
    worker.install(target.memory);
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
  const limit = fileLimitOf(target.process.pid);
  try {
    return body(remoteOf(worker, target, { address, scratchBytes, limit }));
  } finally {
    limit.restore();
    // A thread that hangs in a call of ours still reads the table.
    if (!worker.isAstray) callByRegisters(worker, 'munmap', address, length);
  }
}

interface Mapping {
  readonly address: number;
  readonly scratchBytes: number;
  readonly limit: FileLimit;
}

function remoteOf(worker: RemoteThread, { process, memory }: RemoteTarget, mapping: Mapping): Remote {
  const { address: table, scratchBytes, limit } = mapping;
  const runTable = (batch: readonly RemoteCall[]): number[] => {
    memory.write(table, encodeTable(batch, worker.architecture.name));
    worker.run({ kind: 'batch', table, count: batch.length });
    return decodeResults(memory.read(table, batch.length * TABLE_ENTRY_BYTES));
  };
  const calls = (batch: readonly RemoteCall[]): number[] => {
    const results: number[] = [];
    for (let done = 0; done < batch.length; done += TABLE_CALLS) {
      for (const result of runTable(batch.slice(done, done + TABLE_CALLS))) results.push(result);
    }
    return results;
  };
  const remote: Omit<Remote, 'passFds'> = {
    tid: worker.tid,
    scratch: Object.freeze({ address: table + TABLE_BYTES + PASSING_BYTES, bytes: scratchBytes }),
    calls,
    call(...call) {
      const [result = 0] = calls([call]);
      if (result < 0) throw new SyscallError(call[0], -result);
      return result;
    },
    allowDescriptors: (count) => limit.allow(count),
  };
  const passage = { pid: process.pid, memory, address: table + TABLE_BYTES };
  return Object.freeze({ ...remote, passFds: (fds: readonly number[]) => passFds(remote, passage, fds) });
}
