import { closeSync, constants, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { listDescriptors } from '../../../src/linux/repoint/open-files.ts';
import { statusAt, statusOf } from '../../../src/linux/repoint/file-status.ts';
import type { RepointReport } from '../../../src/linux/repoint/repoint.ts';
import type { ProcessReport } from '../../../src/linux/repoint/repoint-report.ts';
import { mountIdsSeenBy, type SideKind, type VolumeSide, volumeSide } from '../../../src/linux/repoint/volume-side.ts';
import type { Scope } from '../../../src/linux/repoint/volume-users.ts';
import { folder, made, mount } from '../mount/lab.ts';
import { hasPython, start, type TestProcess } from '../targets/processes.ts';
import { startSwapper, type Swapper } from './swapper.ts';

/*
 * A volume with two sides, for tests: a tmpfs, and a second mount of it that can be put over the first, as the mount of
 * a fault is.
 */

/** Root, and Python, in which the programs are written that are moved. */
export const canMove = process.geteuid?.() === 0 && hasPython;

export interface TestVolume {
  readonly path: string;
  /** Our descriptors of the folder on its two sides. */
  readonly folders: Readonly<Record<SideKind, number>>;
  readonly mounts: Readonly<Record<SideKind, number>>;
  /** Puts the overlay's mount over the volume. */
  cover(): void;
  uncover(): void;
}

const O_PATH = 0o10000000;

function openFolder(path: string): number {
  const fd = openSync(path, O_PATH | constants.O_DIRECTORY);
  onTestFinished(() => closeSync(fd));
  return fd;
}

export function testVolume(): TestVolume {
  const base = folder();
  // Mounts cannot be moved below one that is shared.
  mount('-t', 'tmpfs', 'base', base);
  mount('--make-private', base);
  const [path, aside] = [made(base, 'volume'), made(base, 'aside')];
  mount('-t', 'tmpfs', 'volume', path);
  mount('--bind', path, aside);
  const folders = { original: openFolder(path), overlay: openFolder(aside) };
  return {
    path,
    folders,
    mounts: { original: statusOf(folders.original).mountId, overlay: statusOf(folders.overlay).mountId },
    cover: () => mount('--move', aside, path),
    uncover: () => mount('--move', path, aside),
  };
}

export function sideOf({ folders, mounts }: TestVolume, kind: SideKind): VolumeSide {
  const mountIds = kind === 'overlay' ? [mounts.overlay] : mountIdsSeenBy('self', [mounts.overlay]);
  return volumeSide({ kind, rootFd: folders[kind], mountIds });
}

/** On which side each of a process's descriptors is; what is elsewhere is left out. */
export function sidesOf({ mounts }: TestVolume, pid: number, tid = pid): Readonly<Record<number, SideKind>> {
  const sides: Record<number, SideKind> = {};
  for (const fd of listDescriptors(pid, tid)) {
    const mountId = statusAt(`/proc/${pid}/task/${tid}/fd/${fd}`)?.mountId;
    if (mountId === mounts.original) sides[fd] = 'original';
    if (mountId === mounts.overlay) sides[fd] = 'overlay';
  }
  return sides;
}

/** A program that is told what to do on its input and answers on its output, a line each. */
export interface Talker extends TestProcess {
  say(line: string): void;
  /** The next line that it prints. */
  hear(): Promise<string>;
  /** Says something, and hears the answer. */
  ask(line: string): Promise<string>;
}

export async function startTalker(file: string, args: readonly string[], ...fds: readonly number[]): Promise<Talker> {
  const one = await start(file, args, { stdio: ['pipe', 'pipe', 'inherit', ...fds] });
  const { stdin, stdout } = one.child as { readonly stdin: Writable; readonly stdout: Readable };
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const say = (line: string): void => {
    stdin.write(`${line}\n`);
  };
  const hear = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`${file} ended instead of saying something`);
    if (line.value.startsWith('ERROR')) throw new Error(line.value);
    return line.value;
  };
  return {
    ...one,
    say,
    hear,
    ask(line) {
      say(line);
      return hear();
    },
  };
}

/**
 * python3 with a program that goes on by lines of its input. `ready()` prints `ready`; every further line of input is
 * Python, of which the value is printed. Numbers among the arguments are descriptors of ours, which it gets from 3 on.
 */
export async function startPython(program: string, ...args: readonly (string | number)[]): Promise<Talker> {
  const texts = args.filter((arg) => typeof arg === 'string');
  const fds = args.filter((arg) => typeof arg === 'number');
  const one = await startTalker('python3', ['-u', '-c', `${prelude}\n${program}\n${epilogue}`, ...texts], ...fds);
  const said = await one.hear();
  if (said !== 'ready') throw new Error(`it said ${said}`);
  return one;
}

const prelude = `
import ctypes, fcntl, mmap, os, signal, struct, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
`;
const epilogue = `
print('ready', flush=True)
for line in sys.stdin:
    try:
        code = compile(line.strip(), 'order', 'eval')
        print(eval(code, globals()), flush=True)
    except Exception as error:
        print('ERROR', repr(error), flush=True)
`;

/** The one process of a report. */
export function only({ processes }: RepointReport): ProcessReport {
  const [one, ...others] = processes;
  if (one === undefined || others.length > 0) throw new Error(`a report on ${processes.length} processes`);
  return one;
}

/** A volume that is covered once a program has opened its files in it, and who may move the program. */
export async function coveredBy(program: string): Promise<{
  readonly volume: TestVolume;
  readonly one: Talker;
  readonly swapper: Swapper;
  readonly scope: Scope;
}> {
  const volume = testVolume();
  const one = await startPython(`os.chdir(sys.argv[1])\n${program}`, volume.path);
  volume.cover();
  return { volume, one, swapper: await startSwapper(volume), scope: { kind: 'pids', pids: [one.pid] } };
}
