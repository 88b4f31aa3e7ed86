import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { hostState, leaksSince } from '../setup/host-state.ts';

const run = { mark: 'the-run-of-this-test', runnerPid: 1 };
const started: ChildProcess[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map(end));
});

async function startSleep(mark?: string): Promise<ChildProcess> {
  const env = { PATH: process.env['PATH'], ...(mark === undefined ? {} : { FAULTLINE_TEST_RUN: mark }) };
  const child = spawn('sleep', ['300'], { env, stdio: 'ignore' });
  started.push(child);
  await once(child, 'spawn');
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}

describe('leaksSince', () => {
  test('a process that carries the mark of the run is a leak until it is gone', async () => {
    const before = hostState();
    const child = await startSleep(run.mark);
    await expect
      .poll(() => leaksOf(child), { timeout: 60_000 })
      .toEqual([`process ${child.pid} (sleep), state S: sleep 300`]);
    await end(child);
    expect(leaksOf(child)).toEqual([]);

    function leaksOf({ pid }: ChildProcess): readonly string[] {
      return leaksSince(before, run).filter((leak) => leak.startsWith(`process ${pid} `));
    }
  });

  test('a stopped process is a leak even without a mark', async () => {
    const before = hostState();
    const child = await startSleep();
    expect(leaksSince(before, run).join('\n')).not.toContain(`process ${child.pid} `);
    child.kill('SIGSTOP');
    await expect
      .poll(() => leaksSince(before, run).join('\n'), { timeout: 60_000 })
      .toContain(`process ${child.pid} (sleep), state T: sleep 300`);
  });

  test('what was there before, and what another run has started, is none', async () => {
    const [early, late] = [await startSleep(run.mark), await startSleep('another-run')];
    const before = hostState();
    const other = await startSleep('another-run');
    const leaks = leaksSince(before, run).join('\n');
    for (const { pid } of [early, late, other]) {
      expect(leaks).not.toContain(`process ${pid} `);
    }
  });
});
