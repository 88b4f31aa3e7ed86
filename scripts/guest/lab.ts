import { closeSync, mkdirSync, mkdtempSync, openSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { lockFile } from '../../src/linux/flock.ts';
import { root } from '../lib/tree.ts';
import { chooseAcceleration } from './acceleration.ts';
import { cacheFolder } from './cache-folder.ts';
import { makeDisk } from './disk.ts';
import type { Kernel } from './kernel.ts';
import { consoleTail, type Machine, type PortName, startMachine } from './machine.ts';
import { type GuestMessage, type GuestOrder, places } from './order.ts';
import { removeLeftovers, withRemoval } from './removal.ts';

type CommandPort = Exclude<PortName, 'control'>;

export interface GuestRun {
  readonly kernel: Kernel;
  readonly command: readonly string[];
  readonly cwd: string;
  /** What the command finds in its environment besides PATH, HOME and their like. */
  readonly env?: Readonly<Record<string, string>>;
  /** A folder of the host's that the guest finds as `places.out`; by default one that is thrown away. */
  readonly out?: string;
  readonly memoryMib: number;
  readonly timeoutMs: number;
  /** Is given this end of each port, once the machine has it. */
  readonly onConnect: (port: CommandPort, socket: Socket) => void;
  /** Ends QEMU at once. */
  readonly signal: AbortSignal;
}

/** How it ended. `console` is the last that the kernel said. */
export type GuestEnd =
  | {
      readonly kind: 'ended';
      readonly code: number;
      /** From power-on until the command began, by the guest's clock, and until it ended. */
      readonly readyMs: number;
      readonly upMs: number;
      readonly peakMib: number;
      readonly tookMs: number;
      /** Which kernel it was, and how QEMU has run it. */
      readonly kernel: string;
    }
  | { readonly kind: 'broken'; readonly why: string; readonly console: string };

const processors = 2;
const programFolder = path.join(root, 'node_modules/.cache/faultline-guest');

/** One guest at a time: two would each take twice as long. The kernel lets go of the lock, whatever ends us. */
async function withLock<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
  mkdirSync(cacheFolder(), { recursive: true });
  const lock = openSync(path.join(cacheFolder(), 'lock'), 'w');
  try {
    for (let told = false; !lockFile(lock); told = true) {
      if (!told) console.error('guest: another one is running; waiting until it has ended');
      await sleep(250, undefined, { signal });
    }
    return await work();
  } finally {
    closeSync(lock);
  }
}

/**
 * Have a program of the guest's in one file, where it finds the packages that it loads, for as long as `work` takes.
 *
 * @param entry relative to the root
 */
export async function withProgram<Result>(
  entry: string,
  external: readonly string[],
  work: (file: string) => Promise<Result>,
): Promise<Result> {
  const name = `${path.parse(entry).name}-${process.pid}.mjs`;
  const outfile = path.join(programFolder, name);
  return withRemoval(outfile, async () => {
    await build({
      entryPoints: [path.join(root, entry)],
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20.19',
      outfile,
      external: [...external],
      logLevel: 'error',
    });
    return work(outfile);
  });
}

function orderOf({ command, cwd, env = {} }: GuestRun): GuestOrder {
  const bin = path.dirname(process.execPath);
  return {
    command,
    cwd,
    keep: [root, bin],
    env: {
      PATH: `${bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: places.home,
      LANG: 'C.UTF-8',
      TERM: 'dumb',
      USER: 'root',
      FAULTLINE_GUEST: '1',
      ...env,
    },
  };
}

/** Lines of JSON as they come, in pieces or several at once. */
function messageReader(onMessage: (message: GuestMessage) => void): (data: Buffer) => void {
  let rest = '';
  return (data) => {
    const lines = (rest + data.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onMessage(JSON.parse(line) as GuestMessage);
  };
}

/** Boot, wait for the end of the command or of the guest, and see that QEMU is gone. */
async function watch(run: GuestRun, machine: Machine): Promise<GuestEnd> {
  const startedAt = performance.now();
  let readyMs = 0;
  let end: Extract<GuestMessage, { kind: 'ended' }> | undefined;
  const onMessage = messageReader((message) => {
    if (message.kind === 'ready') readyMs = message.upMs;
    else end = message;
  });
  const running = await startMachine(machine, (port, socket) => {
    if (port === 'control') socket.on('data', onMessage);
    else run.onConnect(port, socket);
  });
  const kill = (): boolean => running.qemu.kill('SIGKILL');
  run.signal.addEventListener('abort', kill);
  if (run.signal.aborted) kill();
  let late = false;
  // Not AbortSignal.timeout: Node.js 20 may collect such a signal before it has fired, where only a listener has it.
  const timer = setTimeout(() => {
    late = true;
    kill();
  }, run.timeoutMs);
  await running.ended;
  clearTimeout(timer);
  run.signal.removeEventListener('abort', kill);
  if (end !== undefined) {
    const { code, upMs, peakMib } = end;
    const kernel = `${run.kernel.origin}, ${machine.acceleration}`;
    return { kind: 'ended', code, readyMs, upMs, peakMib, tookMs: performance.now() - startedAt, kernel };
  }
  return { kind: 'broken', why: whyBroken(run, late, readyMs, running), console: consoleTail(machine) };
}

function whyBroken(
  run: GuestRun,
  late: boolean,
  readyMs: number,
  { complaints, qemu }: Awaited<ReturnType<typeof startMachine>>,
): string {
  if (run.signal.aborted) return 'it was ended from outside';
  if (late) return `it was ended after ${run.timeoutMs / 1000} s`;
  const said = complaints().trim();
  if (said !== '' && qemu.exitCode !== 0) return `QEMU could not run it: ${said}`;
  return readyMs === 0 ? 'the guest has ended before its command began' : 'the guest has ended before its command';
}

/**
 * Boot a guest on this host's files, run one command in it, and end it. Whatever it writes stays in its memory, but
 * for `out`.
 *
 * @throws Error a tool is missing, or the run is ended from outside before it began
 */
export async function runInGuest(run: GuestRun): Promise<GuestEnd> {
  return withLock(run.signal, async () => {
    removeLeftovers(tmpdir(), /^faultline-guest-(\d+)-/u);
    removeLeftovers(programFolder, /-(\d+)\.mjs$/u);
    const folder = mkdtempSync(path.join(tmpdir(), `faultline-guest-${process.pid}-`));
    return withRemoval(folder, () =>
      withProgram('test/guest/init/init.ts', ['koffi'], (init) => bootAndWatch(run, folder, init)),
    );
  });
}

async function bootAndWatch(run: GuestRun, folder: string, init: string): Promise<GuestEnd> {
  const acceleration = chooseAcceleration(run.kernel.file);
  const disk = path.join(folder, 'disk.img');
  makeDisk(disk);
  const order = path.join(folder, 'order.json');
  writeFileSync(order, JSON.stringify(orderOf(run)));
  const out = run.out ?? path.join(folder, 'out');
  mkdirSync(out, { recursive: true });
  return watch(run, {
    kernel: run.kernel.file,
    memoryMib: run.memoryMib,
    acceleration,
    processors,
    folder,
    disk,
    out,
    init: [process.execPath, init, order],
  });
}
