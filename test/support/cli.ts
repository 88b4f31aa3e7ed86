import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach } from 'vitest';
import { endKeepersBelow } from './keepers.ts';

export const distFolder = path.resolve(import.meta.dirname, '../../dist');

/** What a command said and how it ended. */
export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stateDir?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly program?: 'faultline' | 'chaosd';
  /** Another bundle of the command line, in place of the one that users get. */
  readonly script?: string;
}

const folders: string[] = [];

/** A folder that is gone after the test. */
export function tempFolder(prefix = 'faultline-test-'): string {
  const folder = mkdtempSync(path.join(tmpdir(), prefix));
  folders.push(folder);
  return folder;
}

/** A state folder that is gone after the test; for another user it is made by the command itself. */
export function tempStateDir(): string {
  const folder = tempFolder();
  chmodSync(folder, 0o711);
  return path.join(folder, 'state');
}

afterEach(async ({ task }) => {
  const ours = folders.splice(0);
  // A test that broke off has not waited for its leases. Of one that passed a keeper that stays is a leak.
  if (task.result?.state === 'fail') await endKeepersBelow(ours);
  // Again and again: a keeper that is about to end may write into its state folder meanwhile.
  for (const folder of ours) rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
});

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  if (stream === null) return '';
  let text = '';
  stream.setEncoding('utf8');
  for await (const piece of stream) text += String(piece);
  return text;
}

/** Start a command and leave it running. */
export function startCli(args: readonly string[], options: RunOptions = {}): ChildProcess {
  const script = options.script ?? path.join(distFolder, `${options.program ?? 'faultline'}.js`);
  const { FAULTLINE_STATE_DIR: _inherited, ...inherited } = process.env;
  return spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...inherited,
      NODE_OPTIONS: '',
      FAULTLINE_POLICY: '',
      ...(options.stateDir === undefined ? {} : { FAULTLINE_STATE_DIR: options.stateDir }),
      ...options.env,
    },
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
}

export async function finished(child: ChildProcess): Promise<Ran> {
  const [[code, signal], stdout, stderr] = await Promise.all([
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
    textOf(child.stdout),
    textOf(child.stderr),
  ]);
  return { code, signal, stdout, stderr };
}

/** Run a command to its end, as a user would: the real program in a process of its own. */
export function cli(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return finished(startCli(args, options));
}

/** The uid in an answer, as scripts written for chaosd take it out. */
export function uidIn(stdout: string): string {
  return stdout.trim().split('uid: ')[1] ?? '';
}

/** One injection's document, from `show UID -o json`. */
export interface ShownInjection {
  readonly uid: string;
  readonly state: string;
  readonly verdict: string | null;
  readonly rounds: number;
  readonly error: { readonly code: string } | null;
  readonly targets: readonly {
    readonly phase: string;
    readonly round: number;
    readonly verdict: string;
    readonly seen: string;
    readonly evidence: Readonly<Record<string, unknown>>;
    readonly target: { readonly key: string; readonly label: string };
  }[];
  readonly present: readonly { readonly verdict: string; readonly seen: string; readonly evidence: unknown }[];
  readonly effects: readonly { readonly id: number; readonly status: string; readonly undo: unknown }[];
  readonly timeline: readonly { readonly type: string; readonly data: unknown }[];
}

export async function show(uid: string, options: RunOptions): Promise<ShownInjection> {
  const ran = await cli(['show', uid, '-o', 'json'], options);
  if (ran.code !== 0) throw new Error(`show ${uid} failed: ${ran.stderr}`);
  return JSON.parse(ran.stdout) as ShownInjection;
}
