import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { HttpSource } from '../src/runner/experiment.ts';
import { startProbe } from '../src/runner/probe/start.ts';
import { type Figure, median } from './figure.ts';

/*
 * What an experiment costs beside what it measures. A server that answers at once is asked 500 times a second, first by
 * a probe alone, which tells what it costs; then by a probe and, at the same time, by wrk (Debian's package of that
 * name) on one connection. What the probe tells of its latencies above what wrk tells of them is the probe's own.
 */

const rate = 500;
const secondsOfRound = 20;
/** Until all has been compiled. What it costs is told as well. */
const warmUpSeconds = 5;

const server =
  "require('node:http').createServer((q, r) => r.end('FizzBuzz')).listen(0, '127.0.0.1', function () {" +
  ' console.log(this.address().port) })';

/** A pause of 2 ms before each request makes the closed loop of wrk ask some 500 times a second, too. */
const pacing = 'function delay() return 2 end\n';

interface Latencies {
  readonly p50: number;
  readonly p99: number;
}

interface Seen extends Latencies {
  readonly cpuPercent: number;
  /** The same from the start of the probe on: with its thread, and with everything that was compiled. */
  readonly wholePercent: number;
}

async function startServer(): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, ['-e', server], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: `http://127.0.0.1:${String(port).trim()}/`, child };
}

function sourceOf(url: string): HttpSource {
  const usual = { method: 'GET', headers: {}, body: undefined, timeoutMs: 5_000, success: [[200, 299]] } as const;
  return { kind: 'http', url, rate, ...usual };
}

function percentOf({ user, system }: NodeJS.CpuUsage, overMs: number): number {
  return (user + system) / 10 / overMs;
}

function costOf({ cpuPercent, wholePercent }: Seen): Omit<Seen, keyof Latencies> {
  return { cpuPercent, wholePercent };
}

/** All of this process counts, which does nothing else meanwhile. @param meanwhile for how long it is measured */
async function byProbe(url: string, meanwhile: () => Promise<void>): Promise<Seen> {
  const atStart = process.cpuUsage();
  const start = performance.now();
  const clock = (): number => performance.now() - start;
  const probe = startProbe(
    { name: 'answers', source: sourceOf(url), expect: [], during: [], windowMs: undefined },
    clock,
  );
  await delay(warmUpSeconds * 1_000);
  const fromMs = clock();
  const before = process.cpuUsage();
  await meanwhile();
  const toMs = clock();
  const value = (measure: string): number => Number(probe.measure(measure, fromMs, toMs)[0]?.value);
  const seen = {
    p50: value('p50'),
    p99: value('p99'),
    cpuPercent: percentOf(process.cpuUsage(before), toMs - fromMs),
    wholePercent: percentOf(process.cpuUsage(atStart), toMs),
  };
  await probe.stop();
  return seen;
}

const inMs: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000 };

/** `  99%    1.23ms` */
function percentileOf(said: string, percent: number): number {
  const [, number, unit] = new RegExp(`^\\s+${percent}%\\s+([\\d.]+)(us|ms|s)$`, 'm').exec(said) ?? [];
  return Number(number) * (inMs[unit ?? ''] ?? Number.NaN);
}

/** Beside the probe, so that both see the same machine: what delays one of them delays the other as well. */
async function byWrk(url: string, script: string): Promise<Latencies> {
  const args = ['-t1', '-c1', `-d${secondsOfRound}s`, '--latency', '-s', script, url];
  const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = await text(child.stdout);
  return { p50: percentileOf(said, 50), p99: percentileOf(said, 99) };
}

async function measureProbes(rounds: number): Promise<readonly Figure[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-bench-'));
  const script = path.join(folder, 'pacing.lua');
  writeFileSync(script, pacing);
  const hasWrk = !('error' in spawnSync('wrk', ['--version']));
  if (!hasWrk) console.log('  !!! SKIPPED: no wrk (Debian: apt-get install wrk), so that nothing is compared');
  const { url, child } = await startServer();
  const probed: Seen[] = [];
  const known: Latencies[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const alone = await byProbe(url, () => delay(secondsOfRound * 1_000));
      const compare = async (): Promise<void> => void known.push(await byWrk(url, script));
      probed.push(hasWrk ? { ...(await byProbe(url, compare)), ...costOf(alone) } : alone);
    }
  } finally {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
  const p50 = median(probed.map((seen) => seen.p50));
  const p99 = median(probed.map((seen) => seen.p99));
  const compared = [
    { name: 'wrk, 500 a second: median', value: median(known.map((seen) => seen.p50)), unit: 'ms' },
    { name: 'wrk, 500 a second: p99', value: median(known.map((seen) => seen.p99)), unit: 'ms' },
    {
      name: 'the probe above wrk: median',
      value: p50 - median(known.map((seen) => seen.p50)),
      unit: 'ms',
      bound: '≤ 1 ms',
    },
    {
      name: 'the probe above wrk: p99',
      value: p99 - median(known.map((seen) => seen.p99)),
      unit: 'ms',
      bound: '≤ 1 ms',
    },
  ];
  return [
    {
      name: 'a probe of 500 requests a second: of a core',
      value: median(probed.map((seen) => seen.cpuPercent)),
      unit: '%',
      bound: '≤ 20 %',
    },
    {
      name: 'the same from its start on, with its thread',
      value: median(probed.map((seen) => seen.wholePercent)),
      unit: '%',
    },
    { name: 'the probe, 500 a second: median', value: p50, unit: 'ms' },
    { name: 'the probe, 500 a second: p99', value: p99, unit: 'ms' },
    ...(hasWrk ? compared : []),
  ];
}

const command = path.resolve(import.meta.dirname, '../dist/faultline.js');

/** From the start of the command until it tells of its first attack, in ms; NaN: the machine is too busy for it. */
async function demoToFirstFault(folder: string): Promise<number> {
  const begin = performance.now();
  const child = spawn(process.execPath, [command, 'demo', '--report', path.join(folder, 'report.html')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  let said = '';
  try {
    for await (const piece of child.stderr) {
      said += String(piece);
      if (said.includes(' died of SIGKILL')) return performance.now() - begin;
    }
    console.log(`  !!! the demo came to no fault: ${said.trimEnd().split('\n').at(-2) ?? ''}`);
    return Number.NaN;
  } finally {
    child.kill('SIGINT'); // it undoes what it did, and ends what it has started
    await exited;
  }
}

async function measureDemo(rounds: number): Promise<Figure> {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-bench-'));
  const times: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) times.push(await demoToFirstFault(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    name: 'faultline demo: to its first fault',
    value: median(times.filter((time) => !Number.isNaN(time))),
    unit: 'ms',
    bound: '≤ 3,000 ms',
  };
}

export async function run(rounds: number): Promise<readonly Figure[]> {
  return [...(await measureProbes(rounds)), await measureDemo(rounds)];
}
