import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readStat } from '../../../src/linux/procfs/stat.ts';
import { readProcessTable } from '../../../src/targets/process-table.ts';
import { cli, show, tempFolder, tempStateDir, uidIn } from '../../support/cli.ts';
import { readJournal } from '../../support/journal.ts';
import { program, sleeper, start, stopped, type TestProcess, until } from '../targets/processes.ts';

/** A shell that does something with signals; its traps are set once it has made its file. */
async function shell(traps: string): Promise<TestProcess> {
  const ready = path.join(tempFolder(), 'ready');
  const one = await start('/bin/sh', ['-c', `${traps}; : > ${ready}; while :; do ${program('fl-ak-nap')} 0.02; done`]);
  await until('the shell is ready', () => existsSync(ready));
  return one;
}

async function seenBy(
  args: readonly string[],
): Promise<{ code: number | null; seen: string; verdict: string; stderr: string }> {
  const stateDir = tempStateDir();
  const ran = await cli([...args, '-o', 'json'], { stateDir });
  const document = JSON.parse(ran.stdout) as { targets: { seen: string; verdict: string }[] };
  const [first] = document.targets;
  return { code: ran.code, seen: first?.seen ?? '', verdict: first?.verdict ?? '', stderr: ran.stderr };
}

describe('attack process kill', () => {
  test('the seed: kill by name answers as chaosd does, and the process is dead', async () => {
    const target = await sleeper('fl-python');
    const stateDir = tempStateDir();
    const ran = await cli(['attack', 'process', 'kill', '-p', 'fl-python'], { stateDir, program: 'chaosd' });
    expect(ran.stderr).toBe('');
    expect(ran.stdout).toMatch(
      /^Attack process fl-python successfully, uid: [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n$/,
    );
    expect(ran.code).toBe(0);
    await until('it is reaped', () => target.child.signalCode === 'SIGKILL');
    const { state, verdict, targets } = await show(uidIn(ran.stdout), { stateDir });
    expect({ state, verdict }).toEqual({ state: 'unrecoverable', verdict: 'confirmed' });
    expect(targets[0]?.seen).toMatch(/^died of SIGKILL after /);
  });

  test('a killed process cannot be recovered: said plainly, exit 1, twice', async () => {
    const target = await sleeper('fl-ak-killed');
    const stateDir = tempStateDir();
    const uid = uidIn((await cli(['attack', 'process', 'kill', '-p', String(target.pid)], { stateDir })).stdout);
    for (let time = 0; time < 2; time++) {
      const ran = await cli(['recover', uid], { stateDir });
      expect(ran).toMatchObject({ code: 1, stdout: '' });
      expect(ran.stderr).toContain('[RECOVERY_IMPOSSIBLE]');
    }
  });

  test('by number, name and short name of the signal', async () => {
    for (const signal of ['15', 'TERM', 'SIGTERM', 'sigterm']) {
      const target = await sleeper('fl-ak-term');
      const { code, seen, verdict } = await seenBy([
        'attack',
        'process',
        'kill',
        '-p',
        String(target.pid),
        '-s',
        signal,
      ]);
      expect({ code, verdict }).toEqual({ code: 0, verdict: 'confirmed' });
      expect(seen).toMatch(/^died of SIGTERM/);
    }
  });

  test('a handler that exits is told with its exit status', async () => {
    const target = await shell("trap 'exit 7' TERM");
    const { code, seen } = await seenBy(['attack', 'process', 'kill', '-p', String(target.pid), '-s', 'TERM']);
    expect(seen).toMatch(/^handled SIGTERM and exited with 7/);
    expect(code).toBe(0);
  });

  test('a process that handles SIGTERM and lives on is a mismatch, exit 1; one that ignores it, too', async () => {
    const handles = await shell("trap ':' TERM");
    // So long that it has a processor meanwhile; the other one is judged at once.
    const wait = ['--wait', '2s', '-s', 'TERM'];
    const first = await seenBy(['attack', 'process', 'kill', '-p', String(handles.pid), ...wait]);
    expect(first).toMatchObject({ code: 1, verdict: 'mismatch' });
    expect(first.seen).toMatch(/^handled SIGTERM and lives on/);
    expect(first.stderr).toContain('INJECTION_UNPROVEN');
    const ignores = await shell("trap '' TERM");
    const second = await seenBy(['attack', 'process', 'kill', '-p', String(ignores.pid), ...wait]);
    expect(second).toMatchObject({ code: 1, verdict: 'mismatch', seen: 'ignores SIGTERM' });
  });

  test('a signal that programs catch to reload is confirmed when it was handled', async () => {
    const target = await shell("trap ':' HUP");
    const { code, verdict, seen } = await seenBy(['attack', 'process', 'kill', '-p', String(target.pid), '-s', 'HUP']);
    expect({ code, verdict, seen }).toEqual({ code: 0, verdict: 'confirmed', seen: 'handled SIGHUP and lives on' });
  });

  test('a stopped process keeps SIGTERM waiting: inconclusive', async () => {
    const target = await sleeper('fl-frozen');
    await stopped(target);
    const args = ['attack', 'process', 'kill', '-p', String(target.pid), '-s', 'TERM', '--wait', '200ms'];
    expect(await seenBy(args)).toMatchObject({ code: 0, verdict: 'inconclusive' });
  });

  test('--grace: SIGTERM first, SIGKILL for what outlives it', async () => {
    const obeys = await sleeper('fl-obeys');
    const first = await seenBy(['attack', 'process', 'kill', '-p', String(obeys.pid), '--grace', '5s']);
    expect(first.seen).toMatch(/^died of SIGTERM/);
    const stubborn = await shell("trap '' TERM");
    const begin = performance.now();
    const second = await seenBy(['attack', 'process', 'kill', '-p', String(stubborn.pid), '--grace', '1500ms']);
    expect(performance.now() - begin, 'the grace is given whole').toBeGreaterThan(1_500);
    expect(second).toMatchObject({ code: 0, verdict: 'confirmed' });
    expect(second.seen).toMatch(/^died of SIGKILL .*having outlived SIGTERM for 1\.5 s$/);
  });

  test('a supervisor brings it back: --observe and show tell as which pid', async () => {
    const name = 'fl-respawns';
    const file = program(name);
    await start('/bin/sh', ['-c', `while :; do ${file} 3600; done`]);
    const first = await until('the child runs', () => childNamed(name));
    const stateDir = tempStateDir();
    const ran = await cli(['attack', 'process', 'kill', '-p', name, '--observe', '5s', '-o', 'json'], { stateDir });
    const { uid, targets } = JSON.parse(ran.stdout) as Awaited<ReturnType<typeof show>>;
    expect(targets[0]?.seen).toMatch(/^died of SIGKILL after .*; respawned as pid \d+ after \d/);
    const { present } = await show(uid, { stateDir });
    expect(present[0]?.seen).toMatch(/^is gone; pid \d+ took its place after /);
    expect(childNamed(name)).not.toBe(first);
  });

  test('--interval with --duration keeps killing what comes back, counted, and ends by itself', async () => {
    const name = 'fl-phoenix';
    const file = program(name);
    await start('/bin/sh', ['-c', `while :; do ${file} 3600; done`]);
    // Where its keeper takes longer to start than all of it lasts, it is made to last longer.
    let most = 0;
    for (const duration of ['3s', '10s', '30s']) {
      const stateDir = tempStateDir();
      const args = ['attack', 'process', 'kill', '-p', name, '--interval', '100ms', '--duration', duration];
      await until('a child runs', () => childNamed(name));
      const ran = await cli(args, { stateDir });
      expect(ran.code, ran.stderr).toBe(0);
      await until('the lease has ended', () => readJournal(stateDir)[0]?.record.state === 'recovered');
      const { rounds, targets } = await show(uidIn(ran.stdout), { stateDir });
      // The last round has none where the lease ended while it was under way.
      const verdicts = targets.filter(({ phase }) => phase === 'inject').length;
      expect([rounds - 1, rounds]).toContain(verdicts);
      most = rounds;
      if (most > 1) break;
    }
    expect(most).toBeGreaterThan(1);
    const survivor = await until('a child that nobody kills', () => childNamed(name));
    await new Promise((resolve) => {
      setTimeout(resolve, 400);
    });
    expect(childNamed(name)).toBe(survivor);
  });
});

function childNamed(name: string): number | undefined {
  return [...pidsNamed(name)][0];
}

function pidsNamed(name: string): readonly number[] {
  return readProcessTable()
    .pids()
    .filter((pid) => readStat(pid)?.comm === name);
}
