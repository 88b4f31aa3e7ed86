import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { isEndedState } from '../../../src/linux/procfs/stat.ts';
import { isErrno } from '../../../src/linux/syscall-error.ts';
import { tempFolder, tempStateDir } from '../../support/cli.ts';
import { sleeper, stateOf, until } from '../targets/processes.ts';
import { answers, expectNothingLeft, experimentFile, runOf, startRun, webServer } from './lab.ts';

const left: number[] = [];
afterEach(() => {
  for (const pid of left.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error;
    }
  }
});

/** The PID that a command has written to a file, once it has; it is ended with the test. */
async function pidIn(file: string): Promise<number> {
  const text = await until(`${file} is written`, () => existsSync(file) && readFileSync(file, 'utf8').trim());
  const pid = Number(text);
  expect(pid, text).toBeGreaterThan(0);
  left.push(pid);
  return pid;
}

const isGone = (pid: number): boolean => isEndedState(stateOf(pid) ?? 'X');

describe('commands of a run', { timeout: 120_000 }, () => {
  test('what a rollback leaves running goes on, and may go on to write, when the run is over', async () => {
    const folder = tempFolder();
    const [pidFile, beats] = [path.join(folder, 'pid'), path.join(folder, 'beats')];
    // Its output is that of the command: a pipe that nobody reads any more would kill it.
    const service = `echo $$ > ${pidFile}; while sleep 0.05; do echo still there; echo beat >> ${beats}; done`;
    const file = experimentFile({
      probes: { answers: answers(await webServer()) },
      method: [{ wait: '500ms' }],
      rollbacks: [{ run: ['sh', '-c', `sh -c '${service}' & exit 0`] }],
    });
    const { ran, run } = await runOf(file, tempStateDir());
    const pid = await pidIn(pidFile);
    expect(run.verdict, ran.stderr).toBe('held');
    const size = await until('it has written', () => existsSync(beats) && statSync(beats).size);
    await until('it has written twice more', () => statSync(beats).size > size + 'beat\n'.length);
    expect(isGone(pid)).toBe(false);
  });

  test('one that is broken off ends with all that it has started, also what ignores SIGTERM', async () => {
    const pidFile = path.join(tempFolder(), 'pid');
    const stubborn = `trap "" TERM; echo $$ > ${pidFile}; while :; do sleep 1; done`;
    const file = experimentFile({
      probes: { answers: answers(await webServer()) },
      method: [{ wait: '500ms' }],
      rollbacks: [{ run: { command: ['sh', '-c', `sh -c '${stubborn}' & sleep 600`], timeout: '10s' } }],
    });
    const { run } = await runOf(file, tempStateDir());
    const pid = await pidIn(pidFile);
    expect(run.verdict).toBe('error');
    expect(run.reason).toContain('took longer than 10 s');
    await until('it is gone', () => isGone(pid));
  });

  test('one that writes without end is ended in time, and the end of what it said is told', async () => {
    const file = experimentFile({
      probes: { answers: answers(await webServer()) },
      method: [{ run: { command: ['sh', '-c', 'yes all is lost'], timeout: '500ms' } }],
    });
    const { ran, run } = await runOf(file, tempStateDir());
    expect([run.verdict, ran.code]).toEqual(['error', 3]);
    expect(run.reason).toContain('took longer than 500 ms');
    expect(run.steps[0]?.detail?.length).toBeLessThan(1_000);
  });

  test('a branch that fails ends the others, with their commands, before anything else is done', async () => {
    const stateDir = tempStateDir();
    const pidFile = path.join(tempFolder(), 'pid');
    const { pid } = await sleeper('fl-run-branch');
    const file = experimentFile({
      probes: { answers: answers(await webServer()) },
      method: [
        {
          parallel: [
            [{ attack: 'process stop', name: 'stop it', with: { process: String(pid) } }, { wait: '9m' }],
            [{ run: { command: ['sh', '-c', `echo $$ > ${pidFile}; exec sleep 600`], timeout: '9m' } }],
            [
              { run: { command: ['sh', '-c', `until test -s ${pidFile}; do sleep 0.05; done`], timeout: '9m' } },
              { attack: 'process stop', name: 'stop nobody', with: { process: 'fl-run-nobody' } },
            ],
          ],
        },
      ],
      blastRadius: { targets: 2, duration: '10m' },
    });
    const { ran, run } = await runOf(file, stateDir);
    const command = await pidIn(pidFile);
    expect([run.verdict, ran.code], ran.stderr).toEqual(['error', 3]);
    expect(run.reason).toContain('stop nobody: there is no live process named "fl-run-nobody"');
    const outcomes = Object.fromEntries(run.steps.map((step) => [step.path, step.outcome]));
    expect(outcomes).toMatchObject({
      'method[0]': 'interrupted',
      'method[0].parallel[1][0]': 'interrupted',
      'method[0].parallel[2][1]': 'failed',
    });
    // Its branch may not have come so far.
    expect(['interrupted', 'skipped']).toContain(outcomes['method[0].parallel[0][1]']);
    expect(isGone(command)).toBe(true);
    expect(stateOf(pid)).toBe('S');
    expectNothingLeft(stateDir);
  });

  test('who insists while a command will not end, and once more: nothing of it is left', async () => {
    const stateDir = tempStateDir();
    const pidFile = path.join(tempFolder(), 'pid');
    const stubborn = `trap "" TERM; echo $$ > ${pidFile}; while :; do sleep 1; done`;
    const file = experimentFile({
      probes: { answers: answers(await webServer()) },
      method: [{ wait: '500ms' }],
      rollbacks: [{ run: { command: ['sh', '-c', stubborn], timeout: '9m' } }],
    });
    const going = startRun(file, stateDir);
    const pid = await pidIn(pidFile);
    const signals = setInterval(() => going.child.kill('SIGINT'), 50);
    const ended = await going.ended();
    clearInterval(signals);
    expect(ended.code === 2 || ended.code === 130 || ended.signal === 'SIGINT', JSON.stringify(ended)).toBe(true);
    await until('it is gone', () => isGone(pid));
  });

  test('nor is a program that a probe runs, and that hangs', async () => {
    const pidFile = path.join(tempFolder(), 'pid');
    const hanging = ['sh', '-c', `echo $$ > ${pidFile}; exec sleep 600`];
    const file = experimentFile({
      probes: { hangs: { command: { run: hanging, every: '100ms', timeout: '9m' }, expect: { success: '100%' } } },
      method: [{ wait: '500ms' }],
    });
    const going = startRun(file, tempStateDir());
    const pid = await pidIn(pidFile);
    const signals = setInterval(() => going.child.kill('SIGINT'), 5);
    await going.ended();
    clearInterval(signals);
    expect(await until('it is gone', () => isGone(pid))).toBe(true);
  });
});
