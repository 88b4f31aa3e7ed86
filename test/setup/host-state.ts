import { readdirSync, readFileSync } from 'node:fs';
import { isEndedState } from '../../src/linux/procfs/stat.ts';

/** A process as `/proc` shows it. */
interface LiveProcess {
  readonly pid: number;
  readonly comm: string;
  /** One letter, as in proc_pid_stat(5). */
  readonly state: string;
  /** In clock ticks since boot: with the PID it tells a process from a later one of the same number. */
  readonly startTicks: number;
}

export interface HostState {
  readonly processes: ReadonlySet<string>;
  readonly mounts: ReadonlySet<string>;
}

/** The run of the tests that asks. */
export interface TestRun {
  /** Value of `FAULTLINE_TEST_RUN` in the environment of every process that its tests start. */
  readonly mark: string;
  /** vitest's own process. Its workers carry the mark too, and may not be gone yet when it looks. */
  readonly runnerPid: number;
}

/** What is running and mounted now, to compare with later. */
export function hostState(): HostState {
  return { processes: new Set(liveProcesses().map(identity)), mounts: new Set(mountLines()) };
}

/**
 * What has come since `before` and should have gone: processes started by this run's tests, and any stopped process,
 * keeper or mount, unless it is known to belong to another run.
 *
 * @returns a line each, to be read by a person
 */
export function leaksSince(before: HostState, run: TestRun): readonly string[] {
  const processes = liveProcesses()
    .filter((live) => !before.processes.has(identity(live)) && !isEndedState(live.state))
    .filter((live) => isOurs(live, run))
    .map((live) => `process ${live.pid} (${live.comm}), state ${live.state}: ${commandLine(live.pid)}`);
  const mounts = mountLines()
    .filter((line) => !before.mounts.has(line))
    .map((line) => `mount ${line}`);
  return [...processes, ...mounts];
}

function isOurs({ pid, comm, state }: LiveProcess, { mark, runnerPid }: TestRun): boolean {
  const owner = /(?:^|\0)FAULTLINE_TEST_RUN=([^\0]*)/u.exec(contents(`/proc/${pid}/environ`) ?? '')?.[1];
  if (owner !== undefined) {
    return owner === mark && pid !== runnerPid && parentOf(pid) !== runnerPid;
  }
  return state === 'T' || comm.startsWith('faultline');
}

function liveProcesses(): readonly LiveProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .map((name) => parseStat(contents(`/proc/${name}/stat`)))
    .filter((live) => live !== undefined);
}

/** `4242 (a name) T 1 …`; the name may hold spaces and brackets, so its end is the last bracket. */
function parseStat(text: string | undefined): LiveProcess | undefined {
  const [, pid, comm = '', rest = ''] = /^(\d+) \((.*)\) (.*)$/su.exec(text ?? '') ?? [];
  const fields = rest.split(' ');
  return pid === undefined
    ? undefined
    : { pid: Number(pid), comm, state: fields[0] ?? '?', startTicks: Number(fields[19]) };
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)$/mu.exec(contents(`/proc/${pid}/status`) ?? '')?.[1]);
}

function commandLine(pid: number): string {
  const text = (contents(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** Where, what kind and from what of each mount; its number in the first column may be given out again. */
function mountLines(): readonly string[] {
  const text = contents('/proc/self/mountinfo') ?? '';
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [mounted = '', source = ''] = line.split(' - ');
      const [type, from] = source.split(' ');
      return `${mounted.split(' ')[4]} (${type}, ${from})`;
    });
}

/** Undefined for a file that is gone or belongs to somebody else. */
function contents(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function identity({ pid, startTicks }: LiveProcess): string {
  return `${pid}@${startTicks}`;
}
