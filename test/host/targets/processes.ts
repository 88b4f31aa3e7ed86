import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach } from 'vitest';
import { readStat } from '../../../src/linux/procfs/stat.ts';
import { isErrno } from '../../../src/linux/syscall-error.ts';
import { descendantsOf } from '../../../src/targets/kinship.ts';
import { readProcessTable } from '../../../src/targets/process-table.ts';

export function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

/**
 * Kill a process that another one reaps, and stand still until it has: for what must have happened before a step that
 * comes next in this process.
 */
export function endAndBeReaped(pid: number): void {
  killIfAlive(pid);
  const deadline = performance.now() + 60_000;
  while (readStat(pid) !== undefined) {
    if (performance.now() > deadline) throw new Error(`waited a minute in vain: process ${pid} is reaped`);
  }
}

/** A process of the test's own: our child, until it is reaped. */
export interface TestProcess {
  readonly pid: number;
  readonly child: ChildProcess;
}

export const hasPython = spawnSync('python3', ['--version']).status === 0;

const started = new Set<TestProcess>();
let folder: string | undefined;

/** Kill a child and what it has started, and wait until it is reaped: only then is its PID free. */
export async function end({ pid, child }: TestProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGSTOP'); // so that it starts nothing more
  const family = descendantsOf(readProcessTable(), [pid]);
  child.kill('SIGKILL');
  await exited;
  for (const one of family) {
    try {
      process.kill(one, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

export async function start(
  file: string,
  args: readonly string[] = [],
  options: SpawnOptions = {},
): Promise<TestProcess> {
  const child = spawn(file, args, { stdio: 'ignore', ...options });
  await once(child, 'spawn');
  const one = Object.freeze({ pid: child.pid ?? 0, child });
  started.add(one);
  return one;
}

/**
 * A copy of sleep(1) under another name. Node resolves the spawn once the child has called exec, so its name is set.
 */
export function program(name: string): string {
  if (folder === undefined) {
    folder = mkdtempSync(join(tmpdir(), 'faultline-targets-'));
    // For programs that run as another user.
    chmodSync(folder, 0o755);
  }
  const file = join(folder, name);
  if (!existsSync(file)) copyFileSync(realpathSync('/bin/sleep'), file);
  return file;
}

/** A process under this name that sleeps until it is ended. */
export function sleeper(name: string, options: SpawnOptions = {}): Promise<TestProcess> {
  return start(program(name), ['3600'], options);
}

const lastPid = '/proc/sys/kernel/ns_last_pid';

/** The next process gets the first free PID from this one on, unless others on this host are quicker. For root only. */
export function nextPidFrom(pid: number): void {
  writeFileSync(lastPid, String(pid - 1));
}

function mayChoosePids(): boolean {
  try {
    writeFileSync(lastPid, readFileSync(lastPid));
    return true;
  } catch {
    return false;
  }
}

export const canChoosePids = mayChoosePids();

/**
 * What a process does, as `/proc` tells it by one letter. One that was just continued may still be waiting for a
 * processor (`R`) or for a page of its program (`D`) when a test looks; that it runs is what counts, so both are told
 * as `S`.
 */
export function stateOf(pid: number): string | undefined {
  const state = readStat(pid)?.state;
  return state === 'R' || state === 'D' ? 'S' : state;
}

/** Stop a process, and wait until it has stopped: what it is sent before that it may still take first. */
export async function stopped({ pid }: { readonly pid: number }): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await until(`process ${pid} has stopped`, () => stateOf(pid) === 'T');
}

/** Wait for something that another process does: an empty text is none yet. */
export async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const seen = look();
    if (seen !== undefined && seen !== false && seen !== '') return seen;
    if (performance.now() > deadline) throw new Error(`waited a minute in vain: ${what}`);
    await delay(5);
  }
}

/**
 * The children, grandchildren and so on of a process, once they bear these names: between fork and exec they do not.
 */
export function family(parent: TestProcess, names: readonly string[]): Promise<number[]> {
  return until(`process ${parent.pid} has the descendants ${names.join(', ')}`, () => {
    const table = readProcessTable();
    const pids = [...descendantsOf(table, [parent.pid])].sort((a, b) => a - b);
    const seen = pids.map((pid) => table.comm(pid) ?? '').sort();
    return seen.join() === [...names].sort().join() && pids;
  });
}

/** A dead process that nobody reaps before its parent ends with the test. Its kernel's name is the name given. */
export async function startZombie(name = 'undead'): Promise<{ readonly pid: number; readonly parent: TestProcess }> {
  // It lives for a while, until the shell is no shell any more, which might reap it.
  const parent = await start('/bin/sh', ['-c', `"$0" 0.5 & exec "$1" 3600`, program(name), program('parent')]);
  const [pid] = await family(parent, [name]);
  await until('the child is a zombie', () => readStat(pid ?? 0)?.state === 'Z');
  return { pid: pid ?? 0, parent };
}

afterEach(async () => {
  const pids = [...started].map(({ pid }) => pid);
  for (const pid of descendantsOf(readProcessTable(), pids)) killIfAlive(pid);
  await Promise.all([...started].map(end));
  started.clear();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
});
