import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach } from 'vitest';
import { askFuse } from '../../../src/linux/fuse/support.ts';
import { cli, type Ran, type RunOptions, show, type ShownInjection, uidIn } from '../../support/cli.ts';
import { until } from '../targets/processes.ts';

/*
 * Faults in files by the command line, as users have them: a fresh folder, a state folder of its own, and a look at the
 * whole host at the end, that nothing is left of it.
 */

function reasonAgainst(): string | undefined {
  if (process.geteuid?.() !== 0) return 'not root';
  const answer = askFuse();
  return answer.status === 'usable' ? undefined : answer.reason;
}

/** Why faults in files cannot be injected here; undefined: they can. */
export const cannotInject: string | undefined = reasonAgainst();
if (cannotInject !== undefined) console.warn(`Skipped: faults in files cannot be injected here: ${cannotInject}`);

const pageSize = 4096;
export const pages = 16;
/** What is in the file: each page is full of the letter of its number. */
export const content = Array.from({ length: pages }, (_, page) => String.fromCharCode(97 + page).repeat(pageSize)).join(
  '',
);

export interface Scene {
  /** The folder that faults are injected into; in it are the files `file` and `other`, of {@link content}. */
  readonly volume: string;
  readonly stateDir: string;
  inVolume(name: string): string;
  /** Another command on this state folder. */
  run(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** `attack io …` on the volume, that must succeed. @returns its uid */
  inject(args: readonly string[], options?: RunOptions): Promise<string>;
  /** That must succeed. */
  recover(uid: string): Promise<void>;
  show(uid: string): Promise<ShownInjection>;
}

const scenes = new Set<Scene & { readonly folder: string }>();

function must(ran: Ran): Ran {
  if (ran.code === 0) return ran;
  throw new Error(`the command ended with ${ran.code ?? ran.signal}: ${ran.stdout}${ran.stderr}`);
}

export function fill(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of ['file', 'other']) writeFileSync(path.join(folder, name), content);
}

/** A fresh volume, gone after the test with all that was put onto it. */
export function scene(): Scene {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-io-'));
  chmodSync(folder, 0o755);
  const volume = path.join(folder, 'volume');
  fill(volume);
  const stateDir = path.join(folder, 'state');
  const run = (args: readonly string[], options: RunOptions = {}) => cli(args, { stateDir, ...options });
  const one = Object.freeze({
    folder,
    volume,
    stateDir,
    inVolume: (name: string) => path.join(volume, name),
    run,
    inject: async ([action = '', ...args]: readonly string[], options: RunOptions = {}) =>
      uidIn(must(await run(['attack', 'io', action, '--volume', volume, ...args], options)).stdout),
    recover: async (uid: string) => {
      must(await run(['recover', uid]));
    },
    show: (uid: string) => show(uid, { stateDir }),
  });
  scenes.add(one);
  return one;
}

function attempt<Result>(body: () => Result): Result | undefined {
  try {
    return body();
  } catch {
    return undefined; // it is gone, or not ours to see
  }
}

function allPids(): readonly number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** A mount of ours, as somebody sees it. */
export interface SeenMount {
  readonly pid: number;
  readonly namespace: string;
  readonly mountPoint: string;
  readonly source: string;
  /** `major:minor` */
  readonly device: string;
}

/** All mounts of faults in files below a folder, or of a source, that any process of the host sees; one a namespace. */
export function mountsOf({ below, source }: { readonly below?: string; readonly source?: string }): SeenMount[] {
  const found = new Map<string, SeenMount>();
  for (const pid of allPids()) {
    const namespace = attempt(() => readlinkSync(`/proc/${pid}/ns/mnt`));
    const table = attempt(() => readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));
    if (namespace === undefined || table === undefined) continue;
    for (const line of table.split('\n')) {
      const [place = '', from = ''] = line.split(' - ');
      const [, , device = '', , mountPoint = ''] = place.split(' ');
      const [type, itsSource = ''] = from.split(' ');
      if (type !== 'fuse.faultline') continue;
      if (below !== undefined && !mountPoint.startsWith(below)) continue;
      if (source !== undefined && itsSource !== source) continue;
      found.set(`${namespace} ${line}`, { pid, namespace, mountPoint, source: itsSource, device });
    }
  }
  return [...found.values()];
}

/** The same, as the test itself sees them: a namespace that another test makes meanwhile begins with copies of all. */
export function mountsSeenHere(below: string): SeenMount[] {
  const here = readlinkSync('/proc/self/ns/mnt');
  return mountsOf({ below }).filter(({ namespace }) => namespace === here);
}

export interface OurProcess {
  readonly pid: number;
  /** `daemon`, `repointer`, `keeper`; the command, for those of the command line. */
  readonly command: string;
}

/** Processes of Faultline that work on a state folder; zombies are none. */
export function processesOf({ stateDir }: Pick<Scene, 'stateDir'>): readonly OurProcess[] {
  return allPids().flatMap((pid) => {
    const environment = attempt(() => readFileSync(`/proc/${pid}/environ`, 'utf8'))?.split('\0');
    if (environment?.includes(`FAULTLINE_STATE_DIR=${stateDir}`) !== true) return [];
    // NODE SCRIPT fault-program --state-dir FOLDER io NAME, for processes that a fault runs.
    const words = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.split('\0') ?? [];
    const [, , command = '', , , kind = '', name = ''] = words;
    return [{ pid, command: command === 'fault-program' ? `${kind}-${name}` : command }];
  });
}

/** The process that runs a hidden command on a state folder, once there is one. */
export function ours(one: Pick<Scene, 'stateDir'>, command: string): Promise<number> {
  return until(`there is a ${command}`, () => processesOf(one).find((its) => its.command === command)?.pid);
}

export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  attempt(() => process.kill(pid, signal));
}

/** Device of a file that nobody answers for. */
const nowhere = -1;

/** On which devices the files are that a process has open, stands in, or has mapped, of those below the volume. */
function devicesOf(pid: number, volume: string): ReadonlySet<number> {
  const links = ['cwd', 'root', ...(attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? []).map((fd) => `fd/${fd}`)];
  const maps = (attempt(() => readdirSync(`/proc/${pid}/map_files`)) ?? []).map((range) => `map_files/${range}`);
  const devices = [...links, ...maps].flatMap((link) => {
    const file = `/proc/${pid}/${link}`;
    const shown = attempt(() => readlinkSync(file)) ?? '';
    // What is of a mount that stands nowhere any more is shown from the root of that.
    const isOfVolume = shown.startsWith(volume) || ['/', '/file', '/other'].includes(shown);
    if (!isOfVolume || shown === '/') return [];
    const device = attempt(() => statSync(file).dev);
    if (device !== undefined) return [device];
    // It cannot be asked, as when its daemon is dead, or it is closed by now.
    return attempt(() => readlinkSync(file)) === shown ? [nowhere] : [];
  });
  return new Set(devices);
}

/** What is left of a fault, in words; nothing: the volume is what it was. */
function leftOf(one: Scene, targets: readonly number[] = []): readonly string[] {
  const mounts = mountsOf({ below: one.volume }).map(
    ({ mountPoint, namespace }) => `${mountPoint} is covered in ${namespace}`,
  );
  if (mounts.length > 0) return mounts;
  const device = statSync(one.volume).dev;
  const strays = targets.filter((pid) => [...devicesOf(pid, one.volume)].some((its) => its !== device));
  const serving = processesOf(one).filter(({ command }) => command.startsWith('io-'));
  return [
    ...strays.map((pid) => `process ${pid} has something open that is not of the volume`),
    ...serving.map(({ pid, command }) => `${command} is still there, as process ${pid}`),
  ];
}

/** Wait until nothing is left of a fault: its daemon may need a moment to end. */
export async function nothingLeft(one: Scene, targets: readonly number[] = []): Promise<void> {
  await until('nothing is left of the fault', () => {
    const left = leftOf(one, targets);
    lastLeft = left;
    return left.length === 0;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${lastLeft.join('; ')}`);
  });
}
let lastLeft: readonly string[] = [];

/** @returns whether nobody is left who works on the state folder */
function killAll(one: Pick<Scene, 'stateDir'>): boolean {
  const working = processesOf(one);
  for (const { pid } of working) kill(pid);
  return working.length === 0;
}

function umount({ pid, mountPoint }: SeenMount): void {
  const umountIt = ['umount', '-l', mountPoint];
  const [command = '', ...args] = pid === process.pid ? umountIt : ['nsenter', '-t', String(pid), '-m', ...umountIt];
  spawnSync(command, args);
}

afterEach(async () => {
  const ended = [...scenes];
  scenes.clear();
  for (const one of ended) {
    // Whoever watches would start again what was killed.
    await until('nobody works on the state folder any more', () => killAll(one)).catch(() => undefined);
    for (const mount of mountsOf({ below: one.folder })) umount(mount);
    rmSync(one.folder, { recursive: true, force: true });
  }
});
