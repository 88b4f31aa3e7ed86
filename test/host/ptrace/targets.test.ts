import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { readStat } from '../../../src/linux/procfs/stat.ts';
import { readStatus } from '../../../src/linux/procfs/status.ts';
import { listTasks } from '../../../src/linux/procfs/tasks.ts';
import { tempFolder } from '../../support/cli.ts';
import { write32BitProgram } from '../../support/tiny-32-bit.ts';
import type { TraceJob } from '../../support/trace-program.ts';
import { buildProgram, mayTrace, saysWord, startTracer, trace } from '../../support/tracing.ts';
import { family, hasPython, sleeper, start, stateOf, stopped, type TestProcess, until } from '../targets/processes.ts';

let tracer = '';
let filtered = '';
beforeAll(async () => {
  tracer = await buildProgram('trace-program');
  filtered = await buildProgram('seccomp-program');
});

const works: readonly TraceJob['work'][] = ['stop', 'calls', 'fds'];

/** Stop it, with everything that we can do to it, and see that it goes on afterwards. */
async function expectUnharmed({ pid }: { readonly pid: number }, job: Partial<TraceJob> = {}): Promise<void> {
  const before = readStatus(pid);
  for (const work of works) {
    const report = await trace(tracer, { rounds: 3, ...job, pids: [pid], work });
    expect(report, work).toMatchObject({ problems: [], unreleased: [], outcomes: [{ pid, kind: 'stopped' }] });
  }
  const { blocked, ignored, caught, tracerPid } = readStatus(pid) ?? {};
  expect({ blocked, ignored, caught, tracerPid }).toEqual({
    blocked: before?.blocked,
    ignored: before?.ignored,
    caught: before?.caught,
    tracerPid: 0,
  });
}

interface PythonProcess extends TestProcess {
  /** What it has printed after its first line, so far. */
  readonly output: () => string;
}

/** A Python program, once it has printed a line. */
async function python(script: string, ...args: readonly string[]): Promise<PythonProcess> {
  const started = await start('python3', ['-u', '-c', script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  started.child.stdout?.on('data', (data: Buffer) => {
    text += data.toString();
  });
  await until('the program is ready', () => text.includes('\n'));
  return { ...started, output: () => text.slice(text.indexOf('\n') + 1) };
}

async function outputOf(target: PythonProcess): Promise<string> {
  if (target.child.exitCode === null) await once(target.child, 'close');
  return target.output().trim();
}

describe.skipIf(!mayTrace)('processes of all kinds run on as if nothing had been', () => {
  test('an ordinary one', async () => {
    const target = await sleeper('fl-plain');
    await expectUnharmed(target);
    expect(stateOf(target.pid)).toBe('S');
  });

  test('a process that another user runs', async () => {
    await expectUnharmed(await sleeper('fl-user', { uid: 65_534, gid: 65_534 }));
  });

  test('many at once, one of them gone before', async () => {
    const targets = await Promise.all(['fl-a', 'fl-b', 'fl-c', 'fl-d', 'fl-e'].map((name) => sleeper(name)));
    const gone = await start('/bin/true');
    if (gone.child.exitCode === null) await once(gone.child, 'exit');
    const pids = [...targets.map(({ pid }) => pid), gone.pid];
    const { outcomes, problems } = await trace(tracer, { pids, work: 'calls', rounds: 10 });
    expect({ problems, kinds: outcomes.map(({ kind }) => kind) }).toEqual({
      problems: [],
      kinds: ['stopped', 'stopped', 'stopped', 'stopped', 'stopped', 'gone'],
    });
  });

  test('one that is stopped stays so, and its parent hears of nothing', async () => {
    const target = await sleeper('fl-pt-stopped');
    await stopped(target);
    await expectUnharmed(target);
    const { outcomes } = await trace(tracer, { pids: [target.pid], work: 'calls' });
    expect(outcomes).toMatchObject([{ jobStopped: true }]);
    await until('it is stopped again', () => stateOf(target.pid) === 'T');
    process.kill(target.pid, 'SIGCONT');
    await until('it runs again', () => stateOf(target.pid) === 'S');
    await expectUnharmed(target);
    expect(stateOf(target.pid)).toBe('S');
  });

  test('one that has used up all but a few of its descriptors, and is given many', async () => {
    const target = await sleeper('fl-fds');
    spawnSync('prlimit', ['--pid', String(target.pid), '--nofile=4:4096']);
    const limits = (): string | undefined => /^Max open files.*$/mu.exec(readLimits(target.pid))?.[0];
    const before = limits();
    await expectUnharmed(target, { fds: 600 });
    expect(limits()).toBe(before);
  });

  test('more descriptors than go into eight messages', async () => {
    await expectUnharmed(await sleeper('fl-pt-many'), { fds: 2100, rounds: 1 });
  });

  test('namespaces of its own: users, PIDs, mounts', async () => {
    const options = '--user --map-root-user --pid --mount-proc --fork --kill-child sleep 3600';
    const parent = await start('unshare', options.split(' '));
    const [pid = 0] = await family(parent, ['sleep']);
    await expectUnharmed({ pid });
    await expectUnharmed(parent);
  });

  test('a seccomp filter that kills for the calls that it is made to make', async () => {
    // tgkill, socketpair, recvmsg: nothing that Node.js itself does while it waits.
    const numbers = process.arch === 'arm64' ? [131, 199, 212] : [234, 53, 47];
    const target = await start(process.execPath, [filtered, numbers.join(',')], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    const { stdin, stdout } = target.child;
    if (stdin === null || stdout === null) throw new Error('no pipes');
    const lines = createInterface({ input: stdout });
    await once(lines, 'line');
    await expectUnharmed(target);
    stdin.write('still there\n');
    expect(await once(lines, 'line')).toEqual(['still there']);
  });
});

function readLimits(pid: number): string {
  return readFileSync(`/proc/${pid}/limits`, 'utf8');
}

const threads = `
import sys, threading, time
for _ in range(49): threading.Thread(target=time.sleep, args=(3600,)).start()
print(threading.active_count())
time.sleep(3600)
`;

const ignoring = `
import signal, time
signal.signal(signal.SIGTRAP, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM})
signal.signal(signal.SIGURG, lambda *_: print('urgent'))
signal.signal(signal.SIGWINCH, lambda *_: print('resized'))
print('ready')
while True: time.sleep(0.001)
`;

const dropped = `
import os, time
os.setgroups([]); os.setgid(65534); os.setuid(65534)
print('ready')
time.sleep(3600)
`;

const restless = `
import os, threading, time
def briefly(): time.sleep(0.0005)
print('ready', flush=True)
while True:
    some = [threading.Thread(target=briefly) for _ in range(8)]
    for one in some: one.start()
    child = os.fork()
    if child == 0: os._exit(0)
    for one in some: one.join()
    _, status = os.waitpid(child, 0)
    if status != 0: os.abort()
`;

/** Eight threads compute until a line comes in, then print how far they got; given those numbers, it does the same. */
const chains = `
import hashlib, math, sys, threading
over = threading.Event()
def chain(seed, limit, results):
    digest = seed.encode()
    total = 0.0
    step = 0
    while step < limit and not over.is_set():
        for _ in range(100):
            digest = hashlib.sha256(digest).digest()
            total += math.sin(step) * math.sqrt(step)
            step += 1
    results[seed] = f'{step} {digest.hex()} {total!r}'
limits = [int(one) for one in sys.argv[1:]] or [1 << 60] * 8
results = {}
some = [threading.Thread(target=chain, args=(str(index), limits[index], results)) for index in range(8)]
for one in some: one.start()
print('ready', flush=True)
if len(sys.argv) == 1:
    sys.stdin.readline()
    over.set()
for one in some: one.join()
for index in range(8): print(results[str(index)])
`;

describe.skipIf(!mayTrace || !hasPython)('programs that do more', () => {
  test('fifty threads', async () => {
    const target = await python(threads);
    await expectUnharmed(target);
    const { outcomes } = await trace(tracer, { pids: [target.pid], work: 'stop' });
    expect(outcomes).toMatchObject([{ threads: 50 }]);
  });

  test('an ignored SIGTRAP stays ignored, blocked signals stay blocked, no handler is called', async () => {
    const target = await python(ignoring);
    await expectUnharmed(target, { rounds: 30 });
    process.kill(target.pid, 'SIGTRAP');
    process.kill(target.pid, 'SIGUSR1');
    await trace(tracer, { pids: [target.pid], work: 'calls' });
    expect(target.output()).toBe('');
    expect(readStat(target.pid)).toBeDefined();
    process.kill(target.pid, 'SIGURG');
    await until('the handler is called', () => target.output() === 'urgent\n');
  });

  test('a signal that comes while it stands still, or makes calls, arrives', async () => {
    const target = await python(ignoring);
    const tracing = startTracer(tracer, { pids: [target.pid], work: 'calls', rounds: 1_000_000 });
    const sent = 100;
    for (let count = 1; count <= sent; count += 1) {
      process.kill(target.pid, count % 2 === 0 ? 'SIGURG' : 'SIGWINCH');
      await until('it arrives', () => target.output().split('\n').length - 1 === count);
      await delay(count % 7);
    }
    expect(tracing.exitCode, 'it was traced all the time').toBeNull();
  });

  test('SIGSTOP and SIGCONT that come at any moment do what they do', async () => {
    const target = await python(ignoring);
    const tracing = startTracer(tracer, { pids: [target.pid], work: 'calls', rounds: 1_000_000, gapMs: 3 });
    for (let count = 0; count < 20; count += 1) {
      process.kill(target.pid, 'SIGSTOP');
      await until('it is stopped', () => stateOf(target.pid) === 'T');
      await delay(count % 7);
      process.kill(target.pid, 'SIGCONT');
      await until('it runs', () => stateOf(target.pid) === 'S');
    }
    expect(tracing.exitCode).toBeNull();
  });

  test('not dumpable, since it has given up root', async () => {
    await expectUnharmed(await python(dropped));
  });

  test('threads and children that come and go all the time: all are caught, none is harmed', async () => {
    const target = await python(restless);
    for (const work of works) {
      const report = await trace(tracer, { pids: [target.pid], work, rounds: 100, gapMs: 1 });
      expect(report, work).toMatchObject({ problems: [], unreleased: [], outcomes: [{ kind: 'stopped' }] });
    }
    expect(readStat(target.pid)).toBeDefined();
  });

  test('a thousand stops of threads that compute: not a bit is another', async () => {
    const target = await python(chains);
    for (const [work, rounds] of [
      ['stop', 900],
      ['calls', 100],
    ] as const) {
      const report = await trace(tracer, { pids: [target.pid], work, rounds });
      expect(report, work).toMatchObject({ problems: [], outcomes: [{ kind: 'stopped' }] });
    }
    target.child.stdin?.write('\n');
    const results = await outputOf(target);
    const steps = results.split('\n').map((line) => line.split(' ')[0] ?? '');
    expect(steps).toHaveLength(8);
    const undisturbed = spawnSync('python3', ['-c', chains, ...steps], { encoding: 'utf8' });
    expect(undisturbed.stdout.trim().split('\n').slice(1).join('\n')).toBe(results);
    let digest = Buffer.from('0');
    for (let step = 0; step < Number(steps[0]); step += 1) digest = createHash('sha256').update(digest).digest();
    expect(results).toContain(digest.toString('hex'));
  });
});

const vforking = `
import os, sys
print('ready', flush=True)
pid = os.posix_spawn('/bin/true', ['true'], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 5, sys.argv[1], os.O_RDONLY, 0)])
_, status = os.waitpid(pid, 0)
print('spawned', status, flush=True)
sys.stdin.read()
`;

describe.skipIf(!mayTrace)('what is refused, with the reason', () => {
  test('a process that somebody traces already', async () => {
    const target = await sleeper('fl-traced');
    const first = startTracer(tracer, { pids: [target.pid], work: 'hold' });
    await saysWord(first, 'holding');
    const { outcomes } = await trace(tracer, { pids: [target.pid], work: 'calls' });
    expect(outcomes).toMatchObject([
      { kind: 'refused', code: 'TRACE_REFUSED', details: { reason: 'already-traced', tracerPid: first.pid } },
    ]);
    expect(outcomes[0]?.message).toMatch(/process \d+ \(fl-traced\) cannot be stopped .* process \d+ .* traces it/u);
    first.kill('SIGKILL');
    await until('it runs on', () => stateOf(target.pid) === 'S');
  });

  test('a process that we may not trace', async () => {
    const target = await sleeper('fl-denied');
    const { outcomes } = await trace(tracer, { pids: [target.pid], work: 'stop' }, { uid: 65_534 });
    expect(outcomes).toMatchObject([{ kind: 'refused', details: { reason: 'not-permitted' } }]);
    expect(stateOf(target.pid)).toBe('S');
  });

  test('a 32-bit program', async (context) => {
    const program = write32BitProgram();
    let target: TestProcess;
    try {
      target = await start(program);
    } catch {
      context.skip('this kernel runs no 32-bit programs');
      return;
    }
    const { outcomes, unreleased } = await trace(tracer, { pids: [target.pid], work: 'calls' });
    expect(unreleased).toEqual([]);
    expect(outcomes).toMatchObject([{ kind: 'refused', details: { reason: 'compat-task' } }]);
    await until('it waits on', () => stateOf(target.pid) === 'S');
  });

  test.skipIf(!hasPython)('a parent in vfork cannot stop; it is told where it waits, and goes on', async () => {
    const fifo = path.join(tempFolder(), 'fifo');
    spawnSync('mkfifo', [fifo]);
    const target = await python(vforking, fifo);
    const child = await until('it has a child', () => {
      const task = readFileSync(`/proc/${target.pid}/task/${target.pid}/children`, 'utf8').trim();
      return task !== '' && Number(task);
    });
    await until('the child waits', () => stateOf(child) === 'S' && readStat(target.pid)?.state === 'D');
    // So long that the child stops in it on a machine that is busy.
    const deadlineMs = 3_000;
    const { outcomes, unreleased } = await trace(tracer, { pids: [target.pid, child], work: 'stop', deadlineMs });
    expect(outcomes).toMatchObject([
      { kind: 'refused', details: { reason: 'not-stopped', syscall: expect.stringMatching(/^(clone3?|vfork)$/u) } },
      { kind: 'stopped' },
    ]);
    expect(outcomes[0]?.message).toMatch(
      /its thread \d+ did not stop within 3000 ms \(in (clone3?|vfork), waiting in /u,
    );
    expect(unreleased).toEqual([target.pid]);
    openSync(fifo, 'w');
    target.child.stdin?.end();
    expect(await outputOf(target)).toBe('spawned 0');
  });

  test('a call that hangs is broken off, and the thread is where it was', async () => {
    const target = await sleeper('fl-hang');
    const fifo = path.join(tempFolder(), 'fifo');
    spawnSync('mkfifo', [fifo]);
    const job = { pids: [target.pid], work: 'block', file: fifo, batchTimeoutMs: 200 } as const;
    const { outcomes } = await trace(tracer, job);
    expect(outcomes).toMatchObject([{ code: 'TRACE_REFUSED', details: { reason: 'not-stopped' } }]);
    await expectUnharmed(target);
  });
});

describe.skipIf(!mayTrace || !hasPython)('what ends meanwhile', () => {
  test('processes that end while they are being stopped', async () => {
    for (let round = 0; round < 8; round += 1) {
      const target = await python(
        "import sys, time; print('ready'); time.sleep(float(sys.argv[1]))",
        String(round / 200),
      );
      const { outcomes, problems } = await trace(tracer, { pids: [target.pid], work: 'stop', rounds: 200, gapMs: 1 });
      expect(problems).toEqual([]);
      expect(outcomes).toMatchObject([{ kind: 'gone' }]);
      if (target.child.exitCode === null) await once(target.child, 'exit');
      expect(target.child.exitCode).toBe(0);
    }
  });

  test('a process that is killed while it stands still', async () => {
    const target = await python(threads);
    const tracing = startTracer(tracer, { pids: [target.pid], work: 'hold' });
    await saysWord(tracing, 'holding');
    const ended = once(target.child, 'exit');
    process.kill(target.pid, 'SIGKILL');
    tracing.kill('SIGKILL');
    expect(await ended).toEqual([null, 'SIGKILL']);
  });

  test('a main thread that has ended, while the others go on', async () => {
    const script = `
import os, threading, time, ctypes
def go_on():
    print('ready', flush=True)
    time.sleep(3600)
threading.Thread(target=go_on).start()
ctypes.CDLL(None).pthread_exit(None)`;
    if (spawnSync('python3', ['-c', 'import ctypes']).status !== 0) return;
    const target = await python(script);
    await until('its main thread has ended', () => readStat(target.pid)?.state === 'Z');
    await expectUnharmed(target);
    expect(listTasks(target.pid)).toHaveLength(2);
  });
});
