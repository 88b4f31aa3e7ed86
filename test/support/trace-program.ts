/**
 * A process that traces: stops processes, has them make calls, and says as JSON what it saw. A test must not do that
 * itself, since it is the parent of its targets and libuv would take their stops for its own business.
 *
 * Its one argument is a `TraceJob` as JSON.
 */
import { openSync, readdirSync, readlinkSync, writeSync } from 'node:fs';
import { isEndedState } from '../../src/linux/procfs/stat.ts';
import { readTaskStat } from '../../src/linux/procfs/tasks.ts';
import { pokeAll } from '../../src/linux/ptrace/code-cave.ts';
import { traceProcesses } from '../../src/linux/ptrace/trace.ts';
import type { Remote, TracedProcess, Tracing } from '../../src/linux/ptrace/traced-process.ts';
import { isFaultlineError } from '../../src/base/error.ts';

export interface TraceJob {
  readonly pids: readonly number[];
  readonly rounds?: number;
  readonly gapMs?: number;
  readonly deadlineMs?: number;
  /**
   * What is done while they stand still. `hold`: nothing, for long. `block`: a call that waits for a byte from `file`,
   * a FIFO.
   */
  readonly work: 'stop' | 'calls' | 'fds' | 'hold' | 'block';
  /** For the thread that makes the calls; by default it is not said. */
  readonly tid?: number;
  /** How many descriptors of `file` are given to the target. */
  readonly fds?: number;
  readonly file?: string;
  readonly batchTimeoutMs?: number;
}

export interface TraceOutcome {
  readonly pid: number;
  readonly kind: 'stopped' | 'gone' | 'refused';
  readonly code?: string;
  readonly message?: string;
  readonly details?: unknown;
  readonly threads?: number;
  readonly jobStopped?: boolean;
}

export interface TraceReport {
  /** Of the last round. */
  readonly outcomes: readonly TraceOutcome[];
  readonly repeatedCalls: number;
  readonly unreleased: readonly number[];
  /** What was not as it should be, in any round. */
  readonly problems: readonly string[];
}

const job = JSON.parse(process.argv[2] ?? '{}') as TraceJob;
const problems: string[] = [];
const clock = new Int32Array(new SharedArrayBuffer(4));
let repeatedCalls = 0;

function check(holds: boolean, what: string): void {
  if (!holds) problems.push(what);
}

/** Does every thread that /proc shows stand still, and are they those that we are told? */
function checkThreads({ pid, threads, kernelWorkers }: TracedProcess): void {
  const tids = readdirSync(`/proc/${pid}/task`).map(Number);
  for (const tid of tids.filter((one) => !kernelWorkers.includes(one))) {
    const state = readTaskStat(pid, tid)?.state;
    if (state === undefined || isEndedState(state)) continue;
    check(
      threads.includes(tid) && state === 't',
      `thread ${tid} of ${pid}: ${state}, ${String(threads.includes(tid))}`,
    );
  }
}

function checkCalls({ pid, memory }: TracedProcess, remote: Remote): void {
  const { address, bytes } = remote.scratch;
  check(
    memory.read(address, bytes).every((byte) => byte === 0),
    'scratch memory is not empty',
  );
  memory.write(address + 100, Buffer.from('written'));
  check(memory.read(address + 100, 7).toString() === 'written', 'what was written is not read');
  pokeAll(remote.tid, address + 200, Buffer.from('sixteen letters!'));
  check(memory.read(address + 200, 16).toString() === 'sixteen letters!', 'what was poked is not read');
  const [process, thread, closed] = remote.calls([['getpid'], ['gettid'], ['close', 999_999]]);
  check((process ?? 0) > 0 && (thread ?? 0) > 0, `getpid ${process}, gettid ${thread} of ${pid}`);
  check(closed === -9, `close of nothing: ${closed}`);
  // More than the table holds at once.
  const many = remote.calls(Array.from({ length: 1100 }, () => ['gettid']));
  check(many.length === 1100 && many.every((one) => one === thread), 'a long batch');
}

function checkFds({ pid }: TracedProcess, remote: Remote): void {
  const { fds = 3, file = '/dev/null' } = job;
  const folder = `/proc/${pid}/task/${remote.tid}/fd`;
  const ours = Array.from({ length: fds }, () => openSync(file, 'r'));
  const before = readdirSync(folder).length;
  const theirs = remote.passFds(ours);
  check(new Set(theirs).size === fds, `${theirs.length} of ${fds} descriptors`);
  for (const fd of theirs) check(readlinkSync(`${folder}/${fd}`) === file, `descriptor ${fd} is another file`);
  check(readdirSync(folder).length === before + fds, 'sockets were left open');
  const closed = remote.calls(theirs.map((fd) => ['close', fd]));
  check(
    closed.every((result) => result === 0),
    'closing',
  );
}

function say(word: string): void {
  writeSync(1, `${word}\n`);
}

function work(target: TracedProcess): void {
  if (job.work === 'stop') return;
  if (job.work === 'hold') {
    say('holding');
    Atomics.wait(clock, 0, 0);
  }
  const options = {
    ...(job.tid === undefined ? {} : { tid: job.tid }),
    ...(job.batchTimeoutMs === undefined ? {} : { batchTimeoutMs: job.batchTimeoutMs }),
  };
  target.withRemote(options, (remote) => {
    if (job.work === 'calls') checkCalls(target, remote);
    if (job.work === 'fds') checkFds(target, remote);
    if (job.work === 'block') {
      const [fd = -1] = remote.passFds([openSync(job.file ?? '', 'r+')]);
      say('blocking');
      remote.call('read', fd, remote.scratch.address, 1);
    }
  });
}

function round(tracing: Tracing): readonly TraceOutcome[] {
  const outcomes = tracing.stop(job.pids);
  for (const target of tracing.stopped) {
    checkThreads(target);
    work(target);
    repeatedCalls += target.repeatedCalls;
  }
  return outcomes.map((outcome) => {
    const { pid, kind } = outcome;
    if (outcome.kind === 'stopped') {
      return { pid, kind, threads: outcome.process.threads.length, jobStopped: outcome.process.jobStopped };
    }
    if (outcome.kind === 'gone') return { pid, kind };
    return { pid, kind, code: outcome.error.code, message: outcome.error.message, details: outcome.error.details };
  });
}

let outcomes: readonly TraceOutcome[] = [];
const unreleased = new Set<number>();
for (let done = 0; done < (job.rounds ?? 1); done += 1) {
  try {
    traceProcesses({ deadlineMs: job.deadlineMs ?? 20_000 }, (tracing) => {
      outcomes = round(tracing);
      for (const tid of tracing.unreleased) unreleased.add(tid);
    });
  } catch (error) {
    if (!isFaultlineError(error)) throw error;
    const [pid = 0] = job.pids;
    outcomes = [{ pid, kind: 'refused', code: error.code, message: error.message, details: error.details }];
  }
  if (job.gapMs !== undefined) Atomics.wait(clock, 0, 0, job.gapMs);
}
const report: TraceReport = {
  outcomes,
  repeatedCalls,
  unreleased: [...unreleased],
  problems: [...new Set(problems)].slice(0, 10),
};
say(JSON.stringify(report));
