import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Figure, median } from './figure.ts';

/*
 * The whole command `attack process kill -p PID`, with its durable journal and its verification, against a Node.js that
 * does nothing; in turn, so that a machine that becomes slow slows both.
 */

const script = path.resolve(import.meta.dirname, '../dist/faultline.js');

function timed(args: readonly string[], env: NodeJS.ProcessEnv = {}): { readonly ms: number; readonly stdout: string } {
  const begin = performance.now();
  const ran = spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, ...env } });
  const ms = performance.now() - begin;
  if (ran.status !== 0) throw new Error(`node ${args.join(' ')} failed: ${ran.stderr}`);
  return { ms, stdout: ran.stdout };
}

/** Run a body with a process to kill. */
async function withVictim<Result>(body: (pid: number) => Result): Promise<Result> {
  const victim = spawn('sleep', ['600'], { stdio: 'ignore' });
  const exited = once(victim, 'exit');
  await once(victim, 'spawn');
  try {
    return body(victim.pid ?? 0);
  } finally {
    victim.kill('SIGKILL');
    await exited;
  }
}

/** Peak memory as the kernel counts it, in MiB, told by the command itself as it ends. */
function peakMiB(folder: string, env: NodeJS.ProcessEnv, args: readonly string[]): number {
  const preload = path.join(folder, 'peak.cjs');
  writeFileSync(
    preload,
    "process.on('exit', () => process.stderr.write('\\npeak ' + process.resourceUsage().maxRSS));",
  );
  const ran = spawnSync(process.execPath, ['--require', preload, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return Number(/peak (\d+)/.exec(ran.stderr)?.[1]) / 1024;
}

export async function run(runs: number): Promise<readonly Figure[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-bench-'));
  const env = { FAULTLINE_STATE_DIR: path.join(folder, 'state') };
  const kill = (pid: number): string[] => [script, 'attack', 'process', 'kill', '-p', String(pid)];
  try {
    timed([script, 'search'], env);
    const attacks: number[] = [];
    const nothings: number[] = [];
    for (let turn = 0; turn < runs; turn++) {
      attacks.push(await withVictim((pid) => timed(kill(pid), env).ms));
      nothings.push(timed(['-e', '0']).ms);
    }
    const ratios = attacks.map((ms, turn) => ms / (nothings[turn] ?? Number.NaN));
    const memory = await withVictim((pid) => peakMiB(folder, env, kill(pid)));
    return [
      { name: 'attack process kill -p PID, whole command', value: median(attacks), unit: 'ms' },
      { name: 'node -e 0', value: median(nothings), unit: 'ms' },
      { name: 'ratio, pair by pair', value: median(ratios), unit: '×', bound: '≤ 2 ×' },
      { name: 'peak memory of the command', value: memory, unit: 'MiB', bound: '≤ 70 MiB' },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
