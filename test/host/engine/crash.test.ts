import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openEngine } from '../../../src/experiment/engine.ts';
import { cli, type Ran, tempFolder, tempStateDir } from '../../support/cli.ts';
import { buildCrashingProgram } from '../../support/crashing.ts';
import { readJournal } from '../../support/journal.ts';
import { sleeper, type TestProcess, until, stateOf as stateOfPid } from '../targets/processes.ts';

/*
 * The command dies of SIGKILL at every step of the engine in turn. Whatever the step, `recover --all` must bring every
 * process back that can be, journal and processes must agree, and a second recover must change nothing.
 */

let script = '';
beforeAll(async () => {
  script = await buildCrashingProgram();
});

const stateOf = ({ pid }: TestProcess): string | undefined => stateOfPid(pid);

interface Crash {
  readonly stateDir: string;
  readonly targets: readonly TestProcess[];
  readonly ran: Ran;
  /** The step it died at, for messages. */
  readonly step: string;
}

/** @param at the number of a step, or the type of an event */
async function crashAt(
  at: number | string,
  command: string,
  args: (name: string) => readonly string[],
): Promise<Crash> {
  const stateDir = tempStateDir();
  const name = `fl-crash-${typeof at === 'number' ? at : 'on'}`;
  const targets = await Promise.all([sleeper(name), sleeper(name), sleeper(name)]);
  const log = path.join(tempFolder(), 'steps');
  const env = { CRASH_AT: String(at), CRASH_ON: String(at), CRASH_COMMAND: command, CRASH_LOG: log };
  const ran = await cli(args(name), { stateDir, script, env });
  return { stateDir, targets, ran, step: ran.signal === 'SIGKILL' ? readFileSync(log, 'utf8').trim() : 'none' };
}

/** What a command would do, here: there is another one for each step as it is. */
async function recoverAgain(stateDir: string): Promise<unknown> {
  const interrupted = new AbortController().signal;
  const engine = openEngine({ stateDir, via: 'test', program: [], interrupted, observe: () => undefined });
  try {
    await engine.supervise();
    return await engine.recoverAll(false);
  } finally {
    engine.close();
  }
}

async function expectRecovered({ stateDir, targets, step }: Crash, allMustLive: boolean): Promise<void> {
  const first = await cli(['recover', '--all'], { stateDir });
  expect(first.code, `${step}: ${first.stderr}`).toBe(0);
  for (const target of targets) expect(stateOf(target), step).not.toBe('T');
  if (allMustLive) for (const target of targets) expect(stateOf(target), step).toBe('S');
  const before = readJournal(stateDir);
  for (const { record, effects } of before) {
    expect(['recovered', 'failed', 'unrecoverable'], `${step}: ${record.uid}`).toContain(record.state);
    expect(
      effects.filter(({ status }) => status === 'intended' || status === 'releasing'),
      step,
    ).toEqual([]);
  }
  expect(await recoverAgain(stateDir), step).toMatchObject({ recovered: [], failed: [] });
  expect(readJournal(stateDir), step).toEqual(before);
}

/**
 * Crash at step 1, 2, 3, … until there is no such step any more; two at a time, as much of it is waiting.
 *
 * @returns how many there were
 */
async function everyStep(run: (at: number) => Promise<boolean>): Promise<number> {
  for (let at = 1; ; at += 2) {
    const died = await Promise.all([run(at), run(at + 1)]);
    if (died.includes(false)) return at - 1 + died.filter(Boolean).length;
  }
}

describe('a command killed at any step', () => {
  test('attack process stop on three processes: recover --all brings each back', { timeout: 900_000 }, async () => {
    const steps = await everyStep(async (at) => {
      const crash = await crashAt(at, 'attack', (name) => ['attack', 'process', 'stop', '-p', name]);
      await expectRecovered(crash, true);
      return crash.ran.signal === 'SIGKILL';
    });
    // Before and after each of: admit, intend, three signals, settle with conclude and audit.
    expect(steps).toBeGreaterThan(15);
  });

  test('attack process kill on three processes: journal and processes agree', { timeout: 900_000 }, async () => {
    const steps = await everyStep(async (at) => {
      const crash = await crashAt(at, 'attack', (name) => ['attack', 'process', 'kill', '-p', name]);
      await until('zombies are reaped', () => crash.targets.every((target) => stateOf(target) !== 'Z'));
      await expectRecovered(crash, false);
      const dead = crash.targets.filter((target) => stateOf(target) === undefined).length;
      const effects = readJournal(crash.stateDir).flatMap((injection) => injection.effects);
      expect(effects.filter(({ status }) => status === 'applied').length, crash.step).toBe(dead);
      return crash.ran.signal === 'SIGKILL';
    });
    expect(steps).toBeGreaterThan(15);
  });

  test('recover itself: the next one finishes its work', { timeout: 900_000 }, async () => {
    const steps = await everyStep(async (at) => {
      const crash = await crashAt(at, 'recover', (name) => ['attack', 'process', 'stop', '-p', name]);
      expect(crash.ran.code, crash.ran.stderr).toBe(0);
      const env = { CRASH_AT: String(at), CRASH_COMMAND: 'recover' };
      const recovery = await cli(['recover', '--all'], { stateDir: crash.stateDir, script, env });
      await expectRecovered(crash, true);
      return recovery.signal === 'SIGKILL';
    });
    expect(steps).toBeGreaterThan(12);
  });

  test('the next command of any kind repairs it, not only recover', async () => {
    const crash = await crashAt('writing settle', 'attack', (name) => ['attack', 'process', 'stop', '-p', name]);
    expect(crash.ran.signal).toBe('SIGKILL');
    const search = await cli(['search'], { stateDir: crash.stateDir });
    expect(search.stderr).toContain('was left behind');
    for (const target of crash.targets) expect(stateOf(target)).toBe('S');
  });

  test('with a lease, the keeper undoes it without any further command', async () => {
    const crash = await crashAt('writing settle', 'attack', (name) => [
      'attack',
      'process',
      'stop',
      '-p',
      name,
      '--duration',
      '1h',
    ]);
    expect(crash.ran.signal, crash.ran.stderr).toBe('SIGKILL');
    await until('the keeper has continued all three', () => crash.targets.every((target) => stateOf(target) === 'S'));
  });
});
