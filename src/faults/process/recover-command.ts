import { closeSync } from 'node:fs';
import { bootTimeMs } from '../../linux/clock.ts';
import { endOfFile, openNamelessFile } from '../../linux/nameless-file.ts';
import { signalGroup } from '../../linux/process-group.ts';

/** How the user's own command went. */
export interface CommandResult {
  /** Why it could not be started at all, if so. */
  readonly notStarted: string | null;
  readonly exitCode: number | null;
  /** `SIGKILL`, when a signal ended it. */
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly tookMs: number;
  /** The last 4 KiB of what it wrote. */
  readonly output: string;
}

const keptOutputBytes = 4096;
const killAfterMs = 1_000;

/**
 * Run the user's recover command with a shell, as chaosd does: the one place where a shell gets a string, and the
 * string is the user's own, untouched. It goes by the environment, which only the same user and root can read: the
 * arguments of a process are shown to everybody. Waits until the shell ends, not until what it left in the background
 * does.
 */
export async function runRecoverCommand(command: string, timeoutMs: number): Promise<CommandResult> {
  const startedMs = bootTimeMs();
  let output: number | undefined;
  try {
    output = openNamelessFile();
    const ended = await runShell(command, timeoutMs, output);
    return { notStarted: null, ...ended, tookMs: bootTimeMs() - startedMs, output: endOfFile(output, keptOutputBytes) };
  } catch (error) {
    // No room for a file, no process to be had: it is a verdict like any other, and what else is undone goes on.
    const notStarted = error instanceof Error ? error.message : String(error);
    const never = { exitCode: null, signal: null, timedOut: false };
    return { notStarted, ...never, tookMs: bootTimeMs() - startedMs, output: '' };
  } finally {
    if (output !== undefined) closeSync(output);
  }
}

const variable = 'FAULTLINE_RECOVER_COMMAND';

/** What the shell is given as its argument: take the command, hide it from what it starts, and run it. */
const evaluate = `command=$${variable}; unset ${variable}; eval "$command"`;

type Ended = Pick<CommandResult, 'exitCode' | 'signal' | 'timedOut'>;

async function runShell(command: string, timeoutMs: number, output: number): Promise<Ended> {
  const { spawn } = await import('node:child_process'); // it brings all of node:net: only where it is needed
  const child = spawn('/bin/sh', ['-c', evaluate], {
    stdio: ['ignore', output, output],
    detached: true,
    env: { ...process.env, [variable]: command },
  });
  let timedOut = false;
  const end = (signal: 'SIGTERM' | 'SIGKILL'): void => {
    // The group that the shell leads, with whatever it has started; undefined where it was not to be had.
    if (child.pid !== undefined) signalGroup(child.pid, signal);
  };
  let hard: NodeJS.Timeout | undefined;
  const onTimeout = (): void => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    timedOut = true;
    end('SIGTERM');
    hard = setTimeout(end, killAfterMs, 'SIGKILL');
  };
  // Timers come before the ends of children in a turn of the event loop: one that ended while we stood still is heard.
  const gentle = setTimeout(() => setImmediate(onTimeout), timeoutMs);
  try {
    return await new Promise<Ended>((resolve, reject) => {
      child.once('exit', (exitCode, signal) => {
        resolve({ exitCode, signal, timedOut });
      });
      child.once('error', reject);
    });
  } finally {
    clearTimeout(gentle);
    clearTimeout(hard);
  }
}

/** Did it fail? Then what it should have repaired is not repaired. */
export function commandFailed(result: CommandResult): boolean {
  return result.notStarted !== null || result.timedOut || result.exitCode !== 0;
}
