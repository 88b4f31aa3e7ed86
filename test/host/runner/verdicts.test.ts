import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, tempFolder, tempStateDir } from '../../support/cli.ts';
import { sleeper, stateOf, until } from '../targets/processes.ts';
import { answers, attackableServer, expectNothingLeft, experimentFile, runOf, story, webServer } from './lab.ts';

const isRoot = process.geteuid?.() === 0;

describe('a run', { timeout: 120_000 }, () => {
  test('holds: one of two is killed, and who only reads does not notice', async () => {
    const stateDir = tempStateDir();
    const url = await webServer();
    const workers = await Promise.all([sleeper('fl-run-held'), sleeper('fl-run-held')]);
    const file = experimentFile({
      probes: {
        answers: answers(url),
        workers: { process: { name: 'fl-run-held', every: '100ms' }, expect: { count: { between: [1, 2] } } },
      },
      method: [
        { wait: '300ms' },
        { attack: 'process kill', name: 'kill one', with: { process: 'fl-run-held', mode: 'one', signal: 'KILL' } },
        { parallel: [[{ wait: '300ms' }], [{ run: ['true'] }, { wait: '200ms' }]] },
        { assert: { answers: { success: { atLeast: '99%' } } } },
      ],
      blastRadius: { targets: 1, percent: '50%', duration: '10m', processes: ['fl-run-held'] },
      rollbacks: [{ run: ['true'] }],
    });
    const { ran, run } = await runOf(file, stateDir);
    expect(run.verdict, ran.stderr).toBe('held');
    expect(ran.code).toBe(0);
    await until('one is reaped', () => workers.filter(({ pid }) => stateOf(pid) === undefined).length === 1);
    expect(run.phases.map(({ name }) => name)).toEqual(['before', 'method', 'rollback', 'after']);
    expect(run.steps.map(({ path: step, outcome }) => [step, outcome])).toContainEqual([
      'method[2].parallel[1][1]',
      'done',
    ]);
    expect(run.steps.every(({ outcome }) => outcome === 'done')).toBe(true);
    expect(run.injections).toMatchObject([
      {
        name: 'kill one',
        command: 'faultline attack process kill --process fl-run-held --mode one --signal KILL',
        state: 'unrecoverable',
        percent: 50,
        toMs: null,
        targets: [{ verdict: 'confirmed' }],
      },
    ]);
    expect(run.blastRadius.actual).toMatchObject({ targets: 1, percent: 50 });
    expect(run.probes.flatMap(({ judgements }) => judgements).every(({ held }) => held)).toBe(true);
    expect(new Set(run.probes[0]?.judgements.map(({ phase }) => phase))).toEqual(
      new Set(['before', 'method', 'after']),
    );
    expect(run.probes[0]?.series[0]?.points.length).toBeGreaterThan(0);
    if (isRoot) {
      expect(run.deaths).toHaveLength(1);
      expect(run.deaths[0]?.sentence).toContain(`SIGKILL, by us, injection ${run.injections[0]?.uid}`);
    }
    const listed = JSON.parse((await cli(['runs', '-o', 'json'], { stateDir })).stdout) as unknown;
    expect(listed).toMatchObject([{ uid: run.uid, name: 'tried', verdict: 'held' }]);
    const reported = await cli(['report', run.uid, '-o', 'json'], { stateDir });
    expect(JSON.parse(reported.stdout), 'what the journal keeps is the whole of it').toEqual(run);
    expectNothingLeft(stateDir);
  });

  test('deviates: a server is stopped; answers that come after the method belong to it', async () => {
    const stateDir = tempStateDir();
    const { target, url } = await attackableServer();
    const file = experimentFile({
      // Of a machine that has no time for it nothing else is expected.
      probes: { answers: { ...answers(url, { success: { atLeast: '0%' } }), during: { p99: { atMost: '2s' } } } },
      method: [{ attack: 'process stop', name: 'stop it', with: { process: String(target.pid) } }, { wait: '4s' }],
    });
    const { ran, run } = await runOf(file, stateDir);
    expect(run.verdict, ran.stderr).toBe('deviated');
    expect(ran.code).toBe(1);
    expect(run.reason).toMatch(/^answers: p99 was .+, at most 2 s expected, over the whole method \(stop it\)$/);
    expect(run.deviations[0]).toMatchObject({ probe: 'answers', measure: 'p99', phase: 'method' });
    expect(run.injections[0]).toMatchObject({ state: 'recovered' });
    expect(run.injections[0]?.toMs).toBeGreaterThan(run.injections[0]?.fromMs ?? 0);
    expect(run.rollbacks).toMatchObject([{ text: 'recover stop it', succeeded: true }]);
    expect(stateOf(target.pid)).toBe('S');
    expectNothingLeft(stateDir);
  });

  test('an assertion that fails decides, and the method goes on', async () => {
    const stateDir = tempStateDir();
    const marker = path.join(tempFolder(), 'went-on');
    const file = experimentFile({
      probes: { answers: answers(await webServer()) },
      method: [{ wait: '300ms' }, { assert: { answers: { failures: { atLeast: 1 } } } }, { run: ['touch', marker] }],
    });
    const { ran, run } = await runOf(file, stateDir);
    expect([run.verdict, ran.code]).toEqual(['deviated', 1]);
    expect(run.steps.map(({ outcome }) => outcome)).toEqual(['done', 'failed', 'done']);
    expect(existsSync(marker)).toBe(true);
  });

  test('an assertion of what is seen at a look means now, and not what was before', async () => {
    await Promise.all([sleeper('fl-run-now'), sleeper('fl-run-now')]);
    const some = { count: { between: [1, 2] } };
    const file = experimentFile({
      probes: { workers: { process: { name: 'fl-run-now', every: '100ms' }, expect: some } },
      method: [
        { wait: '500ms' },
        { assert: { workers: { count: 2 } } },
        { attack: 'process kill', with: { process: 'fl-run-now', mode: 'one' } },
        { assert: { workers: { count: 1 } } },
        { assert: { workers: { count: 2 } } },
      ],
    });
    const { run } = await runOf(file, tempStateDir());
    expect(run.steps.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done', 'done', 'failed']);
    expect(run.reason).toMatch(/^workers: count was 1, exactly 2 expected, /);
  });

  test('an assertion waits for the next look of a program that takes longer than its turn', async () => {
    const slow = { command: { run: ['sh', '-c', 'sleep 1; echo well'], every: '100ms', timeout: '60s' } };
    const well = { assert: { slow: { exitCode: 0, output: 'well' } } };
    const file = experimentFile({
      steadyState: {
        before: '5s',
        after: '5s',
        recovery: '60s',
        probes: { slow: { ...slow, expect: { success: '100%' } } },
      },
      method: [well, well, well, well],
    });
    const { ran, run } = await runOf(file, tempStateDir());
    expect(
      run.steps.map(({ outcome }) => outcome),
      ran.stderr,
    ).toEqual(['done', 'done', 'done', 'done']);
  });

  test('not steady before: nothing is injected, nothing rolled back', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-run-before');
    const marker = path.join(tempFolder(), 'rolled-back');
    const file = experimentFile({
      // Nobody listens on port 1.
      probes: { answers: answers('http://127.0.0.1:1/') },
      method: [{ attack: 'process kill', with: { process: String(pid) } }],
      rollbacks: [{ run: ['touch', marker] }],
    });
    const { ran, run } = await runOf(file, stateDir);
    expect([run.verdict, ran.code]).toEqual(['aborted', 2]);
    expect(run.reason).toMatch(/^not steady before the start, so nothing was injected: answers: success was 0%/);
    expect(run.phases.map(({ name }) => name)).toEqual(['before']);
    expect(run.injections).toEqual([]);
    expect(stateOf(pid)).toBe('S');
    expect(existsSync(marker)).toBe(false);
    expect(story(run)).toContain('not steady before the start');
  });

  test('the target vanishes before it is attacked: an error, and what was injected before is undone', async () => {
    const stateDir = tempStateDir();
    const kept = await sleeper('fl-run-kept');
    const gone = await sleeper('fl-run-gone');
    const file = experimentFile({
      probes: { answers: answers(await webServer()) },
      method: [
        { attack: 'process stop', name: 'stop the first', with: { process: String(kept.pid) } },
        { run: ['kill', '-KILL', String(gone.pid)] },
        { wait: '300ms' },
        { attack: 'process stop', name: 'stop the second', with: { process: 'fl-run-gone' } },
        { wait: '9m' },
      ],
      blastRadius: { targets: 2, duration: '10m' },
    });
    const { ran, run } = await runOf(file, stateDir);
    expect([run.verdict, ran.code], ran.stderr).toEqual(['error', 3]);
    expect(run.reason).toContain('stop the second: there is no live process named "fl-run-gone"');
    expect(run.steps.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done', 'failed', 'skipped']);
    expect(run.rollbacks).toMatchObject([{ text: 'recover stop the first', succeeded: true }]);
    expect(stateOf(kept.pid)).toBe('S');
    expect(run.phases.at(-1)?.name).toBe('after');
    expectNothingLeft(stateDir);
  });

  test('a target that dies while it is stopped is a death on the timeline, and nothing is left', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-run-dies');
    const file = experimentFile({
      probes: { answers: answers(await webServer()) },
      method: [
        { attack: 'process stop', name: 'stop it', with: { process: String(pid) } },
        { run: ['kill', '-KILL', String(pid)] },
        { wait: '300ms' },
      ],
    });
    const { run } = await runOf(file, stateDir);
    expect(run.verdict).toBe('held');
    if (isRoot) {
      expect(run.deaths).toMatchObject([{ pid, cause: 'SIGKILL', injection: null }]);
      expect(run.deaths[0]?.sentence).not.toContain('by us');
    }
    expectNothingLeft(stateDir);
  });

  test('what its lease has ended is told as undone, and when', async () => {
    const { pid } = await sleeper('fl-run-lease');
    const file = experimentFile({
      probes: { answers: answers(await webServer()) },
      method: [
        { attack: 'process stop', name: 'stop it', with: { process: String(pid), duration: '300ms' } },
        { wait: '3s' },
      ],
    });
    const { ran, run } = await runOf(file, tempStateDir());
    expect(run.verdict, ran.stderr).toBe('held');
    expect(run.injections).toMatchObject([{ name: 'stop it', state: 'recovered' }]);
    const [injection] = run.injections;
    expect(injection?.toMs).toBeGreaterThan(injection?.fromMs ?? 0);
  });

  test('a rollback that fails is an error; the others are run all the same', async () => {
    const stateDir = tempStateDir();
    const { pid } = await sleeper('fl-run-roll');
    const marker = path.join(tempFolder(), 'rolled-back');
    const file = experimentFile({
      probes: { answers: answers(await webServer()) },
      method: [{ attack: 'process stop', name: 'stop it', with: { process: String(pid) } }],
      rollbacks: [
        { run: ['sh', '-c', 'echo it is broken >&2; exit 7'] },
        { run: ['/nonexistent/program'] },
        { run: { command: ['sleep', '600'], timeout: '200ms' } },
        { run: ['touch', marker] },
      ],
    });
    const { ran, run } = await runOf(file, stateDir);
    expect([run.verdict, ran.code], ran.stderr).toEqual(['error', 3]);
    expect(run.reason).toContain('exit code 7: it is broken');
    expect(run.rollbacks.map(({ succeeded }) => succeeded)).toEqual([true, false, false, false, true]);
    expect(run.rollbacks[3]?.detail).toContain('took longer than 200 ms');
    expect(existsSync(marker)).toBe(true);
    expect(stateOf(pid)).toBe('S');
    expect(run.phases.at(-1)?.name).toBe('after');
    expectNothingLeft(stateDir);
  });
});
