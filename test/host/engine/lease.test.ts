import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { bootTimeMs } from '../../../src/linux/clock.ts';
import { readProcessTable } from '../../../src/targets/process-table.ts';
import { readCmdline } from '../../../src/linux/procfs/cmdline.ts';
import { cli, show, tempFolder, tempStateDir, uidIn } from '../../support/cli.ts';
import { readJournal } from '../../support/journal.ts';
import { faketime, fakeClock } from '../../support/faketime.ts';
import { sleeper, until, stateOf } from '../targets/processes.ts';

function keepersOf(stateDir: string): readonly number[] {
  return readProcessTable()
    .pids()
    .filter((pid) => readCmdline(pid)?.includes('keeper') === true && readCmdline(pid)?.includes(stateDir) === true);
}

async function stopFor(duration: string, pid: number, stateDir: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const ran = await cli(['attack', 'process', 'stop', '-p', String(pid), '--duration', duration], { stateDir, env });
  expect(ran.code, ran.stderr).toBe(0);
  expect(stateOf(pid)).toBe('T');
  return uidIn(ran.stdout);
}

describe('a lease', () => {
  test('ends by itself, and the keeper leaves when none is left', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-lease');
    const started = performance.now();
    const uid = await stopFor('8s', pid, stateDir);
    await until('it runs again', () => stateOf(pid) === 'S');
    expect(performance.now() - started).toBeGreaterThan(7_900);
    await until('the keeper is gone', () => keepersOf(stateDir).length === 0);
    expect((await show(uid, { stateDir })).state).toBe('recovered');
  });

  test('recovered early, it does not fire later', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-early');
    const uid = await stopFor('5s', pid, stateDir);
    await cli(['recover', uid], { stateDir });
    expect(stateOf(pid)).toBe('S');
    process.kill(pid, 'SIGSTOP');
    await delay(6_000);
    expect(stateOf(pid)).toBe('T');
  });

  test('keeper killed: the next command starts another, which ends the lease on time', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-killed-keeper');
    await stopFor('20s', pid, stateDir);
    process.kill(await until('there is a keeper', () => keepersOf(stateDir)[0]), 'SIGKILL');
    await until('the keeper is dead', () => keepersOf(stateDir).length === 0);
    expect((await cli(['search'], { stateDir })).code).toBe(0);
    expect(keepersOf(stateDir).length).toBe(1);
    expect(stateOf(pid)).toBe('T');
    await until('it runs again', () => stateOf(pid) === 'S');
  });

  test('keeper killed and the lease over: the next command ends it at once', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-overdue');
    await stopFor('6s', pid, stateDir);
    process.kill(await until('there is a keeper', () => keepersOf(stateDir)[0]), 'SIGKILL');
    const endBootMs = readJournal(stateDir)[0]?.record.leaseEndBootMs ?? Number.NaN;
    await until('the lease is over', () => bootTimeMs() > endBootMs);
    expect(stateOf(pid)).toBe('T');
    const ran = await cli(['search'], { stateDir });
    expect(ran.stderr).toContain('its lease has ended');
    expect(stateOf(pid)).toBe('S');
  });

  test('keeper told to end: it undoes what it watches first', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-told');
    await stopFor('1h', pid, stateDir);
    for (const keeper of keepersOf(stateDir)) process.kill(keeper, 'SIGTERM');
    await until('it runs again', () => stateOf(pid) === 'S');
    await until('the keeper is gone', () => keepersOf(stateDir).length === 0);
    expect(stateOf(pid)).toBe('S');
  });

  test('many leases at once have one keeper', async () => {
    const stateDir = tempStateDir();
    const targets = await Promise.all(Array.from({ length: 8 }, (_, index) => sleeper(`fl-many-${index}`)));
    await Promise.all(targets.map(({ pid }) => stopFor('1h', pid, stateDir)));
    // Several may have been started at once; those that were not first leave.
    await until('one keeper is left', () => keepersOf(stateDir).length === 1);
    await delay(300);
    const [keeper, ...others] = keepersOf(stateDir);
    expect(others).toEqual([]);
    if (keeper !== undefined) process.kill(keeper, 'SIGTERM');
    await until('all run again', () => targets.every(({ pid }) => stateOf(pid) === 'S'));
    await until('the keeper is gone', () => keepersOf(stateDir).length === 0);
  });

  test.skipIf(faketime === undefined)('runs on the monotonic clock: wall clock set back or forward', async () => {
    for (const offset of ['-3d', '+3d']) {
      const stateDir = tempStateDir();
      const { pid } = await sleeper('fl-clock');
      const control = path.join(tempFolder(), 'faketimerc');
      writeFileSync(control, '+0');
      const env = fakeClock(control);
      const started = performance.now();
      await stopFor('5s', pid, stateDir, env);
      writeFileSync(control, offset);
      const date = spawnSync('date', ['+%s'], { env: { ...process.env, ...env }, encoding: 'utf8' });
      expect(Math.abs(Number(date.stdout) - Date.now() / 1000), 'the clock was set').toBeGreaterThan(86_400);
      await until('it runs again', () => stateOf(pid) === 'S');
      const tookMs = performance.now() - started;
      expect(tookMs).toBeGreaterThan(4_800);
      await until('the keeper is gone', () => keepersOf(stateDir).length === 0);
    }
  });
});
