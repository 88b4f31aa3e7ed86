import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { cannotServe } from '../test/support/fuse-volume-process.ts';
import { type Figure, median } from './figure.ts';

/*
 * `attack io`, as those feel it who use the volume: how long they stand still while their open files are moved, how
 * long it takes from the command to the fault, and how exact a delay is.
 */

const script = path.resolve(import.meta.dirname, '../dist/faultline.js');

/** Threads that do a little all the time, with so many files open. Arguments: folder, threads, files. */
const holder = `
import os, sys, threading, time
folder, threads, files = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
fds = [os.open(f"{folder}/{os.getpid()}-{n}", os.O_RDWR | os.O_CREAT) for n in range(files)]
def work(mine):
    while True:
        os.pwrite(mine, b"x", 0)
        time.sleep(0.01)
for number in range(threads):
    threading.Thread(target=work, args=(fds[number % files],), daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
`;

/** Reads a file so often when it is told to, and prints how long each read took, in µs. Argument: the files. */
const reader = `
import os, sys, time
fds = {name: os.open(name, os.O_RDONLY) for name in sys.argv[1:]}
print("ready", flush=True)
for line in sys.stdin:
    name, times = line.split()
    took = []
    for _ in range(int(times)):
        begin = time.perf_counter_ns()
        os.pread(fds[name], 4096, 0)
        took.append((time.perf_counter_ns() - begin) / 1000)
    print(" ".join(map(str, took)), flush=True)
`;

interface Program {
  readonly child: ChildProcess;
  /** Says a line. @returns the answer */
  ask(line: string): Promise<string>;
  end(): Promise<void>;
}

async function startProgram(code: string, ...args: readonly string[]): Promise<Program> {
  const child = spawn('python3', ['-c', code, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: AsyncIterator<string, undefined> = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hear = async (): Promise<string> => {
    const { done, value } = await lines.next();
    if (done === true) throw new Error('the program has ended');
    return value;
  };
  await hear();
  return {
    child,
    ask: (line) => {
      child.stdin.write(`${line}\n`);
      return hear();
    },
    end: async () => {
      const exited = once(child, 'exit');
      child.stdin.end();
      child.kill('SIGKILL');
      await exited;
    },
  };
}

interface Stage {
  readonly volume: string;
  readonly run: (args: readonly string[]) => string;
}

async function onStage<Result>(body: (stage: Stage) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-bench-'));
  const volume = path.join(folder, 'volume');
  mkdirSync(volume);
  const env = { ...process.env, FAULTLINE_STATE_DIR: path.join(folder, 'state') };
  const run = (args: readonly string[]): string => {
    const ran = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env });
    if (ran.status !== 0) throw new Error(`${args.join(' ')}: ${ran.stdout}${ran.stderr}`);
    return ran.stdout;
  };
  try {
    return await body({ volume, run });
  } finally {
    run(['recover', '--all']);
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Pauses {
  readonly there: number;
  readonly back: number;
  /** The whole command, in ms. */
  readonly commandMs: number;
}

interface Shown {
  readonly uid: string;
  readonly targets: readonly { readonly phase: string; readonly evidence: { readonly pauseUs?: number } }[];
}

/** One injection that disturbs nothing that anybody does, and its end. */
function injectAndRecover({ volume, run }: Stage): Pauses {
  const begin = performance.now();
  const harmless = ['--methods', 'symlink', '--delay', '1ms'];
  const said = run(['attack', 'io', 'latency', '--volume', volume, ...harmless, '-o', 'json']);
  const commandMs = performance.now() - begin;
  const { uid } = JSON.parse(said) as Shown;
  run(['recover', uid]);
  const { targets } = JSON.parse(run(['show', uid, '-o', 'json'])) as Shown;
  const pauseOf = (wanted: string): number =>
    median(targets.flatMap(({ phase, evidence: { pauseUs } }) => (phase === wanted && pauseUs ? [pauseUs] : []))) /
    1000;
  return { there: pauseOf('inject'), back: pauseOf('recover'), commandMs };
}

async function pauses(runs: number, processes: number, threads: number, files: number): Promise<readonly Pauses[]> {
  return onStage(async (stage) => {
    const programs: Program[] = [];
    try {
      for (let one = 0; one < processes; one++) {
        programs.push(await startProgram(holder, stage.volume, String(threads), String(files)));
      }
      return Array.from({ length: runs }, () => injectAndRecover(stage));
    } finally {
      for (const program of programs) await program.end();
    }
  });
}

function pauseFigures(what: string, all: readonly Pauses[], bound: string): readonly Figure[] {
  return [
    { name: `pause of ${what}, p50`, value: median(all.map(({ there }) => there)), unit: 'ms', bound },
    { name: `pause of ${what} on the way back, p50`, value: median(all.map(({ back }) => back)), unit: 'ms', bound },
  ];
}

const reads = 500;

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** A delay of 10 ms on one file: how long its reads take, and those of another file. */
async function delays(): Promise<readonly Figure[]> {
  return onStage(async ({ volume, run }) => {
    const [slow, other] = ['slow', 'other'].map((name) => path.join(volume, name)) as [string, string];
    for (const file of [slow, other]) writeFileSync(file, 'x'.repeat(4096));
    const program = await startProgram(reader, slow, other);
    const timesOf = async (file: string): Promise<readonly number[]> =>
      (await program.ask(`${file} ${reads}`)).split(' ').map(Number);
    try {
      const native = await timesOf(other);
      run(['attack', 'io', 'latency', '--volume', volume, '--path', slow, '--methods', 'read', '--delay', '10ms']);
      const slowed = (await timesOf(slow)).map((us) => us / 1000);
      const spared = await timesOf(other);
      return [
        {
          name: 'read that is delayed by 10 ms, p50',
          value: quantile(slowed, 0.5),
          unit: 'ms',
          bound: '10 to 10.5 ms',
        },
        { name: 'read that is delayed by 10 ms, p99', value: quantile(slowed, 0.99), unit: 'ms', bound: '≤ 20 ms' },
        { name: 'cached read of another file meanwhile, p50', value: quantile(spared, 0.5), unit: 'µs' },
        { name: 'the same without an injection', value: quantile(native, 0.5), unit: 'µs' },
      ];
    } finally {
      await program.end();
    }
  });
}

/** @param runs how often each is injected */
export async function run(runs: number): Promise<readonly Figure[]> {
  const reason = cannotServe() ?? (spawnSync('python3', ['--version']).status === 0 ? undefined : 'no python3');
  if (reason !== undefined) {
    console.log(`  !!! SKIPPED: ${reason}`);
    return [];
  }
  const few = await pauses(runs, 1, 1, 10);
  const many = await pauses(runs, 1, 50, 1000);
  const twenty = await pauses(runs, 20, 1, 10);
  return [
    ...pauseFigures('a process with 10 open files', few, '≤ 3 ms'),
    ...pauseFigures('one with 50 threads and 1,000 open files', many, '≤ 15 ms'),
    ...pauseFigures('each of 20 processes with 10 open files', twenty, '≤ 3 ms'),
    {
      name: 'attack io, whole command, with 20 processes, p50',
      value: median(twenty.map(({ commandMs }) => commandMs)),
      unit: 'ms',
      bound: '≤ 400 ms',
    },
    ...(await delays()),
  ];
}
