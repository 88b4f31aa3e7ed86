/**
 * Real processes for tests. Whatever is started here is killed when the test is over, however it ends: children by
 * their handle, their descendants through a pidfd that is taken while they surely live.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { closePidfd, openPidfd, type Pidfd, sendSignal } from '../pidfd.ts';
import { readStat } from '../procfs/stat.ts';
import { isErrno } from '../syscall-error.ts';

const SIGKILL = 9;

export interface StartOptions {
  readonly cwd?: string;
  /** Another argv[0] than the path of the program. */
  readonly argv0?: string;
  /** Another user than we are, which takes root. */
  readonly uid?: number;
}

export interface StartedProcess {
  readonly pid: number;
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
}

/** Starts a program and comes back when it runs. */
export async function start(
  file: string,
  argv: readonly string[],
  options: StartOptions = {},
): Promise<StartedProcess> {
  const child = spawn(file, [...argv], { stdio: ['pipe', 'pipe', 'inherit'], ...options });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  onTestFinished(async () => {
    if (child.pid === undefined) return;
    child.kill('SIGKILL');
    await exited;
  });
  await once(child, 'spawn');
  if (child.pid === undefined) throw new Error(`${file} did not start`);
  return { pid: child.pid, child };
}

/** A child that does nothing for a long time. */
export function startSleep(options: StartOptions = {}): Promise<StartedProcess> {
  return start('sleep', ['1000'], options);
}

/** Starts a program that prints a line when it is ready, and waits for that. */
export async function startReady(file: string, argv: readonly string[]): Promise<StartedProcess> {
  const started = await start(file, argv);
  await once(started.child.stdout, 'data');
  return started;
}

export interface StartedFamily {
  readonly parent: StartedProcess;
  /** A hold on the grandchild, whose PID the parent printed. */
  readonly grandchild: Pidfd;
}

/**
 * Starts `sh` with a script that prints the PID of a background process of its own, a process that is no child of ours.
 *
 * The script must keep that process from ending before it is told to, so that it can be taken hold of.
 */
export async function startFamily(script: string): Promise<StartedFamily> {
  const parent = await start('sh', ['-c', script]);
  const lines = createInterface({ input: parent.child.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  // Until the shell is no shell any more, it may still reap what ends.
  if (/\$!; exec sleep \d+$/u.test(script)) await eventually(() => readStat(parent.pid)?.comm === 'sleep');
  return { parent, grandchild: hold(Number(line)) };
}

/** A grandchild that stops itself and, once continued, exits with `code`. The parent then does what `after` says. */
export async function startExiting(code: number, after: string): Promise<StartedFamily> {
  const family = await startFamily(`sh -c 'kill -STOP $$; exit ${code}' & echo $!; ${after}`);
  await eventually(() => readStat(family.grandchild.pid)?.state === 'T');
  return family;
}

/** Takes hold of a process until the test is over, and kills it then. */
export function hold(pid: number): Pidfd {
  const pidfd = openPidfd(pid);
  onTestFinished(() => {
    try {
      sendSignal(pidfd, SIGKILL);
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error;
    } finally {
      closePidfd(pidfd);
    }
  });
  return pidfd;
}

/** Waits until something is true; fails loudly when that takes absurdly long. */
export async function eventually(condition: () => boolean, timeoutMs = 50_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not true within ${timeoutMs} ms: ${condition.toString()}`);
    await sleep(5);
  }
}
