import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { readStat } from '../../../src/linux/procfs/stat.ts';
import { cli, tempStateDir, uidIn } from '../../support/cli.ts';
import {
  canChoosePids,
  end,
  nextPidFrom,
  program,
  sleeper,
  start,
  stateOf,
  stopped,
  type TestProcess,
  until,
} from '../targets/processes.ts';

const isRoot = process.geteuid?.() === 0;

/** Make the kernel hand out this PID next, and take it; undefined when others on this host were quicker. */
async function takePid(pid: number, name: string): Promise<TestProcess | undefined> {
  for (let tries = 0; tries < 20 && readStat(pid) === undefined; tries++) {
    nextPidFrom(pid);
    const one = await sleeper(name);
    if (one.pid === pid) return one;
    await end(one);
  }
  return undefined;
}

describe('never a signal to the wrong process', () => {
  /** Two are stopped, one of which ends, and a stranger has its PID. */
  async function reused() {
    for (let tries = 0; tries < 30; tries++) {
      const stateDir = tempStateDir();
      const victim = await sleeper('fl-id-victim');
      const other = await sleeper('fl-id-other');
      const args = ['attack', 'process', 'stop', '--cmdline', '/fl-id-(victim|other) '];
      const uid = uidIn((await cli(args, { stateDir })).stdout);
      expect(stateOf(other.pid)).toBe('T');
      await end(victim);
      const stranger = await takePid(victim.pid, 'fl-stranger');
      if (stranger !== undefined) return { stateDir, uid, other, stranger };
      await end(other);
    }
    throw new Error('in 30 attempts no PID came a second time');
  }

  test.runIf(canChoosePids)('a PID reused between stop and recovery is not touched', async () => {
    const { stateDir, uid, other, stranger } = await reused();
    await stopped(stranger);
    const ran = await cli(['recover', uid, '-o', 'json'], { stateDir });
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stdout).toContain('its PID belongs to another process now, which was not touched');
    expect(stateOf(stranger.pid)).toBe('T');
    expect(stateOf(other.pid)).toBe('S');
  });

  test.runIf(isRoot)(
    '500 targets, one that must not be signalled: the others are stopped, it is named, exit 1',
    async () => {
      const file = program('fl-mob');
      const user = 65_534;
      const script = `i=0; while [ $i -lt 499 ]; do "$0" 3600 & i=$((i+1)); done; wait`;
      const mob = await start('/bin/sh', ['-c', script, file], { uid: user, gid: user });
      const foreign = await sleeper('fl-mob');
      const pids = await until('499 processes', () => {
        const found = spawnSync('pgrep', ['-x', 'fl-mob', '-P', String(mob.pid)], { encoding: 'utf8' })
          .stdout.trim()
          .split('\n');
        return found.length === 499 && found.map(Number);
      });
      const stateDir = tempStateDir();
      const run = { stateDir, uid: user, env: { HOME: '/nonexistent' } };
      spawnSync('chmod', ['777', stateDir.replace(/\/state$/, '')]);
      const ran = await cli(['attack', 'process', 'stop', '-p', 'fl-mob', '--uid', 'mob'], run);
      expect(ran.code).toBe(1);
      expect(ran.stderr).toContain(
        `1 of 500 targets did not do what was asked: pid ${foreign.pid} (fl-mob) not permitted`,
      );
      expect(pids.filter((pid) => stateOf(pid) !== 'T')).toEqual([]);
      expect(stateOf(foreign.pid)).toBe('S');
      expect(await cli(['recover', 'mob'], run)).toMatchObject({ code: 0 });
      expect(pids.filter((pid) => stateOf(pid) !== 'S')).toEqual([]);
    },
  );
});

describe('as a normal user', () => {
  const user = isRoot ? 65_534 : undefined;
  const asUser = user === undefined ? {} : { uid: user, env: { HOME: '/nonexistent' } };

  test('one may stop and recover ones own processes', async () => {
    const target = await sleeper('fl-id-own', user === undefined ? {} : { uid: user, gid: user });
    const stateDir = tempStateDir();
    spawnSync('chmod', ['777', stateDir.replace(/\/state$/, '')]);
    const run = { stateDir, ...asUser };
    const uid = uidIn(
      (await cli(['attack', 'process', 'stop', '-p', String(target.pid), '--duration', '1h'], run)).stdout,
    );
    expect(stateOf(target.pid)).toBe('T');
    expect(await cli(['recover', uid], run)).toMatchObject({ code: 0 });
    expect(stateOf(target.pid)).toBe('S');
  });

  test('a process of another user is left alone, with the reason', async () => {
    const run = { stateDir: tempStateDir(), ...asUser };
    spawnSync('chmod', ['777', run.stateDir.replace(/\/state$/, '')]);
    // A process of root that is nobody's ancestor; as a normal user only init is sure to be there.
    const target = isRoot ? (await sleeper('fl-roots')).pid : 1;
    const ran = await cli(['attack', 'process', 'kill', '-p', String(target)], run);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toMatch(/not permitted to signal it \(EPERM\)|GUARD_PROTECTED/);
    expect(stateOf(target)).toBe('S');
  });
});
