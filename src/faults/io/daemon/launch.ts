import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { delay } from '../../../base/delay.ts';
import { FaultlineError } from '../../../base/error.ts';
import type { JsonObject } from '../../../base/json.ts';
import { printable } from '../../../base/text.ts';
import { currentState } from '../../../targets/identity.ts';
import type { Site } from '../../fault.ts';
import { askDaemon, isEnding } from './channel.ts';
import { type DaemonPlace, daemonPlace, makeDaemonFolder } from './place.ts';
import { readRecord } from './record.ts';

/** How long a daemon may take to listen, in milliseconds: far beyond what a loaded machine needs. */
const startTimeoutMs = 20_000;
const pollMs = 5;

/** The daemon must not inherit what was meant for the command that starts it: a debugger's port, a coverage folder. */
function daemonEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_V8_COVERAGE: _coverage, ...rest } = process.env;
  return rest;
}

/** A daemon that was started. */
interface Started {
  /** It has ended before it could be asked. One that finds another there ends well. */
  hasFailed: boolean;
  /** Well, as one does that finds another there. */
  hasEnded: boolean;
}

function start({ program, stateDir }: Site, key: string, { log }: DaemonPlace): Started {
  const started = { hasFailed: false, hasEnded: false };
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
        started.hasFailed = true;
      })
      .on('exit', (code) => {
        started.hasFailed = code !== 0;
        started.hasEnded = code === 0;
      })
      .unref();
    return started;
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

/** Daemons that were started before they were asked anything, by their socket. */
const early = new Map<string, Started>();

/** Start the daemon of a volume where there seems to be none; it ends when nobody asks it anything. */
export function startEarly(site: Site, key: string): void {
  const place = daemonPlace(site.stateDir, key);
  if (existsSync(place.socket)) return;
  makeDaemonFolder(place);
  early.set(place.socket, start(site, key, place));
}

/**
 * Ask the daemon of a volume, and start it where there is none.
 *
 * @throws {FaultlineError} VOLUME_BUSY when it does not start, or has died and left the volume covered; what it says is
 *   wrong
 */
export async function askOrStart(site: Site, key: string, asked: JsonObject, timeoutMs: number): Promise<JsonObject> {
  const place = daemonPlace(site.stateDir, key);
  makeDaemonFolder(place);
  const giveUpMs = performance.now() + startTimeoutMs;
  let started = early.get(place.socket);
  early.delete(place.socket);
  for (;;) {
    const answer = await askUnlessEnding(place, asked, timeoutMs);
    if (answer !== undefined) return answer;
    refuseOrphan(place);
    // One that was started while another was ending has found it there, and gone.
    if (started === undefined || started.hasEnded) started = start(site, key, place);
    if (started.hasFailed || performance.now() > giveUpMs) throw notStarted(place);
    await delay(pollMs);
  }
}

async function askUnlessEnding({ socket }: DaemonPlace, asked: JsonObject, timeoutMs: number) {
  try {
    return await askDaemon(socket, asked, timeoutMs);
  } catch (error) {
    if (isEnding(error)) return undefined;
    throw error;
  }
}

/** What a daemon wrote down is there, and it does not answer: it may have died while it was asked. */
function refuseOrphan(place: DaemonPlace): void {
  const daemon = readRecord(place)?.daemon;
  if (daemon === undefined || currentState(daemon) === 'alive') return;
  throw new FaultlineError('VOLUME_BUSY', 'the daemon of the volume has died', {
    hint: 'faultline recover --all gives the volume back',
  });
}

function notStarted(place: DaemonPlace): FaultlineError {
  const line = lastLogLine(place);
  const why = line === '' ? '' : `: ${printable(line)}`;
  return new FaultlineError('VOLUME_BUSY', `the daemon of the volume did not start${why}`, {
    hint: `see ${printable(place.log)}`,
  });
}
