import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { mapConcurrently } from '../../../src/base/concurrency.ts';
import { tempFolder, uidIn } from '../../support/cli.ts';
import { buildIoCrashingProgram } from '../../support/io-crashing.ts';
import type { TargetAnswer } from '../../support/io-target-program.ts';
import { readJournal } from '../../support/journal.ts';
import { stateOf, until } from '../targets/processes.ts';
import {
  cannotInject,
  content,
  fill,
  kill,
  mountsOf,
  nothingLeft,
  ours,
  processesOf,
  type Scene,
  scene,
} from './lab.ts';
import { startTarget, type Target } from './target.ts';

/*
 * Whatever dies of SIGKILL, at whatever step: in the end the volume is what it was, the program that uses it lives and
 * works, nothing is mounted, and the journal says so.
 */

let script = '';
beforeAll(async () => {
  if (cannotInject === undefined) script = await buildIoCrashingProgram();
});

const fault = ['fault', '--methods', 'read', '--errno', 'EIO'];
const readAll = { do: 'read', at: 0, size: content.length } as const;
const textOf = ({ bytes = '' }: TargetAnswer): string => Buffer.from(bytes, 'base64').toString();

/** Until the process waits for whoever serves the volume: request_wait_answer of fs/fuse/dev.c. */
function waitsInFuse(pid: number): Promise<unknown> {
  return until('it waits', () => readFileSync(`/proc/${pid}/wchan`, 'utf8').startsWith('request_wait'));
}

interface Stage {
  readonly one: Scene;
  readonly target: Target;
}

async function stage(): Promise<Stage> {
  const one = scene();
  return { one, target: await startTarget(one.inVolume('file')) };
}

/** The program is there, and its file is what it was. */
async function expectWell({ one, target }: Stage, step: string): Promise<void> {
  await nothingLeft(one, [target.pid]).catch((error: unknown) => {
    throw new Error(`${step}: ${String(error)}`);
  });
  expect(stateOf(target.pid), step).toBe('S');
  for (const file of [{}, { file: one.inVolume('file') }]) {
    expect(textOf(await target.ask({ ...readAll, ...file })) === content, step).toBe(true);
  }
}

function expectSettled({ stateDir }: Scene, step: string): void {
  for (const { record, effects } of readJournal(stateDir)) {
    expect(['recovered', 'failed'], `${step}: ${record.state}`).toContain(record.state);
    const open = effects.filter(({ status }) => status !== 'undone' && status !== 'refused');
    expect(open, step).toEqual([]);
  }
}

/** After the next command all is as it was. */
async function expectRecovered(on: Stage, step: string): Promise<void> {
  const ran = await on.one.run(['recover', '--all']);
  expect(ran.code, `${step}: ${ran.stdout}${ran.stderr}`).toBe(0);
  await expectWell(on, step);
  expectSettled(on.one, step);
  const again = await on.one.run(['recover', '--all']);
  expect(again.stdout, step).toBe('Nothing is live\n');
}

/** Environment in which somebody dies, and what tells where. */
interface Trap {
  readonly env: NodeJS.ProcessEnv;
  /** The step at which it happened; undefined: it did not. */
  readonly step: () => string | undefined;
}

function trap(variables: (log: string) => Readonly<Record<string, string>>): Trap {
  const log = path.join(tempFolder(), 'step');
  return { env: variables(log), step: () => (existsSync(log) ? readFileSync(log, 'utf8').trim() : undefined) };
}

const engineTrap = (command: string, at: number): Trap =>
  trap((log) => ({ CRASH_COMMAND: command, CRASH_AT: String(at), CRASH_LOG: log }));
const faultTrap = (role: string, at: number): Trap =>
  trap((log) => ({ IO_CRASH_IN: role, IO_CRASH_AT: String(at), IO_CRASH_LOG: log }));

/** How many volumes at a time: most of it is waiting. */
const atOnce = 4;

/** Die at step 1, 2, 3, … until there is no such step any more. @returns the steps */
async function everyStep(dieAt: (at: number) => Promise<string | undefined>): Promise<readonly string[]> {
  const steps: string[] = [];
  for (let first = 1; ; first += atOnce) {
    const numbers = Array.from({ length: atOnce }, (_, index) => first + index);
    const died = (await mapConcurrently(numbers, atOnce, dieAt)).filter((step) => step !== undefined);
    steps.push(...died);
    if (died.length < atOnce) return steps;
  }
}

/** Inject, and recover what was injected, with a trap; then all must be well after one more command. */
async function injectAndRecover({ env, step }: Trap): Promise<string | undefined> {
  const on = await stage();
  const attack = await on.one.run(['attack', 'io', fault[0] ?? '', '--volume', on.one.volume, ...fault.slice(1)], {
    script,
    env,
  });
  if (attack.code === 0) await on.one.run(['recover', uidIn(attack.stdout)], { script, env });
  await expectRecovered(on, step() ?? 'nobody died');
  return step();
}

describe.skipIf(cannotInject !== undefined)('killed at each step of its work', () => {
  test('the command that injects', { timeout: 300_000 }, async () => {
    const steps = await everyStep((at) => injectAndRecover(engineTrap('attack', at)));
    expect(steps.length).toBeGreaterThan(8);
  });

  test('the command that recovers', { timeout: 300_000 }, async () => {
    const steps = await everyStep((at) => injectAndRecover(engineTrap('recover', at)));
    expect(steps.length).toBeGreaterThan(6);
  });

  test('the daemon, while it covers and while it uncovers', { timeout: 300_000 }, async () => {
    const steps = await everyStep((at) => injectAndRecover(faultTrap('daemon', at)));
    expect(steps.join('\n')).toMatch(/attach[\s\S]*sendRepointer[\s\S]*detach[\s\S]*sendRepointer/u);
  });

  test('who moves open files, onto the volume', { timeout: 300_000 }, async () => {
    const steps = await everyStep((at) => injectAndRecover(faultTrap('repointer', at)));
    expect(steps.join('\n')).toMatch(/staged[\s\S]*performed/u);
  });

  test('the command that recovers without a daemon', { timeout: 300_000 }, async () => {
    const steps = await everyStep(async (at) => {
      const on = await stage();
      const uid = await on.one.inject(fault, { script });
      kill(await ours(on.one, 'keeper'));
      kill(await ours(on.one, 'io-daemon'));
      const { env, step } = faultTrap('recover', at);
      await on.one.run(['recover', uid], { script, env });
      await expectRecovered(on, step() ?? 'nobody died');
      return step();
    });
    expect(steps.join('\n')).toMatch(/detach[\s\S]*sendRepointer[\s\S]*removeTraces/u);
  });
});

describe.skipIf(cannotInject !== undefined)('killed while it lasts', () => {
  /** Without another command. */
  async function expectEndedByKeeper(on: Stage, what: string): Promise<void> {
    await expectWell(on, what);
    await until('the journal says so', () => readJournal(on.one.stateDir)[0]?.record.state === 'recovered');
    expectSettled(on.one, what);
  }

  test('the daemon: the keeper gives the volume back', async () => {
    const on = await stage();
    const uid = await on.one.inject(fault);
    kill(await ours(on.one, 'io-daemon'));
    await expectEndedByKeeper(on, 'daemon');
    const { timeline } = await on.one.show(uid);
    expect(timeline).toContainEqual(
      expect.objectContaining({ type: 'recovering', data: { reason: 'the daemon of its volume has died' } }),
    );
  });

  test('the daemon, when what the volume lies in is called otherwise by then', async () => {
    const on = await stage();
    const parent = path.dirname(on.one.volume);
    const aside = mkdtempSync(path.join(tmpdir(), 'faultline-io-renamed-'));
    onTestFinished(() => rmSync(aside, { recursive: true, force: true }));
    // Its state folder lies there, too, and stays.
    const within = path.join(parent, 'within');
    const deep = path.join(within, 'volume');
    fill(deep);
    const target = await startTarget(path.join(deep, 'file'));
    const ran = await on.one.run(['attack', 'io', ...fault, '--volume', deep]);
    expect(ran.code, ran.stderr).toBe(0);
    renameSync(within, path.join(aside, 'other'));
    kill(await ours(on.one, 'io-daemon'));
    await until('the journal says so', () => readJournal(on.one.stateDir)[0]?.record.state === 'recovered');
    expectSettled(on.one, 'renamed');
    expect(textOf(await target.ask(readAll)) === content).toBe(true);
    expect(mountsOf({ below: aside })).toEqual([]);
  });

  test('the daemon, with an operation that waits: whoever waits is let go, with an error', async () => {
    const on = await stage();
    await on.one.inject(['latency', '--methods', 'read', '--delay', '1h']);
    const waiting = on.target.ask({ do: 'read', at: 0, size: 10 });
    await waitsInFuse(on.target.pid);
    kill(await ours(on.one, 'io-daemon'));
    expect((await waiting).error).toMatch(/^E(?:CONNABORTED|NOTCONN)$/u);
    await expectEndedByKeeper(on, 'daemon');
  });

  test('nobody, with an operation that waits: it is let go, and is done', async () => {
    const on = await stage();
    const uid = await on.one.inject(['latency', '--methods', 'read', '--delay', '1h']);
    const waiting = on.target.ask({ do: 'read', at: 0, size: 10 });
    await waitsInFuse(on.target.pid);
    await on.one.recover(uid);
    expect(textOf(await waiting)).toBe(content.slice(0, 10));
    await expectWell(on, 'recover');
  });

  test('the keeper: the fault goes on, and the next command starts another one', async () => {
    const on = await stage();
    await on.one.inject(fault);
    const first = await ours(on.one, 'keeper');
    kill(first);
    await until('it is gone', () => !processesOf(on.one).some(({ pid }) => pid === first));
    expect(await on.target.ask({ do: 'read', at: 0, size: 10 })).toMatchObject({ error: 'EIO' });
    expect(await on.one.run(['search'])).toMatchObject({ code: 0 });
    await ours(on.one, 'keeper');
    kill(await ours(on.one, 'io-daemon'));
    await expectEndedByKeeper(on, 'the second keeper');
  });

  test('the daemon and the keeper: the next command of any kind gives the volume back', async () => {
    const on = await stage();
    await on.one.inject(fault);
    const [keeper, daemon] = [await ours(on.one, 'keeper'), await ours(on.one, 'io-daemon')];
    kill(keeper);
    kill(daemon);
    await until('they are gone', () => !processesOf(on.one).some(({ pid }) => pid === keeper || pid === daemon));
    const ran = await on.one.run(['search']);
    expect(ran.stderr).toContain('was left behind');
    await expectWell(on, 'daemon and keeper');
    expectSettled(on.one, 'daemon and keeper');
  });

  test('the daemon by SIGTERM: it gives the volume back by itself', async () => {
    const on = await stage();
    await on.one.inject(fault);
    kill(await ours(on.one, 'keeper'));
    kill(await ours(on.one, 'io-daemon'), 'SIGTERM');
    await expectWell(on, 'SIGTERM');
    await expectRecovered(on, 'SIGTERM');
  });

  test('the keeper by SIGTERM: it gives the volume back', async () => {
    const on = await stage();
    await on.one.inject(fault);
    kill(await ours(on.one, 'keeper'), 'SIGTERM');
    await expectEndedByKeeper(on, 'SIGTERM');
  });

  test('the daemon is stopped: the keeper gives the volume back, and whoever waits goes on', async () => {
    const on = await stage();
    await on.one.inject(fault);
    kill(await ours(on.one, 'io-daemon'), 'SIGSTOP');
    await on.target.ask({ do: 'read', at: 0, size: 10 });
    await expectEndedByKeeper(on, 'SIGSTOP');
  });

  test('the daemon is stopped, and the keeper killed: recover does not wait for it', async () => {
    const on = await stage();
    const uid = await on.one.inject(fault);
    kill(await ours(on.one, 'keeper'));
    kill(await ours(on.one, 'io-daemon'), 'SIGSTOP');
    await on.one.recover(uid);
    await expectRecovered(on, 'SIGSTOP');
  });
});
