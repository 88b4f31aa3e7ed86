import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { bootTimeMs } from '../../../src/linux/clock.ts';
import { readCmdline } from '../../../src/linux/procfs/cmdline.ts';
import { readProcessTable } from '../../../src/targets/process-table.ts';
import { cli, finished, show, startCli, tempFolder, tempStateDir, uidIn } from '../../support/cli.ts';
import { readJournal } from '../../support/journal.ts';
import { program, sleeper, start, stateOf, stopped, until } from '../targets/processes.ts';

/*
 * What a hostile reviewer broke once, and must not break again.
 */

const isRoot = process.geteuid?.() === 0;
const distScript = path.resolve(import.meta.dirname, '../../../dist/faultline.js');

function keeperOf(stateDir: string): number | undefined {
  return readProcessTable()
    .pids()
    .find((pid) => readCmdline(pid)?.includes('keeper') === true && readCmdline(pid)?.includes(stateDir) === true);
}

describe('places', () => {
  test.runIf(isRoot)('with the /proc of another PID namespace nothing is done at all', async () => {
    const { pid } = await sleeper('fl-outside');
    const inside = `exec "$0" "$1" --state-dir "$2" attack process stop -p ${pid}`;
    const args = ['-pf', '/bin/sh', '-c', inside, process.execPath, distScript, tempStateDir()];
    const ran = spawnSync('unshare', args, { encoding: 'utf8' });
    expect(ran.status, ran.stderr).toBe(1);
    expect(ran.stderr).toContain('another PID namespace [HOST_UNSUPPORTED]');
    expect(stateOf(pid)).toBe('S');
  });

  test.runIf(isRoot)('from another time namespace it is not recovered, and not forgotten', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-timeless');
    await cli(['attack', 'process', 'stop', '-p', String(pid), '--uid', 'timeless'], { stateDir });
    const command = [process.execPath, distScript, '--state-dir', stateDir, 'recover', 'timeless'];
    const ran = spawnSync('unshare', ['-T', '--boottime', '100000', ...command], { encoding: 'utf8' });
    expect(ran.status, ran.stderr).toBe(1);
    expect(ran.stderr).toContain('INJECTION_ELSEWHERE');
    expect(stateOf(pid)).toBe('T');
    expect(await cli(['recover', 'timeless'], { stateDir })).toMatchObject({ code: 0 });
    expect(stateOf(pid)).toBe('S');
  });

  test.runIf(isRoot)('what a dead namespace left behind can be given up, and keeps no keeper', async () => {
    const stateDir = tempStateDir();
    const attack = 'attack process stop -p $! --duration 8s --uid lost';
    const inside = `"$3" 300 & sleep 0.3; exec "$0" "$1" --state-dir "$2" ${attack}`;
    const args = ['-pf', '--mount-proc', '/bin/sh', '-c', inside, process.execPath, distScript, stateDir];
    const ran = spawnSync('unshare', [...args, program('fl-lost')], { encoding: 'utf8' });
    expect(ran.status, ran.stderr).toBe(0);
    expect((await cli(['recover', 'lost'], { stateDir })).stderr).toContain('INJECTION_ELSEWHERE');
    const endBootMs = readJournal(stateDir)[0]?.record.leaseEndBootMs ?? Number.NaN;
    await until('its lease is over', () => bootTimeMs() > endBootMs);
    const { pid } = await sleeper('fl-here');
    await cli(['attack', 'process', 'stop', '-p', String(pid), '--duration', '500ms'], { stateDir });
    await until('it runs again', () => stateOf(pid) === 'S');
    await until('the keeper is gone', () => keeperOf(stateDir) === undefined);
    expect(await cli(['recover', 'lost', '--abandon'], { stateDir })).toMatchObject({ code: 0 });
    expect(await cli(['recover', '--all'], { stateDir })).toMatchObject({ stdout: 'Nothing is live\n' });
  });
});

describe('recover commands', () => {
  test('one that cannot be started keeps nothing else from being undone', async () => {
    const stateDir = tempStateDir();
    const targets = await Promise.all(Array.from({ length: 12 }, (_, index) => sleeper(`fl-tmp-${index}`)));
    const [first, ...others] = targets.map(({ pid }) => String(pid));
    for (const pid of others) await cli(['attack', 'process', 'stop', '-p', pid], { stateDir });
    await cli(['attack', 'process', 'stop', '-p', first ?? '', '-r', 'true', '--uid', 'command'], { stateDir });
    const ran = await cli(['halt'], { stateDir, env: { TMPDIR: '/nonexistent' } });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('could not be started');
    expect(targets.map(({ pid }) => stateOf(pid))).toEqual(targets.map(() => 'S'));
    expect(await cli(['recover', 'command'], { stateDir })).toMatchObject({ code: 0 });
  });

  test('one that kills Faultline is not run again by itself, and can be given up', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-deadly');
    const args = ['attack', 'process', 'stop', '-p', String(pid), '--uid', 'deadly', '-r', 'kill -9 $PPID'];
    await cli(args, { stateDir });
    expect(await cli(['recover', 'deadly'], { stateDir })).toMatchObject({ signal: 'SIGKILL' });
    expect(stateOf(pid)).toBe('S');
    for (const command of [['search'], ['show', 'deadly'], ['recover', '--all'], ['halt']]) {
      expect((await cli(command, { stateDir })).signal, command.join(' ')).toBeNull();
    }
    expect(await cli(['recover', 'deadly', '--abandon'], { stateDir })).toMatchObject({ code: 0, signal: null });
    expect((await show('deadly', { stateDir })).state).toBe('unrecoverable');
  });

  test('one that fails in the keeper is tried again later, and the injection can be recovered meanwhile', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-later');
    const runs = path.join(tempFolder(), 'runs');
    const command = `echo x >> '${runs}'; test -e '${runs}.ok'`;
    const args = [
      'attack',
      'process',
      'stop',
      '-p',
      String(pid),
      '--duration',
      '300ms',
      '-r',
      command,
      '--uid',
      'later',
    ];
    await cli(args, { stateDir });
    await until('it was tried', () => existsSync(runs));
    await until('it runs again', () => stateOf(pid) === 'S');
    await delay(1_500);
    expect(readFileSync(runs, 'utf8')).toBe('x\n');
    writeFileSync(`${runs}.ok`, '');
    expect(await cli(['recover', 'later'], { stateDir })).toMatchObject({ code: 0 });
    await until('the keeper is gone', () => keeperOf(stateDir) === undefined);
  });
});

describe('keepers', () => {
  test('a lease that comes while the keeper is ending has a keeper all the same', async () => {
    const stateDir = tempStateDir();
    const [slow, quick] = [await sleeper('fl-slow'), await sleeper('fl-quick')];
    const lease = (pid: number, ...more: readonly string[]) =>
      cli(['attack', 'process', 'stop', '-p', String(pid), ...more], { stateDir });
    await lease(slow.pid, '--duration', '10m', '-r', 'sleep 3');
    const ending = await until('there is a keeper', () => keeperOf(stateDir));
    process.kill(ending, 'SIGTERM');
    await until('it is being undone', () => stateOf(slow.pid) === 'S');
    expect(await lease(quick.pid, '--duration', '5s')).toMatchObject({ code: 0 });
    expect(stateOf(quick.pid)).toBe('T');
    await until('the second runs again', () => stateOf(quick.pid) === 'S');
    await until('the keepers are gone', () => keeperOf(stateDir) === undefined);
  });

  test('a keeper that is stopped itself is replaced', async () => {
    const stateDir = tempStateDir();
    const [one, two] = [await sleeper('fl-ho-one'), await sleeper('fl-two')];
    await cli(['attack', 'process', 'stop', '-p', String(one.pid), '--duration', '8s'], { stateDir });
    const frozen = await until('there is a keeper', () => keeperOf(stateDir));
    await stopped({ pid: frozen });
    await cli(['attack', 'process', 'stop', '-p', String(two.pid), '--duration', '1s'], { stateDir });
    await until('both run again', () => stateOf(one.pid) === 'S' && stateOf(two.pid) === 'S');
    process.kill(frozen, 'SIGCONT');
    await until('the keepers are gone', () => keeperOf(stateDir) === undefined);
    expect([one, two].map(({ pid }) => stateOf(pid))).toEqual(['S', 'S']);
  });
});

describe('outputs', () => {
  test.each([1, 2, 3, 4, 6])('a reader of stderr that leaves after %d lines ends nothing', async (lines) => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-piped');
    const command = `--log-level debug attack process stop -p ${pid}`;
    const attack = `"$0" "$1" --state-dir "$2" ${command} 2>&1 >"$2.out" | head -${lines}`;
    spawnSync('/bin/sh', ['-c', attack, process.execPath, distScript, stateDir]);
    const uid = uidIn(readFileSync(`${stateDir}.out`, 'utf8'));
    expect(uid).not.toBe('');
    expect(stateOf(pid)).toBe('T');
    expect(await cli(['recover', uid], { stateDir })).toMatchObject({ code: 0 });
  });

  test('a full disk below stdout is told, with exit code 1', () => {
    const stateDir = tempStateDir();
    const ran = spawnSync(
      '/bin/sh',
      ['-c', '"$0" "$1" --state-dir "$2" search > /dev/full', process.execPath, distScript, stateDir],
      {
        encoding: 'utf8',
      },
    );
    expect(ran.status).toBe(1);
    expect(ran.stderr).toBe('Error: the output cannot be written: ENOSPC\n');
  });
});

describe('what is told', () => {
  test('a signal that was sent before Ctrl-C is told as sent', async () => {
    const stateDir = tempStateDir();
    const ready = path.join(tempFolder(), 'ready');
    const { pid } = await start('/bin/sh', [
      '-c',
      `trap ':' TERM; : > ${ready}; while :; do ${program('fl-nap')} 0.02; done`,
    ]);
    await until('it is ready', () => existsSync(ready));
    const child = startCli(['attack', 'process', 'kill', '-p', String(pid), '--grace', '30s'], { stateDir });
    const ended = finished(child);
    await until('it was sent', () => readJournal(stateDir)[0]?.effects[0]?.status === 'applied');
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130 });
    const [injection] = readJournal(stateDir);
    expect(injection?.record).toMatchObject({ state: 'unrecoverable', error: { code: 'INTERRUPTED' } });
    expect(injection?.effects.map(({ status }) => status)).toEqual(['applied']);
  });

  test('with few descriptors to be had, everything is continued all the same', async () => {
    const stateDir = tempStateDir();
    const targets = await Promise.all(Array.from({ length: 90 }, () => sleeper('fl-many')));
    expect(await cli(['attack', 'process', 'stop', '-p', 'fl-many'], { stateDir })).toMatchObject({ code: 0 });
    const recover = 'ulimit -n 64; exec "$0" "$1" --state-dir "$2" recover --all';
    const ran = spawnSync('/bin/sh', ['-c', recover, process.execPath, distScript, stateDir], { encoding: 'utf8' });
    expect(ran.status, ran.stderr).toBe(0);
    expect(targets.filter(({ pid }) => stateOf(pid) !== 'S')).toEqual([]);
  });
});
