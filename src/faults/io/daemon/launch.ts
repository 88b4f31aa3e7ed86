import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { delay } from '../../../base/delay.ts';
import { FaultlineError } from '../../../base/error.ts';
import type { JsonObject } from '../../../base/json.ts';
import { printable } from '../../../base/text.ts';
import type { Site } from '../../fault.ts';
import { askDaemon } from './channel.ts';
import { type DaemonPlace, daemonPlace, makeDaemonFolder } from './place.ts';

/** How long a daemon may take to listen, in milliseconds: far beyond what a loaded machine needs. */
const startTimeoutMs = 20_000;
const pollMs = 5;

/** The daemon must not inherit what was meant for the command that starts it: a debugger's port, a coverage folder. */
function daemonEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_V8_COVERAGE: _coverage, ...rest } = process.env;
  return rest;
}

function start({ program, stateDir }: Site, key: string, { log }: DaemonPlace): void {
  const [interpreter = '', ...script] = program;
  const logFd = openSync(log, 'a', 0o600);
  try {
    // A session of its own: neither a closed terminal nor Ctrl-C reaches it.
    spawn(interpreter, [...script, 'fault-program', '--state-dir', stateDir, 'io', 'daemon', key], {
      detached: true,
      stdio: ['ignore', logFd, logFd],
      cwd: '/',
      env: daemonEnvironment(),
    })
      .on('error', () => {
        // That it does not answer tells enough.
      })
      .unref();
  } finally {
    closeSync(logFd);
  }
}

function lastLogLine({ log }: DaemonPlace): string {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').at(-1) ?? '';
  } catch {
    return '';
  }
}

/**
 * Ask the daemon of a volume, and start it where there is none.
 *
 * @throws {FaultlineError} VOLUME_BUSY when it does not start; what it says is wrong
 */
export async function askOrStart(site: Site, key: string, asked: JsonObject, timeoutMs: number): Promise<JsonObject> {
  const place = daemonPlace(site.stateDir, key);
  makeDaemonFolder(place);
  const giveUpMs = performance.now() + startTimeoutMs;
  let started = false;
  for (;;) {
    const answer = await askDaemon(place.socket, asked, timeoutMs);
    if (answer !== undefined) return answer;
    if (!started) start(site, key, place);
    started = true;
    if (performance.now() > giveUpMs) {
      throw new FaultlineError(
        'VOLUME_BUSY',
        `the daemon of the volume did not start: ${printable(lastLogLine(place))}`,
        {
          hint: `see ${printable(place.log)}`,
        },
      );
    }
    await delay(pollMs);
  }
}
