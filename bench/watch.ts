import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readStat } from '../src/linux/procfs/stat.ts';
import { ticksPerSecond } from '../src/linux/clock.ts';
import { type Figure, median } from './figure.ts';

/*
 * What it costs to watch: processor time of the watcher for each of two thousand processes that are forked and killed,
 * and of bpftrace with the same tracepoints, in the same run. What the kernel's programs cost is paid by those who die.
 */

const command = path.resolve(import.meta.dirname, '../dist/faultline.js');
const deaths = 2_000;
const workload = `for i in $(seq ${deaths}); do (kill -9 $BASHPID) 2>/dev/null & done; wait`;

const script = `
tracepoint:sched:sched_process_exit { printf("exit %d %s\\n", pid, comm); }
tracepoint:signal:signal_generate { printf("signal %d to %d by %d %s\\n", args->sig, args->pid, pid, comm); }
tracepoint:oom:mark_victim { printf("oom %d\\n", args->pid); }
`;

/** utime and stime: fields 14 and 15 of /proc/PID/stat, in ms. */
function cpuMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond();
}

interface Watcher {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly output: () => string;
}

function startWatcher(file: string, args: readonly string[], folder: string): Watcher {
  const output = path.join(folder, 'output');
  const fd = openSync(output, 'w');
  const child = spawn(file, args, { stdio: ['ignore', fd, fd], env: { ...process.env, FAULTLINE_STATE_DIR: folder } });
  closeSync(fd);
  return { child, pid: child.pid ?? 0, output: () => readFileSync(output, 'utf8') };
}

async function until(what: string, look: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!look()) {
    if (performance.now() > deadline) throw new Error(`in vain: ${what}`);
    await delay(20);
  }
}

interface Round {
  readonly microseconds: number;
  readonly percent: number;
}

/** @param sign what the watcher says once it watches; @param told a line that tells of a death */
async function measure({ child, pid, output }: Watcher, sign: string, told: RegExp): Promise<Round> {
  try {
    await until('it watches', () => output().includes(sign) || child.exitCode !== null);
    await delay(300);
    const count = (): number => output().match(told)?.length ?? 0;
    const [before, counted, begin] = [cpuMs(pid), count(), performance.now()];
    spawnSync('bash', ['-c', workload], { stdio: 'ignore' });
    await until('all are told', () => count() - counted >= deaths);
    const wallMs = performance.now() - begin;
    const usedMs = cpuMs(pid) - before;
    return { microseconds: (usedMs * 1000) / (count() - counted), percent: (usedMs / wallMs) * 100 };
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    if (readStat(pid) !== undefined) await ended;
  }
}

async function ours(folder: string, source: string): Promise<Round> {
  const watcher = startWatcher(process.execPath, [command, 'watch', '-o', 'json', '--source', source], folder);
  return measure(watcher, '"watching"', /"kind":"death"/g);
}

async function theirs(folder: string): Promise<Round> {
  // tracefs for it alone, where it is not mounted.
  const mounted = 'mount -t tracefs none /sys/kernel/tracing; exec bpftrace -e "$0"';
  const watcher = startWatcher('unshare', ['--mount', 'sh', '-c', mounted, script], folder);
  return measure(watcher, 'Attaching', /^exit /gm);
}

const hasBpftrace = spawnSync('bpftrace', ['--version']).status === 0;

/** @param runs how many rounds of each */
export async function run(runs: number): Promise<readonly Figure[]> {
  if (process.getuid?.() !== 0) {
    console.log('  !!! SKIPPED: watching deaths is measured as root alone');
    return [];
  }
  if (!hasBpftrace) console.log('  !!! SKIPPED: the comparison with bpftrace, which is not installed here');
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-bench-'));
  const rounds: Record<string, Round[]> = {};
  try {
    for (let round = 0; round < Math.min(runs, 5); round++) {
      for (const source of ['bpf', 'tracefs', 'proc-connector']) {
        (rounds[`watch (${source})`] ??= []).push(await ours(folder, source));
      }
      if (hasBpftrace) (rounds['bpftrace'] ??= []).push(await theirs(folder));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return Object.entries(rounds).flatMap(([name, all]): Figure[] => [
    { name: `${name}: CPU for a death`, value: median(all.map(({ microseconds }) => microseconds)), unit: 'µs' },
    {
      name: `${name}: CPU during ${deaths} deaths`,
      value: median(all.map(({ percent }) => percent)),
      unit: '% of a core',
      ...(name === 'watch (bpf)' ? { bound: '≤ 15 %' } : {}),
    },
  ]);
}
