import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { delay } from '../src/base/delay.ts';
import { hasOverride } from '../src/faults/kernel/abilities.ts';
import { type Attached, attachDesign } from '../src/faults/kernel/attach.ts';
import { designOf } from '../src/faults/kernel/design-of.ts';
import { handOver } from '../src/faults/kernel/holder/hand-over.ts';
import { createHold } from '../src/faults/kernel/holder/hold-file.ts';
import { type KernelPlan, kernelPlanOf, planFailure } from '../src/faults/kernel/plan.ts';
import type { Design } from '../src/faults/kernel/programs/design.ts';
import { announceKeeper } from '../src/faults/keeper-presence.ts';
import { parseSpec } from '../src/faults/kernel/spec.ts';
import { architecture } from '../src/linux/arch.ts';
import { programExists } from '../src/linux/bpf/program.ts';
import { readHost } from '../src/linux/host.ts';
import { readComm } from '../src/linux/procfs/comm.ts';
import { protectedProcess } from '../src/targets/protected.ts';
import { type Figure, median } from './figure.ts';
import { bccFigures, injectedMs } from './kernel-inject.ts';
import { loadFigures } from './kernel-load.ts';

/*
 * `attack kernel` with three frames and a predicate, and what its probes cost those who are not meant. It needs a
 * kernel that lets its functions fail, as the guest's: `npm run guest -- env BENCH_ONLY='Faults in the kernel' npm run
 * bench`.
 */

const script = path.resolve(import.meta.dirname, '../dist/faultline.js');

const frames = [
  'do_sys_openat2',
  'path_openat',
  'd_alloc_parallel(struct dentry *parent, const struct qstr *name)(STRNCMP(name->name, "bananas", 8))',
];

/** A cgroup that nobody is in. */
const cgroup = '/fl-bench';

async function plan(frame: readonly string[]): Promise<KernelPlan> {
  const context = {
    host: readHost(),
    site: { stateDir: '/nonexistent', program: [] },
    protection: protectedProcess({ names: [], allowListed: false }),
    round: 0,
    preview: false,
  };
  return kernelPlanOf(planFailure(await parseSpec({ failtype: 0, frame: [...frame], cgroup }), context));
}

async function gone(programIds: readonly number[]): Promise<void> {
  while (programIds.some(programExists)) await delay(1);
}

/** As `attack` does it: a process of its own has them. @returns ms from when it is told to end until they are gone */
async function detachMs({ fds, programIds }: Attached, stateDir: string): Promise<number> {
  const key = `bench-${programIds.join('-')}`;
  const hold = createHold(stateDir, key);
  const holder = await handOver({ stateDir, program: [process.execPath, script] }, key, hold, fds);
  for (const fd of [...fds, hold]) closeSync(fd);
  while (readComm(holder.pid) !== 'faultline-probe') await delay(20);
  await delay(200); // until it listens
  const begin = performance.now();
  process.kill(holder.pid, 'SIGTERM');
  await gone(programIds);
  return performance.now() - begin;
}

function designFor({ spec, scope }: KernelPlan): Design {
  const { design } = designOf(spec, scope, architecture());
  if (design === null) throw new Error('there are no programs');
  return design;
}

async function insideFigures(runs: number): Promise<readonly Figure[]> {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'faultline-bench-'));
  const leave = announceKeeper(stateDir);
  const whole: number[] = [];
  const detach: number[] = [];
  try {
    const three = await plan(frames);
    for (let turn = 0; turn < runs; turn++) {
      const begin = performance.now();
      const attached = attachDesign(designFor(three), three.scope);
      whole.push(performance.now() - begin);
      detach.push(await detachMs(attached, stateDir));
    }
  } finally {
    leave();
    rmSync(stateDir, { recursive: true, force: true });
  }
  return [
    { name: 'three frames: compile, load and attach, p50', value: median(whole), unit: 'ms' },
    { name: 'three frames: detach, p50', value: median(detach), unit: 'ms', bound: '≤ 150 ms' },
  ];
}

const calls = 100_000;

/** How long a call takes, in ns, as Python measures it. */
function callNs(): number {
  const loop = `import os, time
begin = time.perf_counter_ns()
for _ in range(${calls}): os.getppid()
print((time.perf_counter_ns() - begin) / ${calls})`;
  const { stdout } = spawnSync('python3', ['-S', '-E', '-c', loop], { encoding: 'utf8' });
  return Number(stdout);
}

/** What a probed function costs a task that is not meant, per call. */
async function costFigures(runs: number): Promise<readonly Figure[]> {
  const probed = await plan(['__x64_sys_getppid']);
  const costs: number[] = [];
  for (let turn = 0; turn < runs; turn++) {
    const without = callNs();
    const { fds, programIds } = attachDesign(designFor(probed), probed.scope);
    costs.push(callNs() - without);
    for (const fd of fds) closeSync(fd);
    await gone(programIds);
  }
  return [{ name: 'a probed function, for a task outside the scope, per call', value: median(costs), unit: 'ns' }];
}

/** The whole command, and its peak memory as the kernel counts it. */
async function commandFigures(runs: number): Promise<readonly Figure[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-bench-'));
  const preload = path.join(folder, 'peak.cjs');
  writeFileSync(
    preload,
    "process.on('exit', () => process.stderr.write('\\npeak ' + process.resourceUsage().maxRSS));",
  );
  const env = { ...process.env, FAULTLINE_STATE_DIR: path.join(folder, 'state') };
  const run = (...args: readonly string[]): string => {
    const ran = spawnSync(process.execPath, ['--require', preload, script, ...args], { encoding: 'utf8', env });
    if (ran.status !== 0) throw new Error(`${args.join(' ')}: ${ran.stdout}${ran.stderr}`);
    return ran.stderr;
  };
  const attack = ['attack', 'kernel', '--failtype', 'slab', ...frames.flatMap((frame) => ['--frame', frame])];
  /** @returns ms from its start until its probes are placed */
  const untilInjectedMs = async (): Promise<number> => {
    const begin = performance.now();
    const child = spawn(process.execPath, [script, ...attack, '--cgroup', cgroup], { stdio: 'ignore', env });
    const exited = once(child, 'exit');
    const ms = await injectedMs(begin, () => child.exitCode !== null && child.exitCode !== 0);
    await exited;
    run('recover', '--all');
    return ms ?? Number.NaN;
  };
  const [times, memories, starts, injected]: [number[], number[], number[], number[]] = [[], [], [], []];
  try {
    for (let turn = 0; turn < runs; turn++) {
      const begin = performance.now();
      run('version');
      starts.push(performance.now() - begin);
      const attackBegin = performance.now();
      memories.push(Number(/peak (\d+)/.exec(run(...attack, '--cgroup', cgroup))?.[1]) / 1024);
      times.push(performance.now() - attackBegin);
      run('recover', '--all');
      injected.push(await untilInjectedMs());
    }
  } finally {
    run('recover', '--all');
    rmSync(folder, { recursive: true, force: true });
  }
  return [
    { name: 'faultline version', value: median(starts), unit: 'ms' },
    { name: 'attack kernel with three frames, whole command', value: median(times), unit: 'ms' },
    { name: 'attack kernel with three frames, command to injected', value: median(injected), unit: 'ms' },
    { name: 'peak memory of the command', value: median(memories), unit: 'MiB', bound: '≤ 80 MiB' },
    ...(await bccFigures(median(injected))),
  ];
}

/** @param runs how often each is done */
export async function run(runs: number): Promise<readonly Figure[]> {
  if (process.geteuid?.() !== 0) {
    console.log('  !!! SKIPPED: only root may load programs into the kernel');
    return [];
  }
  if (!hasOverride()) {
    console.log(
      '  !!! ALL BUT LOADING SKIPPED: this kernel lets nobody fail its functions; that of `npm run guest` does',
    );
    return loadFigures(runs);
  }
  const folder = `/sys/fs/cgroup${cgroup}`;
  mkdirSync(folder);
  try {
    return [
      ...loadFigures(runs),
      ...(await insideFigures(runs)),
      ...(await costFigures(runs)),
      ...(await commandFigures(Math.min(runs, 3))),
    ];
  } finally {
    rmdirSync(folder);
  }
}
