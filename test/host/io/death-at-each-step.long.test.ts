import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { mapConcurrently } from '../../../src/base/concurrency.ts';
import { tempFolder, uidIn } from '../../support/cli.ts';
import { buildIoCrashingProgram } from '../../support/io-crashing.ts';
import { cannotInject, kill, ours } from './lab.ts';
import { expectRecovered, fault, stage } from './survival.ts';

let script = '';
beforeAll(async () => {
  if (cannotInject === undefined) script = await buildIoCrashingProgram();
});

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
