import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { databaseProgram, logProgram, stormProgram } from '../../support/io-programs.ts';
import { hasPython, start, until } from '../targets/processes.ts';
import { cannotInject, nothingLeft, scene } from './lab.ts';
import { hasPostgres, startPostgres } from './postgres.ts';

/*
 * Programs that go on as if nothing was, while a fault that disturbs nothing of theirs is injected and recovered under
 * them again and again: not an error, not a call that was interrupted, not a byte that is lost or wrong.
 */

const rounds = Number(process.env['FAULTLINE_TEST_ROUNDS'] ?? 8);

/** Disturbs what none of them does, so that what they see must be what they would see without it. */
const harmless = ['latency', '--methods', 'symlink', '--delay', '1ms'];

const hasSqlite = hasPython && spawnSync('python3', ['-c', 'import sqlite3']).status === 0;
if (!hasPython) console.warn('Skipped: without python3 there are no programs to inject under');
else if (!hasSqlite) console.warn('Skipped: python3 has no sqlite3');

interface Ended {
  readonly wrong: readonly string[];
  /** How much it has done. */
  readonly rounds: number;
}

interface RunningProgram {
  readonly pid: number;
  /** End it. @returns what it says about it */
  ended(): Promise<Ended>;
}

/** @param code of test/support/io-programs.ts */
async function startProgram(code: string, ...args: readonly string[]): Promise<RunningProgram> {
  const { child, pid } = await start('python3', ['-c', code, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('it has no pipes');
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const hear = async (): Promise<string> => {
    const { done, value } = await lines.next();
    if (done === true) throw new Error('it has ended');
    return value;
  };
  await hear();
  return {
    pid,
    ended: async () => {
      stdin.end();
      return JSON.parse(await hear()) as Ended;
    },
  };
}

describe.skipIf(cannotInject !== undefined || !hasPython)('programs go on', () => {
  test(`while it is injected and recovered ${rounds} times`, { timeout: 120_000 * rounds }, async () => {
    const one = scene();
    const log = one.inVolume('log');
    const programs = [
      await startProgram(logProgram, log),
      await startProgram(stormProgram, one.volume, '50'),
      ...(hasSqlite ? [await startProgram(databaseProgram, one.inVolume('database'))] : []),
      ...(hasPostgres ? [await startPostgres(one.inVolume('postgres'))] : []),
    ];
    const tail = await start('tail', ['-n', '+1', '-f', log], { stdio: ['ignore', 'pipe', 'inherit'] });
    let followed = '';
    tail.child.stdout?.setEncoding('utf8').on('data', (piece: string) => (followed += piece));
    const pids = [...programs.map(({ pid }) => pid), tail.pid];

    for (let round = 1; round <= rounds; round++) {
      const uid = await one.inject(harmless);
      const { verdict, targets } = await one.show(uid);
      expect(verdict, `round ${round}: ${JSON.stringify(targets)}`).toBe('confirmed');
      await one.recover(uid);
    }

    await nothingLeft(one, pids);
    const ends = await Promise.all(programs.map((program) => program.ended()));
    for (const { wrong, rounds: done } of ends) {
      expect(wrong).toEqual([]);
      expect(done).toBeGreaterThan(rounds);
    }
    const lines = Array.from({ length: ends[0]?.rounds ?? 0 }, (_, line) => `line ${line}\n`).join('');
    expect(readFileSync(log, 'utf8') === lines).toBe(true);
    await until('tail has told all of it', () => followed.length >= lines.length);
    expect(followed === lines).toBe(true);
  });
});
