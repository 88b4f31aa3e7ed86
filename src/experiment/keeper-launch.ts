import { delay } from '../base/delay.ts';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { bootTimeMs } from '../linux/clock.ts';
import { readKeeper } from '../store/latches.ts';
import type { EngineContext } from './context.ts';
import { injectionsToKeep, isServing } from './ownership.ts';

/**
 * How long a keeper may take to report, in milliseconds, while it runs: where a machine is emulated, or very busy,
 * Node.js alone takes many seconds to start.
 */
const startTimeoutMs = 90_000;
const pollMs = 5;
/** Looking more rarely the longer it takes: where that is long, each look takes time from who is waited for. */
const maxPollMs = 50;

/** Where a keeper writes what it cannot tell anybody. */
function keeperLog(stateDir: string): string {
  return join(stateDir, 'keeper.log');
}

/** The keeper must not inherit what was meant for the command that starts it: a debugger's port, a coverage folder. */
function keeperEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_V8_COVERAGE: _coverage, ...rest } = process.env;
  return rest;
}

interface Launched {
  /** Set once it is over, or was never begun. */
  ended: boolean;
}

async function launch(context: EngineContext): Promise<Launched> {
  const { spawn } = await import('node:child_process'); // it brings all of node:net: only where it is needed
  const [interpreter, ...script] = context.program;
  if (interpreter === undefined) throw new Error('it is not known how to run this program');
  const log = openSync(keeperLog(context.stateDir), 'a', 0o600);
  const launched: Launched = { ended: false };
  const onEnd = (): void => {
    launched.ended = true;
  };
  try {
    // A session of its own: neither a closed terminal nor Ctrl-C reaches it.
    spawn(interpreter, [...script, 'keeper', '--state-dir', context.stateDir], {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      env: keeperEnvironment(),
    })
      .on('error', onEnd)
      .on('exit', onEnd)
      .unref();
    return launched;
  } finally {
    closeSync(log);
  }
}

function lastLogLine(stateDir: string): string {
  try {
    return readFileSync(keeperLog(stateDir), 'utf8').trimEnd().split('\n').at(-1) ?? '';
  } catch {
    return '';
  }
}

/**
 * Does a keeper serve, or is there nothing for one? What it was to keep may be over by now, recovered by somebody or at
 * the end of a short lease: a keeper leaves then, and one that has just been started does so before anybody sees it.
 */
function isKept(context: EngineContext): boolean {
  return isServing(readKeeper(context.store)) || injectionsToKeep(context) === 0;
}

/**
 * See that a keeper watches this state folder while there is anything to keep; start one where none does. When several
 * commands start one at once, one of them stays.
 *
 * @throws {FaultlineError} KEEPER_FAILED
 */
export async function ensureKeeper(context: EngineContext): Promise<void> {
  if (isKept(context)) return;
  context.timeline.tell(null, 'progress', { message: 'starting the keeper', done: 0, total: 1 });
  const launched = await launch(context);
  const giveUpMs = bootTimeMs() + startTimeoutMs;
  for (let pauseMs = pollMs; ; pauseMs = Math.min(pauseMs * 1.2, maxPollMs)) {
    const { ended } = launched; // before looking: if another one serves, ours ends
    if (isKept(context)) return;
    if (ended || bootTimeMs() > giveUpMs) {
      const said = printable(lastLogLine(context.stateDir));
      throw new FaultlineError('KEEPER_FAILED', `the keeper did not start${said === '' ? '' : `: ${said}`}`, {
        hint: `see ${printable(keeperLog(context.stateDir))}`,
      });
    }
    await delay(pauseMs);
  }
}
