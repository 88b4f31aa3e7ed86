import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach } from 'vitest';
import { type RunOptions, startCli } from './cli.ts';

/** A service of the test's own, in a process of its own. */
export interface TestServer {
  readonly pid: number;
  /** `http://127.0.0.1:40123` */
  readonly url: string;
  readonly stateDir: string;
  readonly child: ChildProcess;
  /** What it has written to its log until now. */
  log(): string;
  /** Send a signal and wait for its end. @returns the exit code, or the signal that ended it */
  end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

export interface ServerRunOptions extends RunOptions {
  readonly stateDir: string;
  /** Flags beside `--port 0` and `--https-port 0`. */
  readonly args?: readonly string[];
}

const running = new Set<TestServer>();

/** Every address that the log says the service listens on. */
function addressesIn(log: string): readonly string[] {
  return [...log.matchAll(/^listening on (\S+)$/gmu)].map(([, url]) => url ?? '');
}

/** Wait until it answers, or until it has ended without. */
async function ready(child: ChildProcess, log: () => string): Promise<readonly string[]> {
  const deadline = performance.now() + 120_000;
  while (addressesIn(log()).length === 0) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`the service did not start:\n${log()}`);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  return addressesIn(log());
}

/**
 * Start `faultline server` on a free port and wait until it answers. It is ended after the test, whatever happens.
 *
 * @throws Error with its log when it ends before it answers
 */
export async function startServer(options: ServerRunOptions): Promise<TestServer> {
  const child = startCli(['server', '--port', '0', '--https-port', '0', ...(options.args ?? [])], options);
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  child.stdout?.resume();
  const log = (): string => text;
  const urls = await ready(child, log);
  const server: TestServer = Object.freeze({
    pid: child.pid ?? 0,
    url: urls[0] ?? '',
    stateDir: options.stateDir,
    child,
    log,
    end: async (signal: NodeJS.Signals = 'SIGTERM') => {
      running.delete(server);
      if (child.exitCode === null && child.signalCode === null) {
        const closed = once(child, 'close');
        child.kill(signal);
        await closed;
      }
      return child.signalCode ?? child.exitCode;
    },
  });
  running.add(server);
  return server;
}

afterEach(async () => {
  await Promise.all([...running].map((server) => server.end('SIGKILL')));
});
