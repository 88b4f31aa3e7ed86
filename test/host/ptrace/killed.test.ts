import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { readStat } from '../../../src/linux/procfs/stat.ts';
import { readStatus } from '../../../src/linux/procfs/status.ts';
import { tempFolder } from '../../support/cli.ts';
import type { TraceJob } from '../../support/trace-program.ts';
import { buildProgram, mayTrace, ranTracer, saysWord, startTracer, trace } from '../../support/tracing.ts';
import { hasPython, start, type TestProcess, until } from '../targets/processes.ts';

/*
 * Whoever traces is killed, before each of its requests in turn, and at any other moment. The target must go on as if
 * nothing had been: its registers, floating point among them, its signal mask, and the call that it was in.
 */

let tracer = '';
let dying = '';
beforeAll(async () => {
  tracer = await buildProgram('trace-program');
  dying = await buildProgram('trace-program', 'dying-calls-program');
});

/** It computes and sleeps by turns. Each line has a number and two results that depend on all before. */
const computing = `
import hashlib, math, signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2})
digest = b'0'
total = 0.0
step = 0
while True:
    for _ in range(200):
        digest = hashlib.sha256(digest).digest()
        total += math.sin(step) * math.sqrt(step)
        step += 1
    print(step, digest.hex(), repr(total), flush=True)
    began = time.monotonic()
    time.sleep(0.004)
    if time.monotonic() - began < 0.004: raise SystemExit('woken early')
`;

interface Computing extends TestProcess {
  readonly lines: () => readonly string[];
}

async function startComputing(): Promise<Computing> {
  const target = await start('python3', ['-c', computing], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  target.child.stdout?.on('data', (data: Buffer) => {
    text += data.toString();
  });
  const lines = (): readonly string[] =>
    text
      .slice(0, text.lastIndexOf('\n') + 1)
      .trim()
      .split('\n');
  await until('it computes', () => lines().length > 3);
  return { ...target, lines };
}

/** It computes and sleeps on, nobody traces it, and its mask is what it was. */
async function expectGoesOn(target: Computing, when: string): Promise<void> {
  const before = target.lines().length;
  await until(`it goes on after ${when}`, () => {
    expect(target.child.exitCode ?? target.child.signalCode, when).toBeNull();
    return target.lines().length > before + 2;
  });
  const status = readStatus(target.pid);
  expect(status, when).toMatchObject({ tracerPid: 0, blocked: (1n << 9n) | (1n << 11n) });
  expect(readStat(target.pid)?.state, when).not.toMatch(/[TtZ]/u);
}

/** Is it in read(2)? It never is by itself. */
function isReading({ pid }: Computing): boolean {
  const number = process.arch === 'arm64' ? '63' : '0';
  return readFileSync(`/proc/${pid}/syscall`, 'latin1').startsWith(`${number} `);
}

/** What it has printed is what it would have printed. */
function expectRight(target: Computing): void {
  let digest = Buffer.from('0');
  let step = 0;
  const sums = spawnSync('python3', ['-c', sumsUpTo, String(target.lines().length)], { encoding: 'utf8' });
  const totals = sums.stdout.trim().split('\n');
  for (const [index, line] of target.lines().entries()) {
    for (let more = 0; more < 200; more += 1) digest = createHash('sha256').update(digest).digest();
    step += 200;
    expect(line).toBe(`${step} ${digest.toString('hex')} ${totals[index]}`);
  }
}

const sumsUpTo = `
import math, sys
total = 0.0
for step in range(200 * int(sys.argv[1])):
    total += math.sin(step) * math.sqrt(step)
    if step % 200 == 199: print(repr(total))
`;

describe.skipIf(!mayTrace || !hasPython)('whoever traces is killed', () => {
  test('before each of its requests', { timeout: 400_000 }, async () => {
    const work: TraceJob['work'] = 'fds';
    const target = await startComputing();
    let deaths = 0;
    for (let at = 1; ; at += 1) {
      const env = { DIE_BEFORE: String(at) };
      const ran = await ranTracer(dying, { pids: [target.pid], work, rounds: 1 }, { env });
      if (ran.signal !== 'SIGKILL') {
        expect(ran, ran.stderr).toMatchObject({ code: 0 });
        break;
      }
      deaths = at;
      await expectGoesOn(target, `request ${at}`);
    }
    expect(deaths).toBeGreaterThan(20);
    // And it can still be traced, though programs were left in it.
    expect(await trace(tracer, { pids: [target.pid], work, rounds: 5 })).toMatchObject({ problems: [] });
    await expectGoesOn(target, 'all');
    expectRight(target);
  });

  test('at any moment', { timeout: 300_000 }, async () => {
    const target = await startComputing();
    for (let round = 0; round < 20; round += 1) {
      const tracing = startTracer(tracer, { pids: [target.pid], work: 'fds', rounds: 1_000_000 });
      await until('it is being traced', () => readStatus(target.pid)?.tracerPid === tracing.pid);
      await delay((round * 7) % 40);
      const ended = once(tracing, 'exit');
      tracing.kill('SIGKILL');
      await ended;
      await expectGoesOn(target, `round ${round}`);
    }
    expectRight(target);
  });

  test('while the target is in a call that it makes for it', async () => {
    const target = await startComputing();
    const fifo = path.join(tempFolder(), 'fifo');
    spawnSync('mkfifo', [fifo]);
    for (let round = 0; round < 5; round += 1) {
      const job = { pids: [target.pid], work: 'block', file: fifo, batchTimeoutMs: 600_000 } as const;
      const tracing = startTracer(tracer, job);
      await saysWord(tracing, 'blocking');
      await until('it waits in our call', () => isReading(target));
      const ended = once(tracing, 'exit');
      tracing.kill('SIGKILL');
      await ended;
      await delay(20);
      // It may still be on its way back into the call, and by itself it never makes one.
      await until('it still waits', () => isReading(target));
      writeFileSync(fifo, 'x');
      await expectGoesOn(target, `round ${round}`);
    }
    expectRight(target);
  });
});
