import { describe, expect, test } from 'vitest';
import { cli, type Ran, tempStateDir, uidIn } from '../../support/cli.ts';
import { readJournal } from '../../support/journal.ts';
import { sleeper, stateOf as stateOfPid, stopped, type TestProcess, until } from '../targets/processes.ts';

const stateOf = ({ pid }: TestProcess): string | undefined => stateOfPid(pid);

function expectOrderly(ran: readonly Ran[]): void {
  for (const { stderr, signal } of ran) {
    expect(signal).toBeNull();
    expect(stderr).not.toMatch(/locked|STATE_|bug in Faultline/);
  }
}

describe('many commands at once on one state folder', () => {
  test('200, from no folder at all: none lost, none left stopped', { timeout: 900_000 }, async () => {
    const stateDir = tempStateDir();
    const targets = await Promise.all(Array.from({ length: 100 }, (_, index) => sleeper(`fl-crowd-${index}`)));
    const attacks = await Promise.all(
      targets.map(({ pid }) => cli(['attack', 'process', 'stop', '-p', String(pid)], { stateDir })),
    );
    expectOrderly(attacks);
    expect(attacks.map(({ code }) => code)).toEqual(targets.map(() => 0));
    expect(targets.map(stateOf)).toEqual(targets.map(() => 'T'));
    const uids = attacks.map(({ stdout }) => uidIn(stdout));
    // Each recovered once, and the first fifty by two commands at the same time; new attacks in between.
    const more = await Promise.all(Array.from({ length: 50 }, (_, index) => sleeper(`fl-later-${index}`)));
    const [recoveries, twice, later] = await Promise.all([
      Promise.all(uids.map((uid) => cli(['recover', uid], { stateDir }))),
      Promise.all(uids.slice(0, 50).map((uid) => cli(['recover', uid], { stateDir }))),
      Promise.all(more.map(({ pid }) => cli(['attack', 'process', 'stop', '-p', String(pid)], { stateDir }))),
    ]);
    expectOrderly([...recoveries, ...twice, ...later]);
    expect([...recoveries, ...twice, ...later].filter(({ code }) => code !== 0)).toEqual([]);
    expect(targets.map(stateOf)).toEqual(targets.map(() => 'S'));
    expect(await cli(['recover', '--all'], { stateDir })).toMatchObject({ code: 0 });
    expect(more.map(stateOf)).toEqual(more.map(() => 'S'));
    const journal = readJournal(stateDir);
    expect(journal.length).toBe(150);
    expect(journal.filter(({ record }) => record.state !== 'recovered')).toEqual([]);
  });

  test('one uid for twenty attacks: one is made, the others are told', async () => {
    const stateDir = tempStateDir();
    await sleeper('fl-one-uid');
    const args = ['attack', 'process', 'stop', '-p', 'fl-one-uid', '--uid', 'the-one'];
    const ran = await Promise.all(Array.from({ length: 20 }, () => cli(args, { stateDir })));
    expectOrderly(ran);
    expect(ran.filter(({ code }) => code === 0).length).toBe(1);
    for (const { code, stderr } of ran) if (code !== 0) expect(stderr).toMatch(/INJECTION_EXISTS|GUARD_CONFLICT/);
    await cli(['recover', 'the-one'], { stateDir });
  });

  test('recovered and halted while it injects: the attack undoes itself and says so', async () => {
    const stateDir = tempStateDir();
    const targets = await Promise.all([sleeper('fl-grace'), sleeper('fl-grace')]);
    await Promise.all(targets.map(stopped));
    const slow = cli(['attack', 'process', 'kill', '-p', 'fl-grace', '--grace', '30s', '--uid', 'slow'], { stateDir });
    await until('it injects', () => readJournal(stateDir)[0]?.effects.length === 2);
    const halted = await cli(['halt', '--reason', 'enough'], { stateDir });
    expect(halted.stdout).toContain('Attacks are halted');
    expect(await slow).toMatchObject({ code: 1 });
    expect((await slow).stderr).toContain('halted: enough');
    const refused = await cli(['attack', 'process', 'kill', '-p', 'fl-grace'], { stateDir });
    expect(refused.stderr).toContain('GUARD_HALTED');
    expect(await cli(['halt', '--status'], { stateDir })).toMatchObject({ code: 0 });
    expect((await cli(['halt', '--release'], { stateDir })).stdout).toContain('allowed again');
    const allowed = await cli(['attack', 'process', 'kill', '-p', 'fl-grace'], { stateDir });
    expect(allowed.code, allowed.stderr).toBe(0);
  });

  test('halt undoes everything that is live, the seed of it in one go', async () => {
    const stateDir = tempStateDir();
    const targets = await Promise.all(Array.from({ length: 5 }, (_, index) => sleeper(`fl-halt-${index}`)));
    for (const { pid } of targets) {
      await cli(['attack', 'process', 'stop', '-p', String(pid), '--duration', '1h'], { stateDir });
    }
    expect(targets.map(stateOf)).toEqual(targets.map(() => 'T'));
    expect(await cli(['halt', '--reason', 'checkout is down'], { stateDir })).toMatchObject({ code: 0 });
    expect(targets.map(stateOf)).toEqual(targets.map(() => 'S'));
  });

  test('Ctrl-C while it injects undoes what was done, exit 130', async () => {
    const stateDir = tempStateDir();
    const { startCli, finished } = await import('../../support/cli.ts');
    const target = await sleeper('fl-ctrl-c');
    await stopped(target);
    const child = startCli(['attack', 'process', 'kill', '-p', 'fl-ctrl-c', '--grace', '30s'], { stateDir });
    const ended = finished(child);
    await until('it injects', () => readJournal(stateDir)[0]?.effects.length === 1);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130 });
    const [injection] = readJournal(stateDir);
    expect(injection?.record.state).not.toBe('injecting');
  });
});
