import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { beforeAll, describe, expect, test } from 'vitest';
import { listTasks } from '../../../src/linux/procfs/tasks.ts';
import { type BlockedReport, TIMEOUT_MS } from '../../support/blocked-calls.ts';
import { tempFolder } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';
import { buildProgram, mayTrace, startTracer, trace } from '../../support/tracing.ts';
import { start, type TestProcess } from '../targets/processes.ts';

/*
 * Threads that wait in every call that threads wait in, stopped again and again: none may see that anything was.
 */

let tracer = '';
let program = '';
beforeAll(async () => {
  tracer = await buildProgram('trace-program');
  program = await buildProgram('blocked-calls-program');
});

interface Target extends TestProcess {
  readonly report: () => Promise<BlockedReport>;
}

async function startTarget(names: readonly string[]): Promise<Target> {
  const target = await start('unshare', ['--ipc', process.execPath, program, names.join(',')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '', BLOCKED_FOLDER: tempFolder() },
  });
  const { stdin, stdout } = target.child;
  if (stdin === null || stdout === null) throw new Error('the target has no pipes');
  const lines: Interface = createInterface({ input: stdout });
  const next = async (): Promise<BlockedReport> => {
    const [line] = (await once(lines, 'line')) as [string];
    return JSON.parse(line) as BlockedReport;
  };
  await next();
  return {
    ...target,
    report: () => {
      stdin.write('\n');
      return next();
    },
  };
}

const EAGAIN = 11;
const ETIMEDOUT = 110;

const unlimited =
  'read(pipe), read(inotify), nanosleep, epoll_wait, epoll_wait with a time-out, epoll_pwait, futex, poll, ppoll, ' +
  'select, accept, recv, recv with a time-out, sigtimedwait, semop, semtimedop with a time-out, msgrcv, wait4, ' +
  'pause, flock, open(fifo)';

/** All of them still wait. */
const waiting = (names: readonly string[]): BlockedReport => Object.fromEntries(names.map((name) => [name, null]));

describe.skipIf(!mayTrace)('calls that wait', () => {
  test('go on waiting, however often their threads are stopped, and made to make calls', async () => {
    const names = unlimited.split(', ');
    const target = await startTarget(names);
    const stopped = await trace(tracer, { pids: [target.pid], work: 'stop', rounds: 50, gapMs: 5 });
    expect(stopped).toMatchObject({ problems: [], unreleased: [], outcomes: [{ kind: 'stopped' }] });
    // Else nothing was tested of what this is about.
    expect(stopped.repeatedCalls).toBeGreaterThan(50);
    expect(await target.report()).toEqual(waiting(names));
    const called = await trace(tracer, { pids: [target.pid], work: 'calls', rounds: 20 });
    expect(called).toMatchObject({ problems: [], unreleased: [], outcomes: [{ kind: 'stopped' }] });
    expect(await target.report()).toEqual(waiting(names));
  });

  test('go on waiting also in the thread that is made to make calls', async () => {
    const names = ['nanosleep', 'epoll_wait', 'poll', 'sigtimedwait', 'ppoll'];
    const target = await startTarget(names);
    const { threads = 0 } = (await trace(tracer, { pids: [target.pid], work: 'stop' })).outcomes[0] ?? {};
    expect(threads).toBeGreaterThan(names.length);
    for (const tid of listTasks(target.pid) ?? []) {
      const { problems, outcomes } = await trace(tracer, { pids: [target.pid], work: 'calls', rounds: 3, tid });
      expect({ problems, outcomes }).toMatchObject({ problems: [], outcomes: [{ kind: 'stopped' }] });
    }
    expect(await target.report()).toEqual(waiting(names));
  });

  test('end when their time is over, though they are stopped all the time', { timeout: 300_000 }, async () => {
    const kept = ['short nanosleep', 'short poll', 'short ppoll', 'short select', 'short futex'];
    const anew = ['short epoll_wait', 'short recv', 'short sigtimedwait', 'short semtimedop'];
    const target = await startTarget([...kept, ...anew]);
    // Stopped more often than their time is long: one that began anew each time would never end.
    const tracing = startTracer(tracer, { pids: [target.pid], work: 'calls', rounds: 1_000_000, gapMs: 20 });
    let report: BlockedReport = {};
    await eventually('they end', async () => {
      report = await target.report();
      return kept.every((name) => report[name] !== null);
    });
    expect(tracing.exitCode, 'the tracer still traces').toBeNull();
    tracing.kill('SIGKILL');
    await eventually('the others end, too', async () => {
      report = await target.report();
      return anew.every((name) => report[name] !== null);
    });
    for (const name of ['short nanosleep', 'short poll', 'short ppoll', 'short select', 'short epoll_wait']) {
      expect(report[name], name).toMatchObject({ result: 0 });
    }
    expect(report['short futex']).toMatchObject({ result: -1, errno: ETIMEDOUT });
    for (const name of ['short recv', 'short sigtimedwait', 'short semtimedop']) {
      expect(report[name], name).toMatchObject({ result: -1, errno: EAGAIN });
    }
    for (const [name, returned] of Object.entries(report)) {
      expect(returned?.elapsedMs, `${name} ended early`).toBeGreaterThan(TIMEOUT_MS - 50);
    }
  });
});
