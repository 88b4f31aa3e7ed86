import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, show, tempFolder, tempStateDir, uidIn } from '../../support/cli.ts';
import { end, sleeper, stateOf, stopped } from '../targets/processes.ts';

async function stop(stateDir: string, ...args: readonly string[]): Promise<string> {
  const ran = await cli(['attack', 'process', 'stop', ...args], { stateDir });
  expect(ran.code, ran.stderr).toBe(0);
  return uidIn(ran.stdout);
}

describe('attack process stop', () => {
  test('stops, and recover continues; a second recover changes nothing', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-stopped');
    const uid = await stop(stateDir, '-p', 'fl-stopped');
    expect(stateOf(pid)).toBe('T');
    expect((await show(uid, { stateDir })).present[0]?.seen).toBe('is stopped (state T)');
    const first = await cli(['recover', uid], { stateDir, program: 'chaosd' });
    expect(first).toMatchObject({ code: 0, stdout: `Recover ${uid} successfully\n` });
    expect(stateOf(pid)).toBe('S');
    const second = await cli(['recover', uid], { stateDir });
    expect(second).toMatchObject({ code: 0, stdout: `Recover ${uid} successfully (it was already)\n` });
    const { timeline } = await show(uid, { stateDir });
    expect(timeline.filter(({ type }) => type === 'recovering').length).toBe(1);
  });

  test('a process that was stopped before is left stopped, as it was found', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-st-before');
    await stopped({ pid });
    const uid = await stop(stateDir, '-p', String(pid));
    const shown = await show(uid, { stateDir });
    expect(shown.targets[0]).toMatchObject({ verdict: 'inconclusive' });
    await cli(['recover', uid], { stateDir });
    expect(stateOf(pid)).toBe('T');
    expect((await show(uid, { stateDir })).state).toBe('recovered');
  });

  test('a target that dies meanwhile is reported and passed over; the others go on', async () => {
    const stateDir = tempStateDir();
    const targets = await Promise.all([sleeper('fl-three'), sleeper('fl-three'), sleeper('fl-three')]);
    const uid = await stop(stateDir, '-p', 'fl-three');
    const [first, ...others] = targets;
    await end(first);
    const ran = await cli(['recover', uid, '-o', 'json'], { stateDir });
    expect(ran.code).toBe(0);
    const { targets: seen } = JSON.parse(ran.stdout) as { targets: { seen: string }[] };
    expect(seen.map((one) => one.seen)).toContain('is gone: there is nothing to continue');
    for (const { pid } of others) expect(stateOf(pid)).toBe('S');
  });

  test('two attacks on one process: the second is refused, and names the first', async () => {
    const stateDir = tempStateDir();
    await sleeper('fl-both');
    const uid = await stop(stateDir, '-p', 'fl-both');
    for (const action of ['stop', 'kill']) {
      const second = await cli(['attack', 'process', action, '-p', 'fl-both'], { stateDir });
      expect(second.code).toBe(1);
      expect(second.stderr).toContain(`held by the live injection ${uid} [GUARD_CONFLICT]`);
    }
    await cli(['recover', uid], { stateDir });
  });

  test.each([
    ['in order', 0],
    ['in reverse', 1],
  ])('with --allow-overlap it runs again only when both are recovered, %s', async (_order, turn) => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-overlap');
    const uids = [
      await stop(stateDir, '-p', 'fl-overlap'),
      await stop(stateDir, '-p', 'fl-overlap', '--allow-overlap'),
    ];
    const order = turn === 0 ? uids : uids.toReversed();
    await cli(['recover', order[0] ?? ''], { stateDir });
    expect(stateOf(pid)).toBe('T');
    await cli(['recover', order[1] ?? ''], { stateDir });
    expect(stateOf(pid)).toBe('S');
  });

  test('both overlapping injections recovered at once: it runs', async () => {
    for (let time = 0; time < 5; time++) {
      const stateDir = tempStateDir();
      const { pid } = await sleeper(`fl-race-${time}`);
      const one = await stop(stateDir, '-p', String(pid));
      const two = await stop(stateDir, '-p', String(pid), '--allow-overlap');
      const both = await Promise.all([cli(['recover', one], { stateDir }), cli(['recover', two], { stateDir })]);
      expect(both.map(({ code }) => code)).toEqual([0, 0]);
      expect(stateOf(pid)).toBe('S');
    }
  });

  test('kill -s STOP is a stop: it can be recovered', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-kstop');
    const ran = await cli(['attack', 'process', 'kill', '-p', String(pid), '-s', 'STOP'], { stateDir });
    expect(stateOf(pid)).toBe('T');
    await cli(['recover', uidIn(ran.stdout)], { stateDir });
    expect(stateOf(pid)).toBe('S');
  });
});

describe('--recover-cmd', () => {
  test('is run at recovery, waited for and checked', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-command');
    const mark = path.join(tempFolder(), 'mark');
    const args = ['attack', 'process', 'kill', '-p', String(pid), '--recover-cmd', `echo done >> '${mark}'`];
    const uid = uidIn((await cli(args, { stateDir })).stdout);
    expect(existsSync(mark)).toBe(false);
    expect(await cli(['recover', uid], { stateDir })).toMatchObject({ code: 0 });
    await cli(['recover', uid], { stateDir });
    expect(readFileSync(mark, 'utf8')).toBe('done\n');
  });

  test('one that fails leaves the injection to be recovered again, or to be given up', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-st-failing');
    const uid = await stop(stateDir, '-p', String(pid), '-r', 'echo oops; exit 3');
    const failed = await cli(['recover', uid], { stateDir });
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/the recover command exited with 3 after .*: oops.*\[RECOVERY_INCOMPLETE\]/);
    expect(stateOf(pid)).toBe('S');
    expect((await show(uid, { stateDir })).state).toBe('injected');
    expect(await cli(['recover', uid, '--abandon'], { stateDir })).toMatchObject({ code: 0 });
    expect((await show(uid, { stateDir })).state).toBe('unrecoverable');
    expect(await cli(['recover', '--all'], { stateDir })).toMatchObject({ code: 0, stdout: 'Nothing is live\n' });
  });

  test('one that hangs is ended, with what it started', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-hanging');
    const uid = await stop(stateDir, '-p', String(pid), '-r', 'sleep 1000 & wait', '--recover-timeout', '300ms');
    const ran = await cli(['recover', uid], { stateDir });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('it took too long');
    await cli(['recover', uid, '--abandon'], { stateDir });
  });

  test('a service that it leaves running in the background lives on and is not waited for', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-service');
    const file = path.join(tempFolder(), 'pid');
    const uid = await stop(
      stateDir,
      '-p',
      String(pid),
      '-r',
      `(while sleep 0.05; do echo alive; done) & echo $! > ${file}`,
    );
    expect(await cli(['recover', uid], { stateDir })).toMatchObject({ code: 0 });
    const service = Number(readFileSync(file, 'utf8'));
    await new Promise((resolve) => {
      setTimeout(resolve, 300);
    });
    expect(stateOf(service)).toBeDefined();
    process.kill(service, 'SIGKILL');
  });
});
