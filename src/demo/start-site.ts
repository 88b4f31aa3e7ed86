import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { accessSync, constants, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import type { SiteOrder, SiteReady } from './site.ts';

/** The service of the demo, from outside. */
export interface Site {
  /** Of its balancer. */
  readonly url: string;
  /** For whatever the demo writes. It is gone with the site. */
  readonly folder: string;
  /** Ends all of it. */
  end(): Promise<void>;
}

/** How long it may take to start or to end, in ms, on a machine that is very busy. */
const patienceMs = 60_000;

/** What was meant for the command must not reach what it starts: a debugger's port, a coverage folder. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_V8_COVERAGE: _coverage, ...rest } = process.env;
  return rest;
}

/** @returns a folder that is not there yet: it is the service that makes it, so that there is always who removes it */
function folderToMake(): string {
  const parent = tmpdir();
  try {
    accessSync(parent, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new FaultlineError('HOST_UNSUPPORTED', `nothing can be written into ${printable(parent)}`, {
      hint: 'name another folder in TMPDIR',
      cause: error,
    });
  }
  return path.join(parent, `faultline-demo-${randomUUID()}`);
}

/**
 * Starts the service of the demo, on ports of 127.0.0.1 that nobody uses. However this process ends, it ends too.
 *
 * @param program how to run this very program: `[node, script]`
 * @throws {FaultlineError} HOST_UNSUPPORTED: no folder for it; UNEXPECTED: it did not start
 */
export async function startSite(program: readonly string[], nginx: boolean): Promise<Site> {
  const folder = folderToMake();
  const [interpreter = process.execPath, ...script] = program;
  const order: SiteOrder = { parentPid: process.pid, folder, program, nginx };
  // A session of its own: Ctrl-C is for the demo, which still needs its servers to undo what it did.
  const child = spawn(interpreter, [...script, 'demo-program', 'site', JSON.stringify(order)], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environment(),
  });
  child.stdin.on('error', () => undefined);
  const exited = new Promise<void>((resolve) => {
    child.on('exit', () => resolve());
    child.on('error', () => resolve());
  });
  let said = '';
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    complaint = (complaint + piece).slice(-2_000);
  });

  async function end(): Promise<void> {
    child.stdin.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    await exited;
    clearTimeout(timer);
    rmSync(folder, { recursive: true, force: true });
  }
  const ready = new Promise<SiteReady | undefined>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      said += piece;
      if (said.includes('\n')) resolve(JSON.parse(said) as SiteReady);
    });
    void exited.then(() => resolve(undefined));
    setTimeout(() => resolve(undefined), patienceMs).unref();
  });
  const answer = await ready;
  if (answer !== undefined) return Object.freeze({ url: answer.url, folder, end });
  await end();
  const lines = complaint.trim().split('\n');
  const last = lines.findLast((line) => line.startsWith('Error: '))?.slice('Error: '.length) ?? lines.at(-1) ?? '';
  throw new FaultlineError(
    'UNEXPECTED',
    `the demo's service did not start${last === '' ? '' : `: ${printable(last)}`}`,
  );
}
