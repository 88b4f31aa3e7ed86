import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../host/targets/processes.ts';
import { isEndedState, readStat } from '../../src/linux/procfs/stat.ts';
import { freePort } from './free-port.ts';
import type { Answer, Terminal } from './terminal.ts';

/*
 * The service that a page of the documentation shows. The page has it on the ports that it takes by itself; in a test
 * these may be taken, so it gets others, and what is typed and seen is translated.
 */

/** Pairs of a port that pages write and the one in its place. */
export type Ports = readonly (readonly [shown: number, real: number])[];

const patienceMs = 60_000;

export async function choosePorts(): Promise<Ports> {
  return [
    [31_767, await freePort()],
    [31_768, await freePort()],
  ];
}

const runsService = /\b(?:faultline|chaosd) server\b(?!.*(?:--install|--help|-h\b))/u;

/** A command as it is typed in a test: on no port that the page did not choose, and on ours in place of the page's. */
export function typedWith(ports: Ports, command: string): string {
  const [http = 0, https = 0] = ports.map(([shown]) => shown);
  const flags = [
    ...(/ (?:--port|-p) /u.test(command) ? [] : [`--port ${http}`]),
    ...(command.includes(' --https-port ') ? [] : [`--https-port ${https}`]),
  ];
  const whole = command.replace(runsService, (server) => [server, ...flags].join(' '));
  return ports.reduce(
    (text, [shown, real]) => text.replaceAll(new RegExp(`\\b${shown}\\b`, 'gu'), String(real)),
    whole,
  );
}

/** What was seen, with the page's ports. Only after an address: any other number may be a PID. */
export function shownWith(ports: Ports, text: string): string {
  return ports.reduce(
    (told, [shown, real]) => told.replaceAll(new RegExp(`(127\\.0\\.0\\.1|localhost):${real}\\b`, 'gu'), `$1:${shown}`),
    text,
  );
}

function contents(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // not there yet
  }
}

/** A zombie has ended; who reaps it, and when, is not ours to know. */
function isAlive(pid: number): boolean {
  const state = readStat(pid)?.state;
  return state !== undefined && !isEndedState(state);
}

function terminate(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended by itself.
  }
}

export interface Services {
  /**
   * Run a service from the session's shell, so that it ends with it; one that ran before is stopped as systemd does it.
   *
   * @param isSeen is it what the page shows?
   * @returns what it has printed until it answered and the page's text was seen, with the code 0; or, with another
   *   code, until it ended or there was no use in waiting any more
   */
  start(command: string, isSeen: (output: string) => boolean): Promise<Answer>;
}

/** @param folder where its output goes */
export function servicesOf(terminal: Terminal, folder: string): Services {
  let count = 0;
  let running: number | undefined;

  async function stop(): Promise<void> {
    const pid = running;
    running = undefined;
    if (pid === undefined) return;
    terminate(pid);
    await until(`the service ${pid} has stopped`, () => !isAlive(pid));
  }
  async function begin(command: string): Promise<{ readonly pid: number; readonly log: string }> {
    count += 1;
    const [log, pidFile] = [path.join(folder, `service-${count}.log`), path.join(folder, `service-${count}.pid`)];
    // In a subshell: $! stays what the page has made it.
    await terminal.type(`( ${command} > '${log}' 2>&1 < /dev/null & echo $! > '${pidFile}' )`);
    const pid = Number(contents(pidFile));
    return { pid, log };
  }
  return {
    start: async (command, isSeen) => {
      await stop();
      const { pid, log } = await begin(command);
      running = pid;
      const deadline = performance.now() + patienceMs;
      for (;;) {
        const alive = isAlive(pid);
        const output = contents(log);
        const ready = alive && /^listening on /mu.test(output);
        if (ready && isSeen(output)) return { output, code: 0 };
        if (!alive || performance.now() > deadline) return { output, code: ready ? 0 : 1 };
        await delay(10);
      }
    },
  };
}
