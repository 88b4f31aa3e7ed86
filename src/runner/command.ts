import type { ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync } from 'node:fs';
import { delay } from '../base/delay.ts';
import { formatDuration } from '../base/duration.ts';
import { printable } from '../base/text.ts';
import { endOfFile, openNamelessFile } from '../linux/nameless-file.ts';
import { signalGroup } from '../linux/process-group.ts';
import type { CommandAction } from './experiment.ts';

/*
 * Commands of the user's own: steps of the method, and rollbacks. They are argument lists; no shell is involved.
 */

/** How much of what a command says is told, in bytes: its end. */
const mostSaid = 400;

/** How much a command may have written before that is thrown away, in bytes; looked at several times a second. */
const mostWritten = 16 * 1024 * 1024;
const trimMs = 200;

/** How long a command that was told to end may take, in milliseconds. */
const graceMs = 2_000;
const pollMs = 20;

export interface Ran {
  readonly succeeded: boolean;
  /** How it ended, and the end of what it said where it failed. */
  readonly detail: string | null;
}

export function commandText({ argv }: CommandAction): string {
  return printable(argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' '));
}

/** What a command writes. Where there is no room for it the command is run all the same: it may be a rollback. */
interface Output {
  readonly stdio: number | 'ignore';
  /** The end of it. */
  said(): string;
  close(): void;
}

function openOutput(): Output {
  let fd: number;
  try {
    fd = openNamelessFile();
  } catch {
    return { stdio: 'ignore', said: () => '', close: () => undefined };
  }
  const trim = setInterval(() => {
    if (fstatSync(fd).size > mostWritten) ftruncateSync(fd);
  }, trimMs);
  return {
    stdio: fd,
    said: () => printable(endOfFile(fd, mostSaid).trim().replaceAll('\n', ' / ')),
    close: () => {
      clearInterval(trim);
      closeSync(fd);
    },
  };
}

/** Groups that were told to end and may not have done so yet, by the PIDs of their leaders. */
const ending = new Set<number>();

function endAllAtOnce(): void {
  for (const leader of ending) signalGroup(leader, 'SIGKILL');
}

/** Tell a command to end, with all that it has started and that has not left its group. */
function beginEnding(leader: number): void {
  if (ending.size === 0) process.once('exit', endAllAtOnce);
  ending.add(leader);
  signalGroup(leader, 'SIGTERM');
}

/** Wait until nobody is left in the group, and kill who has not ended in time. */
async function finishEnding(leader: number): Promise<void> {
  const giveUpMs = performance.now() + graceMs;
  while (signalGroup(leader, 0)) {
    if (performance.now() >= giveUpMs) {
      signalGroup(leader, 'SIGKILL');
      break;
    }
    await delay(pollMs);
  }
  ending.delete(leader);
  if (ending.size === 0) process.off('exit', endAllAtOnce);
}

function ended(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      resolve(printable(error.message));
    });
    child.once('exit', (code, signal) => {
      if (code === 0) resolve(undefined);
      else resolve(signal === null ? `exit code ${code ?? 'unknown'}` : `ended by ${signal}`);
    });
  });
}

/** @returns why it failed, if so */
async function endOf(child: ChildProcess, timeoutMs: number, over: AbortSignal): Promise<string | undefined> {
  const { pid } = child;
  let broken: string | undefined;
  let lastTimer: NodeJS.Timeout | undefined;
  const breakOff = (why: string): void => {
    const isOver = child.exitCode !== null || child.signalCode !== null;
    if (pid === undefined || broken !== undefined || isOver) return;
    broken = why;
    beginEnding(pid);
    lastTimer = setTimeout(signalGroup, graceMs, pid, 'SIGKILL');
  };
  const onOver = (): void => {
    breakOff('was interrupted');
  };
  // Timers come before the ends of children in a turn of the event loop: one that ended while we stood still is heard.
  const timer = setTimeout(() => setImmediate(breakOff, `took longer than ${formatDuration(timeoutMs)}`), timeoutMs);
  over.addEventListener('abort', onOver);
  try {
    const failure = await ended(child);
    return broken ?? failure;
  } finally {
    clearTimeout(timer);
    clearTimeout(lastTimer);
    over.removeEventListener('abort', onOver);
    if (pid !== undefined && broken !== undefined) await finishEnding(pid);
  }
}

/**
 * Run a command to its end; what it leaves running in the background goes on. Never throws.
 *
 * @param over ends it, as its timeout does, with all that it has started
 */
export async function runCommand({ argv, timeoutMs }: CommandAction, over: AbortSignal): Promise<Ran> {
  const [file = '', ...args] = argv;
  const { spawn } = await import('node:child_process');
  if (over.aborted) return { succeeded: false, detail: 'was not begun' };
  const output = openOutput();
  try {
    // A group of its own: Ctrl-C on the terminal is for us, and what is to be rolled back must not die of it.
    const child = spawn(file, args, { detached: true, stdio: ['ignore', output.stdio, output.stdio] });
    const why = await endOf(child, timeoutMs, over);
    if (why === undefined) return { succeeded: true, detail: null };
    const words = output.said();
    return { succeeded: false, detail: words === '' ? why : `${why}: ${words}` };
  } catch (error) {
    // No process to be had, or too many arguments.
    return { succeeded: false, detail: printable(error instanceof Error ? error.message : String(error)) };
  } finally {
    output.close();
  }
}
