import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunDocument } from '../../../src/runner/result.ts';
import { cli, finished, startCli, tempFolder, tempStateDir } from '../../support/cli.ts';
import { sleeper, stateOf, until } from '../targets/processes.ts';
import { answers, expectNothingLeft, experimentFile, keepersOf, startRun, webServer } from './lab.ts';

/*
 * A run is killed at any moment, and with it perhaps its keeper, and whoever comes to repair. Whatever happens, the
 * next command leaves nothing of it, and the journal has its verdict.
 */

const rounds = Number(process.env['FAULTLINE_TEST_ROUNDS'] ?? 8);

/** Where the run is to be killed, by what its commands have left behind; then after a moment. */
const moments = ['before', 'one', 'two', 'over', 'rollback'] as const;

async function experimentOf(folder: string, pids: readonly (number | undefined)[]): Promise<string> {
  const mark = (name: string) => ({ run: ['touch', path.join(folder, name)] });
  const stop = (pid: number | undefined, name: string) => ({
    attack: 'process stop',
    name,
    with: { process: String(pid) },
  });
  return experimentFile({
    steadyState: { before: '300ms', after: '300ms', recovery: '60s', probes: { answers: answers(await webServer()) } },
    method: [
      mark('before'),
      stop(pids[0], 'stop one'),
      mark('one'),
      { parallel: [[stop(pids[1], 'stop two'), mark('two'), { wait: '200ms' }], [{ run: ['sleep', '0.2'] }]] },
      { recover: 'stop one' },
      mark('over'),
    ],
    rollbacks: [mark('rollback'), { run: ['sleep', '0.2'] }],
    blastRadius: { targets: 2, duration: '10m' },
  });
}

async function killRepairer(stateDir: string, afterMs: number): Promise<void> {
  const repairer = startCli(['search'], { stateDir });
  const timer = setTimeout(() => repairer.kill('SIGKILL'), afterMs);
  await finished(repairer);
  clearTimeout(timer);
}

describe('a runner that is killed', { timeout: rounds * 120_000 }, () => {
  test.each(Array.from({ length: rounds }, (_, round) => round))('round %i', { timeout: 120_000 }, async (round) => {
    const [stateDir, folder] = [tempStateDir(), tempFolder()];
    const targets = await Promise.all([sleeper('fl-run-one'), sleeper('fl-run-two')]);
    const file = await experimentOf(
      folder,
      targets.map(({ pid }) => pid),
    );
    const moment = moments[round % moments.length] ?? 'before';
    const afterMs = Math.random() * 400;
    const withKeeper = Math.random() < 0.5;
    const told = `killed ${afterMs.toFixed(0)} ms after ${moment}${withKeeper ? ', with its keeper' : ''}`;
    const going = startRun(file, stateDir);
    await until(moment, () => existsSync(path.join(folder, moment)));
    setTimeout(() => going.child.kill('SIGKILL'), afterMs);
    const { signal } = await going.ended();
    if (withKeeper) for (const keeper of keepersOf(stateDir)) process.kill(keeper, 'SIGKILL');
    if (withKeeper) await killRepairer(stateDir, 200 + Math.random() * 600);

    const { stdout, stderr, code } = await cli(['report', '-o', 'json'], { stateDir });
    expect(code, `${told}: ${stderr}`).toBe(0);
    const run = JSON.parse(stdout) as RunDocument;
    const wasOver = run.verdict === 'held';
    expect(wasOver || run.reason === 'its runner was killed', `${told}: ${run.reason}`).toBe(true);
    if (signal === null) expect(run.verdict, told).toBe('held');
    expect(run.endedAt, told).not.toBeNull();
    await until(`${told}: both run again`, () => targets.every(({ pid }) => stateOf(pid) === 'S'));
    const states = run.injections.map(({ state }) => state);
    expect(
      states.every((state) => ['recovered', 'failed', 'planned'].includes(state)),
      `${told}: ${states.join()}`,
    ).toBe(true);
    if (!wasOver) expect(run.journal.map(({ text }) => text).join('\n')).toContain('aborted: its runner was killed');
    expectNothingLeft(stateDir);
    await until('the keeper is gone', () => keepersOf(stateDir).length === 0);
  });
});
