import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readProcessRecord } from '../../../src/linux/procfs/read.ts';
import { cli, show, startCli, tempStateDir, uidIn } from '../../support/cli.ts';
import { sleeper, start, until } from '../targets/processes.ts';
import { canLimitMemory, membersOf, memoryCgroup, sleeperIn } from './memory-cgroup.ts';

const mib = 1024 * 1024;

/** NaN of a process that is gone. */
const oomScoreAdj = (pid: number): number =>
  Number(readProcessRecord(pid, 'oom_score_adj')?.toString('latin1') ?? Number.NaN);

function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
}

/** The process that fills a cgroup, if there is one in it. */
function hogIn(folder: string): number | undefined {
  return membersOf(folder).find((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('faultline-hog');
    } catch {
      return false;
    }
  });
}

describe.skipIf(!canLimitMemory)('attack process oom', () => {
  test('the kernel kills the target, and nobody else; why knows that it was us', async () => {
    const folder = memoryCgroup(96 * mib);
    const victim = await sleeperIn(folder, 'fl-victim');
    const bystander = await sleeperIn(folder, 'fl-stander');
    const stateDir = tempStateDir();
    const exited = once(victim.child, 'exit');
    const ran = await cli(['attack', 'process', 'oom', '-p', String(victim.pid)], { stateDir });
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(await exited).toEqual([null, 'SIGKILL']);
    expect(membersOf(folder)).toEqual([bystander.pid]);
    const { state, verdict, targets, effects } = await show(uidIn(ran.stdout), { stateDir });
    expect({ state, verdict }).toEqual({ state: 'unrecoverable', verdict: 'confirmed' });
    expect(targets[0]?.evidence).toMatchObject({ ended: true, oomKills: 1 });
    expect(effects.map(({ status }) => status)).toEqual(['undone', 'undone', 'applied']);
    const why = await cli(['why', String(victim.pid), '-o', 'json'], { stateDir });
    const { causes } = JSON.parse(why.stdout) as { readonly causes: readonly { readonly id: string }[] };
    expect(causes[0]?.id).toBe('injection');
    expect(causes.map(({ id }) => id)).toContain('oom-killer');
  });

  test('a cgroup that goes with its last process has had its OOM killer', async () => {
    const folder = memoryCgroup(96 * mib);
    const victim = await sleeperIn(folder, 'fl-last');
    await start('/bin/sh', ['-c', 'until rmdir "$0" 2> /dev/null; do :; done', folder]);
    const ran = await cli(['attack', 'process', 'oom', '-p', String(victim.pid)], { stateDir: tempStateDir() });
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(existsSync(folder)).toBe(false);
  });

  test('a dry run touches nothing', async () => {
    const folder = memoryCgroup(96 * mib);
    const { pid } = await sleeperIn(folder, 'fl-dry');
    const ran = await cli(['attack', 'process', 'oom', '-p', String(pid), '--dry-run'], { stateDir: tempStateDir() });
    expect(ran.stdout).toContain('is killed by the OOM killer in');
    expect(oomScoreAdj(pid)).toBe(0);
    expect(membersOf(folder)).toEqual([pid]);
  });

  test('what is not fit to be filled is refused', async () => {
    const unlimited = memoryCgroup(undefined);
    const inUnlimited = await sleeperIn(unlimited, 'fl-nolimit');
    const refused = await cli(['attack', 'process', 'oom', '-p', String(inUnlimited.pid)], {
      stateDir: tempStateDir(),
    });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('has no memory limit');
    expect(refused.stderr).toContain('[CGROUP_UNFIT]');
    const huge = memoryCgroup(2 ** 50);
    const inHuge = await sleeperIn(huge, 'fl-huge');
    const scarce = await cli(['attack', 'process', 'oom', '-p', String(inHuge.pid)], { stateDir: tempStateDir() });
    expect(scarce.stderr).toContain('the host has');
    expect([inUnlimited.pid, inHuge.pid].map(oomScoreAdj)).toEqual([0, 0]);
  });

  test('one that would be killed first protects the target', async () => {
    const folder = memoryCgroup(256 * mib);
    const { pid } = await sleeperIn(folder, 'fl-target');
    const script = 'echo $$ > "$1/cgroup.procs" && exec "$2" -e "setInterval(() => {}, 1e6)"';
    const rival = await start('/bin/sh', ['-c', script, 'sh', folder, process.execPath]);
    await until('the rival has more memory', () => residentKib(rival.pid) > 10_000);
    writeFileSync(`/proc/${rival.pid}/oom_score_adj`, '1000');
    const ran = await cli(['attack', 'process', 'oom', '-p', 'fl-target'], { stateDir: tempStateDir() });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(new RegExp(`pid ${rival.pid} .* would be killed before pid ${pid}`));
    expect(new Set(membersOf(folder))).toEqual(new Set([pid, rival.pid]));
  });

  test('the command is killed half way: what fills the cgroup dies with it, recovery puts back the rest', async () => {
    // Large, so that there is time to kill; the limit of the host's memory is far.
    const folder = memoryCgroup(512 * mib);
    const { pid } = await sleeperIn(folder, 'fl-crash');
    const stateDir = tempStateDir();
    const command = startCli(['attack', 'process', 'oom', '-p', String(pid), '--uid', 'crash-1'], { stateDir });
    const ended = once(command, 'exit');
    // The kernel may be quicker than we look, and the victim be gone.
    const isOver = (): boolean => command.exitCode !== null || !membersOf(folder).includes(pid);
    await until('the victim is prepared', () => isOver() || oomScoreAdj(pid) === 1000);
    command.kill('SIGKILL');
    await ended;
    await until('nobody fills the cgroup', () => hogIn(folder) === undefined);
    const recovered = await cli(['recover', 'crash-1'], { stateDir });
    const { state, effects } = await show('crash-1', { stateDir });
    expect(['recovered', 'unrecoverable'], recovered.stderr).toContain(state);
    expect(effects.every(({ status }) => status !== 'intended')).toBe(true);
    // The kernel may have been quicker than the test: then the victim is gone, and that is what is said.
    if (membersOf(folder).includes(pid)) expect(oomScoreAdj(pid)).toBe(0);
    expect((await cli(['recover', 'crash-1'], { stateDir })).code).toBeLessThanOrEqual(1);
  });
});

describe('oom', () => {
  test('ranks live processes, the one with the highest oom_score_adj first', async () => {
    const { pid } = await sleeper('fl-rank');
    writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
    const ran = await cli(['oom', '-o', 'json', '--top', '2000'], { stateDir: tempStateDir() });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const { processes, settings } = JSON.parse(ran.stdout) as {
      readonly processes: readonly {
        readonly pid: number;
        readonly oomScoreAdj: number;
        readonly badnessKib: number;
      }[];
      readonly settings: readonly { readonly name: string }[];
    };
    const ranked = processes.find((one) => one.pid === pid);
    expect(ranked?.oomScoreAdj).toBe(1000);
    expect(ranked?.badnessKib).toBeGreaterThan(
      Math.max(0, ...processes.filter(({ oomScoreAdj: adj }) => adj === 0).map(({ badnessKib }) => badnessKib)),
    );
    expect(settings.map(({ name }) => name)).toContain('vm.oom_kill_allocating_task');
  });

  test.skipIf(!canLimitMemory)('of a cgroup, against its limit', async () => {
    const folder = memoryCgroup(64 * mib);
    const { pid } = await sleeperIn(folder, 'fl-inside');
    const ran = await cli(['oom', '--cgroup', folder, '-o', 'json'], { stateDir: tempStateDir() });
    expect(JSON.parse(ran.stdout)).toMatchObject({ totalKib: 65_536, unlimited: false, processes: [{ pid }] });
  });

  test('a cgroup that is not there', async () => {
    const ran = await cli(['oom', '--cgroup', '/fl-nowhere'], { stateDir: tempStateDir() });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('[CGROUP_NOT_FOUND]');
  });
});
