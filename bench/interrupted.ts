import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/*
 * Whoever interrupts a benchmark must not be left with what it has started: hundreds of stopped processes, a service,
 * mounts. Each benchmark ends its own when it is over; here they are ended all at once.
 */

/** In the environment of everything that a benchmark starts, and of what that starts. */
const variable = 'FAULTLINE_BENCH_RUN';

/** How long what was asked to end may take, in ms: keepers and daemons undo what they hold first. */
const graceMs = 10_000;
const pollMs = 50;

function isMarked(pid: number, mark: string): boolean {
  try {
    // Of one who has ended nothing can be read.
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`${variable}=${mark}`);
  } catch {
    return false;
  }
}

function marked(mark: string): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => pid !== process.pid && isMarked(pid, mark));
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

async function endAll(mark: string): Promise<void> {
  for (const pid of marked(mark)) {
    send(pid, 'SIGTERM');
    send(pid, 'SIGCONT');
  }
  const giveUpMs = performance.now() + graceMs;
  while (marked(mark).length > 0 && performance.now() < giveUpMs) await delay(pollMs);
  for (const pid of marked(mark)) send(pid, 'SIGKILL');
}

/** From now on whoever interrupts this program ends with it what it has started. */
export function endAllWhenInterrupted(): void {
  const mark = `${process.pid}-${Date.now()}`;
  process.env[variable] = mark;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      void endAll(mark).finally(() => process.exit(128 + constants.signals[signal]));
    });
  }
}
