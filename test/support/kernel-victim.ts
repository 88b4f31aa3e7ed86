import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach } from 'vitest';
import { eventually } from './eventually.ts';

/*
 * A process whose calls are to fail: it does what it is told, in Python, and tells how it went.
 */

const program = `
import collections, ctypes, errno, json, mmap, os, subprocess, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
def attempt(work, *arguments):
    try:
        work(*arguments)
        return "ok"
    except MemoryError:
        return "ENOMEM"
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
def check(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), "")
    return result
def mount_once(place):
    check(libc.mount(b"none", place.encode(), b"tmpfs", 0, None))
    check(libc.umount2(place.encode(), 2))
def mount(place): return attempt(mount_once, place)
def stat(place): return attempt(os.stat, place)
def look(place):
    return attempt(lambda: os.close(os.open(place, os.O_RDONLY)))
def pwrite(place, size):
    fd = os.open(place, os.O_RDWR | os.O_CREAT)
    try: return attempt(os.pwrite, fd, b"x" * size, 0)
    finally: os.close(fd)
def read_direct(place):
    fd = os.open(place, os.O_RDONLY | os.O_DIRECT)
    try: return attempt(os.readv, fd, [mmap.mmap(-1, 4096)])
    finally: os.close(fd)
def read_buffered(place):
    fd = os.open(place, os.O_RDONLY)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
    try: return attempt(os.pread, fd, 4096, 0)
    finally: os.close(fd)
def write_and_sync(place):
    fd = os.open(place, os.O_RDWR | os.O_CREAT)
    try: return [attempt(os.pwrite, fd, b"y" * 8192, 0), attempt(os.fsync, fd)]
    finally: os.close(fd)
def times(count, work, *arguments):
    return dict(collections.Counter(work(*arguments) for _ in range(count)))
def threads(count, each, work, *arguments):
    found, begin = collections.Counter(), threading.Barrier(count)
    def run():
        begin.wait()
        mine = times(each, work, *arguments)
        found.update(mine)
    all = [threading.Thread(target=run) for _ in range(count)]
    for one in all: one.start()
    for one in all: one.join()
    return dict(found)
def child(work, *arguments):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write, json.dumps(work(*arguments)).encode())
        os._exit(0)
    os.close(write)
    told = os.read(read, 65536)
    os.close(read)
    os.waitpid(pid, 0)
    return json.loads(told)
def command(*words):
    ran = subprocess.run(words, capture_output=True, text=True)
    return [ran.returncode, ran.stderr]
print("ready", flush=True)
for line in sys.stdin:
    print(json.dumps(eval(line)), flush=True)
`;

export interface Victim {
  readonly pid: number;
  /** Have it compute an expression of Python. @returns what it comes to */
  readonly ask: (expression: string) => Promise<unknown>;
}

interface Running extends Victim {
  readonly child: ChildProcess;
}

const running: Running[] = [];
const cgroups: string[] = [];

function endVictims(): Promise<unknown> {
  return Promise.all(
    running.splice(0).map(async ({ child }) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }),
  );
}

async function removeCgroup(folder: string): Promise<void> {
  await eventually(`${folder} is empty`, () => {
    if (!existsSync(folder)) return true;
    return /^populated 0$/mu.test(readFileSync(path.join(folder, 'cgroup.events'), 'utf8'));
  });
  if (existsSync(folder)) rmdirSync(folder);
}

afterEach(async () => {
  await endVictims();
  for (const folder of cgroups.splice(0).toReversed()) await removeCgroup(folder);
});

/** Make a cgroup for this test. @param name from the root of the hierarchy: `/fl-a/below` @returns its folder */
export function cgroup(name: string): string {
  const folder = path.join('/sys/fs/cgroup', name);
  mkdirSync(folder);
  cgroups.push(folder);
  return folder;
}

export function moveTo(folder: string, { pid }: Pick<Victim, 'pid'>): void {
  writeFileSync(path.join(folder, 'cgroup.procs'), String(pid));
}

/** Start one, which ends with the test. @param folder the cgroup that it is to be in */
export async function victim(folder?: string): Promise<Victim> {
  const child = spawn('python3', ['-S', '-E', '-c', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: AsyncIterator<string, undefined> = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hear = async (): Promise<string> => {
    const { done, value } = await lines.next();
    if (done === true) throw new Error('the victim has ended');
    return value;
  };
  const one: Running = {
    child,
    pid: child.pid ?? 0,
    ask: async (expression) => {
      child.stdin.write(`${expression}\n`);
      return JSON.parse(await hear()) as unknown;
    },
  };
  running.push(one);
  await hear();
  if (folder !== undefined) moveTo(folder, one);
  return one;
}
