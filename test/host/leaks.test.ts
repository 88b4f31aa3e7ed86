import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { hostState, leaksSince } from '../setup/host-state.ts';
import { cli, tempFolder, tempStateDir } from '../support/cli.ts';
import { endKeepersBelow, keepersBelow } from '../support/keepers.ts';
import { sleeper, stateOf, stopped } from './targets/processes.ts';

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

describe('endKeepersBelow', () => {
  async function stopFor1h(pid: number, stateDir: string): Promise<void> {
    const ran = await cli(['attack', 'process', 'stop', '-p', String(pid), '--duration', '1h'], { stateDir });
    expect(ran.code, ran.stderr).toBe(0);
  }

  test('what a test that broke off has left under a lease is undone, and its keeper is gone; no other is', async () => {
    const [ours, others] = [tempFolder(), tempStateDir()];
    const [one, other] = [await sleeper('fl-broke-off'), await sleeper('fl-goes-on')];
    await stopFor1h(one.pid, `${ours}/state`);
    await stopFor1h(other.pid, others);
    await endKeepersBelow([ours]);
    expect([keepersBelow([ours]).length, keepersBelow([others]).length]).toEqual([0, 1]);
    expect([stateOf(one.pid), stateOf(other.pid)]).toEqual(['S', 'T']);
    await endKeepersBelow([others]);
    expect(keepersBelow([others])).toEqual([]);
  });

  test('one that does not listen is killed', async () => {
    const folder = tempFolder();
    const { pid } = await sleeper('fl-unheard');
    await stopFor1h(pid, `${folder}/state`);
    for (const keeper of keepersBelow([folder])) await stopped({ pid: keeper });
    await endKeepersBelow([folder], 100);
    await expect.poll(() => keepersBelow([folder]), { timeout: 60_000 }).toEqual([]);
  });
});
