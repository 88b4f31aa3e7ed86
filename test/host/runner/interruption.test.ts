import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunRecord } from '../../../src/experiment/engine.ts';
import { cli, tempFolder, tempStateDir } from '../../support/cli.ts';
import { readRuns } from '../../support/journal.ts';
import { sleeper, stateOf, type TestProcess, until } from '../targets/processes.ts';
import { answers, expectNothingLeft, experimentFile, keepersOf, startRun, story, webServer } from './lab.ts';

async function stopFor(target: TestProcess, rollbacks: readonly { readonly run: readonly string[] }[]) {
  return experimentFile({
    probes: { answers: answers(await webServer()) },
    method: [{ attack: 'process stop', name: 'stop it', with: { process: String(target.pid) } }, { wait: '9m' }],
    rollbacks,
  });
}

async function runsOf(stateDir: string): Promise<readonly RunRecord[]> {
  const { stdout, stderr, code } = await cli(['runs', '-o', 'json'], { stateDir });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as readonly RunRecord[];
}

/** Does the run's own document say that its attack is in force? */
function isInjected(stateDir: string): boolean {
  return readRuns(stateDir).some(({ document }) =>
    JSON.stringify(document?.['injections']).includes('"state":"injected"'),
  );
}

describe('the user wants out', { timeout: 120_000 }, () => {
  test('Ctrl-C once: undone, rolled back, measured again', async () => {
    const stateDir = tempStateDir();
    const marker = path.join(tempFolder(), 'rolled-back');
    const target = await sleeper('fl-run-once');
    const going = startRun(await stopFor(target, [{ run: ['touch', marker] }]), stateDir);
    await until('it is stopped', () => stateOf(target.pid) === 'T');
    going.child.kill('SIGINT');
    const { ran, run } = await going.outcome();
    expect([run.verdict, ran.code], ran.stderr).toEqual(['aborted', 2]);
    expect(run.reason).toBe('interrupted by the user');
    expect(stateOf(target.pid)).toBe('S');
    expect(existsSync(marker)).toBe(true);
    expect(run.phases.map(({ name }) => name)).toEqual(['before', 'method', 'rollback', 'after']);
    expect(story(run)).toContain('steady again');
    expectNothingLeft(stateDir);
  });

  test('Ctrl-C twice: injections are undone, and that is all', async () => {
    const stateDir = tempStateDir();
    const folder = tempFolder();
    const [begun, marker] = [path.join(folder, 'begun'), path.join(folder, 'rolled-back')];
    const target = await sleeper('fl-run-twice');
    const rollbacks = [{ run: ['sh', '-c', `touch ${begun}; exec sleep 600`] }, { run: ['touch', marker] }];
    const going = startRun(await stopFor(target, rollbacks), stateDir);
    // And not only begun: what is interrupted half way is undone by the attack itself.
    await until('it is stopped', () => isInjected(stateDir));
    going.child.kill('SIGINT');
    await until('rolling back has begun', () => existsSync(begun));
    expect(stateOf(target.pid)).toBe('S');
    going.child.kill('SIGINT');
    const { ran, run } = await going.outcome();
    expect([run.verdict, ran.code], ran.stderr).toEqual(['aborted', 2]);
    expect(run.rollbacks.map(({ text, succeeded }) => [text.split(' ')[0], succeeded])).toEqual([
      ['recover', true],
      ['sh', false],
    ]);
    expect(existsSync(marker)).toBe(false);
    expect(run.phases.map(({ name }) => name)).toEqual(['before', 'method', 'rollback']);
    expect(story(run)).toContain('the user insisted');
    expectNothingLeft(stateDir);
  });

  test('before anything is injected', async () => {
    const stateDir = tempStateDir();
    const target = await sleeper('fl-run-early');
    const file = experimentFile({
      steadyState: { before: '9m', probes: { answers: answers(await webServer()) } },
      method: [{ attack: 'process stop', with: { process: String(target.pid) } }],
    });
    const going = startRun(file, stateDir);
    await until('it has begun', () => readRuns(stateDir).length === 1);
    going.child.kill('SIGTERM');
    const { run } = await going.outcome();
    expect(run.verdict).toBe('aborted');
    expect(run.injections).toEqual([]);
    expect(run.phases.map(({ name }) => name)).toEqual(['before']);
  });
});

describe('the runner is killed', { timeout: 120_000 }, () => {
  test('the keeper undoes what it injected, and the run has its verdict', async () => {
    const stateDir = tempStateDir();
    const target = await sleeper('fl-run-killed');
    const going = startRun(await stopFor(target, []), stateDir);
    await until('it is stopped', () => isInjected(stateDir));
    await until('there is a keeper', () => keepersOf(stateDir).length === 1);
    going.child.kill('SIGKILL');
    await until('it runs again', () => stateOf(target.pid) === 'S');
    await until('the keeper is gone', () => keepersOf(stateDir).length === 0);
    expect(readRuns(stateDir)).toMatchObject([{ record: { verdict: 'aborted', reason: 'its runner was killed' } }]);
    const [{ document } = { document: null }] = readRuns(stateDir);
    expect(JSON.stringify(document?.['journal'])).toContain('aborted: its runner was killed');
    expect(document).toMatchObject({ verdict: 'aborted', injections: [{ name: 'stop it', state: 'recovered' }] });
    expectNothingLeft(stateDir);
  });

  test('without a keeper the next command does, whichever it is', async () => {
    const stateDir = tempStateDir();
    const target = await sleeper('fl-run-alone');
    const going = startRun(await stopFor(target, []), stateDir);
    // The attack is over: it looks for its keeper until then.
    await until('it is stopped', () => isInjected(stateDir));
    for (const keeper of keepersOf(stateDir)) process.kill(keeper, 'SIGKILL');
    await until('the keeper is dead', () => keepersOf(stateDir).length === 0);
    going.child.kill('SIGKILL');
    expect((await going.ended()).signal).toBe('SIGKILL');
    expect(stateOf(target.pid)).toBe('T');
    expect(await runsOf(stateDir)).toMatchObject([{ verdict: 'aborted', reason: 'its runner was killed' }]);
    expect(stateOf(target.pid)).toBe('S');
    expectNothingLeft(stateDir);
  });

  test('one that goes on is left alone by other commands', async () => {
    const stateDir = tempStateDir();
    const target = await sleeper('fl-run-going');
    const going = startRun(await stopFor(target, []), stateDir);
    await until('it is stopped', () => stateOf(target.pid) === 'T');
    expect(await runsOf(stateDir)).toMatchObject([{ verdict: null, name: 'tried' }]);
    expect(stateOf(target.pid)).toBe('T');
    going.child.kill('SIGINT');
    expect((await going.outcome()).run.verdict).toBe('aborted');
    expect(stateOf(target.pid)).toBe('S');
  });
});
