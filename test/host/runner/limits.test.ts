import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, tempFolder, tempStateDir } from '../../support/cli.ts';
import { readJournal } from '../../support/journal.ts';
import { family, sleeper, start, program, stateOf, until } from '../targets/processes.ts';
import {
  answers,
  attackableServer,
  expectNothingLeft,
  experimentFile,
  runOf,
  startRun,
  story,
  webServer,
} from './lab.ts';

/** A probe that a test decides about. */
function switchFile(): { readonly file: string; readonly probe: { readonly file: { path: string; every: string } } } {
  const file = path.join(tempFolder(), 'switch');
  writeFileSync(file, 'on');
  return { file, probe: { file: { path: file, every: '50ms' } } };
}

describe('what ends a run', { timeout: 120_000 }, () => {
  test('an abort condition, while a fault is in force: waiting ends, and it is undone', async () => {
    const stateDir = tempStateDir();
    const { target, url } = await attackableServer();
    const file = experimentFile({
      probes: {
        answers: {
          http: { url, rate: '50/s', timeout: '30s' },
          expect: { success: { atLeast: '99%' } },
          during: { success: { atLeast: '0%' } },
        },
      },
      method: [
        { attack: 'process stop', name: 'stop it', with: { process: String(target.pid) } },
        { wait: '9m' },
        { run: ['false'] },
      ],
      abort: [{ unless: { answers: { success: { atLeast: '50%' } } }, for: '2s' }],
    });
    const { ran, run } = await runOf(file, stateDir);
    expect([run.verdict, ran.code], ran.stderr).toEqual(['aborted', 2]);
    expect(run.reason).toMatch(/^abort condition: answers: success .+ for 2 s, at least 50% expected/);
    expect(run.steps.map(({ outcome }) => outcome)).toEqual(['done', 'interrupted', 'skipped']);
    expect(stateOf(target.pid)).toBe('S');
    expect(run.phases.at(-1)?.name).toBe('after');
    expectNothingLeft(stateDir);
  });

  test('an abort condition, while an attack is under way: it is broken off', async () => {
    const stateDir = tempStateDir();
    const { file: toggle, probe } = switchFile();
    const parent = await start('/bin/sh', ['-c', `trap '' TERM; "$0" 3600`, program('fl-run-deaf')]);
    const [pid = 0] = await family(parent, ['fl-run-deaf']);
    const file = experimentFile({
      steadyState: {
        before: '500ms',
        after: '500ms',
        recovery: '0s', // it does not come back
        probes: { toggle: { ...probe, expect: { exists: true }, during: { size: { atLeast: 0 } } } },
      },
      method: [{ attack: 'process kill', name: 'wait for it', with: { process: String(pid), grace: '10m' } }],
      abort: [{ unless: { toggle: { exists: true } }, for: '200ms' }],
    });
    const going = startRun(file, stateDir);
    await until('the signal is sent', () => readJournal(stateDir).some(({ effects }) => effects.length > 0));
    rmSync(toggle);
    const { ran, run } = await going.outcome();
    expect(run.verdict, ran.stderr).toBe('aborted');
    expect(run.reason).toMatch(/^abort condition: toggle: exists was false/);
    expect(run.steps).toMatchObject([{ outcome: 'interrupted' }]);
    expect(stateOf(pid)).toBe('S');
    expectNothingLeft(stateDir);
  });

  test('the duration of the blast radius', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-run-long');
    const file = experimentFile({
      probes: { answers: answers(await webServer()) },
      method: [
        { attack: 'process stop', name: 'stop it', with: { process: String(pid) } },
        // The waits are below the limit, so that the file is a good one; the command is not.
        { run: { command: ['sleep', '600'], timeout: '20m' } },
      ],
      blastRadius: { targets: 1, duration: '6s' },
    });
    const { ran, run } = await runOf(file, stateDir);
    expect([run.verdict, ran.code], ran.stderr).toEqual(['aborted', 2]);
    expect(run.reason).toBe('the method took longer than the 6 s of the blast radius');
    expect(stateOf(pid)).toBe('S');
    expectNothingLeft(stateDir);
  });

  test('a target too many: the engine refuses it, whatever the runner may think', async () => {
    const stateDir = tempStateDir();
    const workers = await Promise.all([sleeper('fl-run-many'), sleeper('fl-run-many')]);
    const file = experimentFile({
      probes: { answers: answers(await webServer()) },
      method: [{ attack: 'process stop', name: 'stop all', with: { process: 'fl-run-many' } }, { wait: '1s' }],
    });
    const { ran, run } = await runOf(file, stateDir);
    expect([run.verdict, ran.code], ran.stderr).toEqual(['aborted', 2]);
    expect(run.reason).toBe("stop all: the experiment's blast radius allows 1 target, not 2");
    expect(workers.map(({ pid }) => stateOf(pid))).toEqual(['S', 'S']);
    expect(run.injections).toEqual([]);
  });

  test('two attacks at once cannot exceed the radius together', async () => {
    const stateDir = tempStateDir();
    const workers = await Promise.all([1, 2, 3, 4].map(() => sleeper('fl-run-two')));
    const pids = workers.map(({ pid }) => String(pid));
    // Each of them finds the two that the other leaves out.
    const stop = (exclude: readonly string[], name: string) => ({
      attack: 'process stop',
      name,
      with: { cmdline: 'fl-run-two', exclude },
    });
    const file = experimentFile({
      probes: { answers: answers(await webServer()) },
      method: [{ parallel: [[stop(pids.slice(2), 'a')], [stop(pids.slice(0, 2), 'b')]] }, { wait: '1s' }],
      blastRadius: { targets: 3, duration: '10m', processes: ['fl-run-two'] },
    });
    const { ran, run } = await runOf(file, stateDir);
    expect(run.verdict, ran.stderr).toBe('aborted');
    expect(run.reason).toContain('allows 3 targets, not 2 after the 2 before');
    expect(run.blastRadius.actual.targets).toBeLessThanOrEqual(2);
    expect(workers.map(({ pid }) => stateOf(pid))).toEqual(['S', 'S', 'S', 'S']);
    expectNothingLeft(stateDir);
  });

  test('a process that is not on the list', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-run-other');
    const file = experimentFile({
      probes: { answers: answers(await webServer()) },
      method: [{ attack: 'process stop', name: 'stop', with: { cmdline: 'fl-run-other' } }],
      blastRadius: { targets: 1, duration: '10m', processes: ['fl-run-this'] },
    });
    const { run } = await runOf(file, stateDir);
    expect(run.verdict).toBe('aborted');
    expect(run.reason).toContain(`only processes named fl-run-this, not pid ${pid} (fl-run-other)`);
    expect(stateOf(pid)).toBe('S');
  });

  test('a tolerance that nobody can judge: it does not hold up the run, which ends and undoes', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-run-redos');
    const { file: said } = switchFile();
    writeFileSync(said, 'aaa');
    const endless = { matches: '^(?:a+)+$' };
    const file = experimentFile({
      probes: { said: { file: { path: said, every: '50ms' }, expect: { content: endless } } },
      method: [
        { attack: 'process stop', name: 'stop it', with: { process: String(pid) } },
        { run: ['sh', '-c', `echo '${'a'.repeat(60)}!' > ${said}`] },
        { wait: '9m' },
      ],
      abort: [{ unless: { said: { content: endless } }, for: '200ms' }],
      rollbacks: [{ run: ['true'] }],
    });
    const { ran, run } = await runOf(file, stateDir);
    expect([run.verdict, ran.code], ran.stderr).toEqual(['error', 3]);
    expect(run.reason).toContain('takes too long to judge');
    expect(run.rollbacks.map(({ succeeded }) => succeeded)).toEqual([true, true]);
    expect(story(run).match(/takes too long/gu)).toHaveLength(1);
    expect(stateOf(pid)).toBe('S');
    expectNothingLeft(stateDir);
  });

  test('a halt of the host', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-run-halt');
    const file = experimentFile({
      probes: { answers: answers(await webServer()) },
      method: [{ attack: 'process stop', name: 'stop it', with: { process: String(pid) } }, { wait: '9m' }],
    });
    const going = startRun(file, stateDir);
    await until('it is stopped', () => stateOf(pid) === 'T');
    expect((await cli(['halt', '--reason', 'too hot'], { stateDir })).code).toBe(0);
    const { ran, run } = await going.outcome();
    expect([run.verdict, ran.code], ran.stderr).toEqual(['aborted', 2]);
    expect(run.reason).toContain('attacks are halted: too hot');
    expect(story(run)).toContain('attacks are halted');
    expect(stateOf(pid)).toBe('S');
    expectNothingLeft(stateDir);
  });
});
