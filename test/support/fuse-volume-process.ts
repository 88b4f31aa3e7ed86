import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

/*
 * A folder served through FUSE by a process of its own, as a volume is in the product, but without experiment, journal
 * and re-pointing: what stands between a program and its files, and nothing else.
 */

const root = path.resolve(import.meta.dirname, '../..');
const patienceMs = 60_000;

export interface VolumeOptions {
  /** The folder to be served. */
  readonly source: string;
  /** Where it is to be seen; may be the same. */
  readonly mount: string;
  /**
   * A module that exports `createInterposer(channel: RuleChannel): Interposer`; see test/support/fuse-rule-channel.ts.
   * Without one nobody is disturbed.
   */
  readonly interposerModule?: string;
  /** The first rules that the interposer is given: anything that JSON can hold. */
  readonly rules?: unknown;
  /** Threads; 4 by default. */
  readonly workers?: number;
  /** How long the kernel may believe what it is told of files that no rule is about; 0 by default. */
  readonly cacheMs?: number;
  /** Whether the kernel may read and write by itself; true by default. */
  readonly passthrough?: boolean;
  /** RLIMIT_NOFILE of the process, soft and hard. */
  readonly openFiles?: number;
  /** How many descriptors may be kept for files that are not open. */
  readonly maxNodeDescriptors?: number;
}

export interface VolumeStatus {
  readonly requests: number;
  readonly nodes: number;
  readonly nodeDescriptors: number;
  readonly evictions: number;
  readonly delayed: number;
  /** What the interposer counts: whatever it wants. */
  readonly counts: readonly number[];
  readonly passthrough: boolean;
  /** Resident memory of the process, in bytes. */
  readonly residentBytes: number;
  /** Errors that were met while serving. */
  readonly failures: readonly string[];
}

export interface ServedVolume {
  readonly pid: number;
  readonly mount: string;
  readonly source: string;
  readonly status: () => Promise<VolumeStatus>;
  /**
   * Gives the interposer other rules. Settles when they are in force, for files that the kernel knew before as well.
   */
  readonly setRules: (rules: unknown) => Promise<void>;
  readonly setCaching: (ms: number) => Promise<void>;
  /** Lets go what waits, and unmounts; those who have files open go on. */
  readonly withdraw: () => Promise<void>;
  /** Withdraws, and waits until the process has ended, which it does when nobody has a file open any more. */
  readonly end: () => Promise<void>;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

const folders: string[] = [];
const running = new Set<ChildProcess>();
const programs = new Map<string, Promise<string>>();

/** Ends whatever is still served, and removes what was made for it. */
export async function endVolumes(): Promise<void> {
  for (const child of running) await endNow(child);
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  programs.clear();
}

/** Starts to serve. */
export async function startVolume(options: VolumeOptions): Promise<ServedVolume> {
  const interposer = options.interposerModule ?? path.join(root, 'test/support/fuse-no-interposer.ts');
  const existing = programs.get(interposer);
  const program = existing ?? bundle(interposer);
  programs.set(interposer, program);
  const folder = await program;
  const child = spawn(process.execPath, [path.join(folder, 'fuse-volume-program.mjs')], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  running.add(child);
  const exited = once(child, 'exit').then(() => {
    running.delete(child);
  });
  const ask = asking(child);
  await ask('start', { ...options, workerFile: path.join(folder, 'worker.mjs') });
  return {
    pid: child.pid ?? 0,
    mount: options.mount,
    source: options.source,
    status: async () => (await ask('status')) as VolumeStatus,
    setRules: async (rules) => {
      await ask('rules', rules);
    },
    setCaching: async (ms) => {
      await ask('caching', ms);
    },
    withdraw: async () => {
      await ask('withdraw');
    },
    end: async () => {
      // It may have ended by itself, or be about to, when it was withdrawn before.
      const asked = await ask('end').catch((error: unknown) => error);
      if (asked instanceof Error && child.connected) throw asked;
      await within(exited, 'the volume has not ended: is a file of it still open?');
      if (child.exitCode !== 0) throw new Error(`the volume has ended with ${child.exitCode ?? child.signalCode}`);
    },
  };
}

type Ask = (what: string, value?: unknown) => Promise<unknown>;

function asking(child: ChildProcess): Ask {
  let asked = 0;
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  child.on('message', ({ id, value, error }: Answer) => {
    if (error === undefined) waiting.get(id)?.resolve(value);
    else waiting.get(id)?.reject(new Error(error));
    waiting.delete(id);
  });
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the volume has ended'));
    waiting.clear();
  });
  return (what, value) => {
    asked += 1;
    const id = asked;
    const answer = new Promise<unknown>((resolve, reject) => {
      waiting.set(id, { resolve, reject });
    });
    child.send({ id, what, value }, (error) => {
      if (error !== null) waiting.get(id)?.reject(error);
      if (error !== null) waiting.delete(id);
    });
    return within(answer, `the volume does not answer to ${what}`);
  };
}

async function within<Result>(promise: Promise<Result>, otherwise: string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(otherwise));
    }, patienceMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Ends a process whatever it is doing: first its mount, so that nobody waits for it for ever. */
async function endNow(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(timer);
}

/** Within the checkout, where koffi is found. */
async function bundle(interposer: string): Promise<string> {
  const cache = path.join(root, 'node_modules/.cache/faultline');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(cache, 'fuse-'));
  folders.push(folder);
  const worker = path.join(folder, 'worker.ts');
  const imported = (file: string): string => JSON.stringify(path.relative(folder, file));
  writeFileSync(
    worker,
    `import { serveWith } from ${imported(path.join(root, 'test/support/fuse-worker.ts'))};
     import { createInterposer } from ${imported(interposer)};
     serveWith(createInterposer);`,
  );
  await build({
    entryPoints: [worker, path.join(root, 'test/support/fuse-volume-program.ts')],
    outdir: folder,
    entryNames: '[name]',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: ['koffi'],
    define: { __FAULTLINE_VERSION__: '"0.0.0-test"' },
    banner: { js: "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url);" },
    logLevel: 'error',
  });
  return folder;
}

/** Why a volume cannot be served here; undefined when it can. */
export function cannotServe(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  if (!existsSync('/dev/fuse')) return 'there is no /dev/fuse';
  return readFileSync('/proc/filesystems', 'utf8').includes('fuse') ? undefined : 'the kernel has no FUSE';
}
