import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCriteria } from '../src/targets/criteria.ts';
import { protectedProcess } from '../src/targets/protected.ts';
import type { CriteriaInput } from '../src/targets/schema.ts';
import { selectProcesses } from '../src/targets/select.ts';
import { type Figure, median, timeEach } from './figure.ts';

/*
 * Choosing among 5,000 live processes, against pgrep of procps on the same processes.
 */

const crowd = 5_000;
const runs = 20;
const protection = protectedProcess({ names: [], allowListed: false });

/** Where the processes have their names from: copies of sleep(1), so that no other process has them. */
interface Names {
  readonly crowd: string;
  readonly needle: string;
}

async function startNamed(file: string): Promise<ChildProcess> {
  const child = spawn(file, ['3600'], { stdio: 'ignore' });
  await once(child, 'spawn');
  return child;
}

async function kill(children: readonly ChildProcess[]): Promise<void> {
  const alive = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  const ended = alive.map((child) => once(child, 'exit'));
  for (const child of alive) child.kill('SIGKILL');
  await Promise.all(ended);
}

function pgrep(name: string): void {
  const { error } = spawnSync('pgrep', ['-x', name], { stdio: 'ignore' });
  if (error !== undefined) throw error;
}

function select(input: CriteriaInput): void {
  selectProcesses(parseCriteria(input), { protection });
}

/** The first call of a command pays for compiling and for loading the native binding: measured in a fresh process. */
function firstCall(name: string): number {
  const urlOf = (file: string): string => JSON.stringify(new URL(file, import.meta.url));
  const script = [
    `const { parseCriteria } = await import(${urlOf('../src/targets/criteria.ts')});`,
    `const { selectProcesses } = await import(${urlOf('../src/targets/select.ts')});`,
    'const begin = performance.now();',
    `selectProcesses(parseCriteria({ process: ${JSON.stringify(name)} }), { protection: () => undefined });`,
    'console.log(performance.now() - begin);',
  ].join('\n');
  const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  return Number(stdout);
}

function measure({ crowd: many, needle }: Names): Figure[] {
  const among = `among ${crowd.toLocaleString('en')} processes`;
  const one = median(timeEach(runs, () => select({ process: needle })));
  const named = median(timeEach(runs, () => pgrep(needle)));
  return [
    { name: `choose by name, 1 of that name ${among}`, value: one, unit: 'ms', bound: '≤ 60 ms' },
    { name: `the same, first call of a process`, value: median(timeFirst(needle)), unit: 'ms' },
    { name: `pgrep -x, same name`, value: named, unit: 'ms' },
    { name: 'choose by name / pgrep -x', value: one / named, unit: '×' },
    {
      name: `choose one, all ${crowd.toLocaleString('en')} of that name`,
      value: median(timeEach(runs, () => select({ process: many, mode: 'one' }))),
      unit: 'ms',
    },
    { name: 'choose all of them', value: median(timeEach(runs, () => select({ process: many }))), unit: 'ms' },
    { name: 'pgrep -x, all of that name', value: median(timeEach(runs, () => pgrep(many))), unit: 'ms' },
    {
      name: `choose by command line ${among}`,
      value: median(timeEach(runs, () => select({ cmdline: `/${needle} 3600$` }))),
      unit: 'ms',
    },
    {
      name: `choose by name, with its children, ${among}`,
      value: median(timeEach(runs, () => select({ process: needle, children: true }))),
      unit: 'ms',
    },
  ];
}

function timeFirst(name: string): number[] {
  return Array.from({ length: 7 }, () => firstCall(name));
}

/** Start the crowd, measure, and end it again whatever happens. */
export async function run(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
  const names: Names = { crowd: `crowd${process.pid}`, needle: `needle${process.pid}` };
  for (const name of [names.crowd, names.needle]) copyFileSync(realpathSync('/bin/sleep'), join(folder, name));
  const children: ChildProcess[] = [];
  try {
    while (children.length < crowd) children.push(await startNamed(join(folder, names.crowd)));
    children.push(await startNamed(join(folder, names.needle)));
    return measure(names);
  } finally {
    await kill(children);
    rmSync(folder, { recursive: true, force: true });
  }
}
