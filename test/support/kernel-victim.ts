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
import builtins, collections, ctypes, errno, json, mmap, os, socket, subprocess, sys, threading, time
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
def started(count, run):
    # What each finds is appended, which is one step; to count in several threads at once loses some.
    found = []
    all = [threading.Thread(target=lambda: found.append(run())) for _ in range(count)]
    for one in all: one.start()
    return all, found
def threads(count, each, work, *arguments):
    begin = threading.Barrier(count)
    def run():
        begin.wait()
        return collections.Counter(times(each, work, *arguments))
    all, found = started(count, run)
    for one in all: one.join()
    return dict(sum(found, collections.Counter()))
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
def gathered(count, fifo, place):
    # All wait in openat(2) at once. The calls come from one place, with one stack: only their numbers tell them apart.
    # None opens the place before all have looked at it: what is looked up at that moment is found, and not made anew.
    calls = {"openat": 257, "newfstatat": 262}
    def call(name, path, third):
        return attempt(lambda: check(libc.syscall(calls[name], -100, path.encode(), third, 0)))
    found, again = [], threading.Event()
    def run():
        call("openat", fifo, None)
        found.append(call("newfstatat", place, ctypes.byref(ctypes.create_string_buffer(256))))
        again.wait()
        return call("openat", place, None)
    all, told = started(count, run)
    waiting = lambda one: open(f"/proc/self/task/{one.native_id}/wchan").read() in ("wait_for_partner", "fifo_open")
    while not builtins.all(waiting(one) for one in all): time.sleep(0.01)
    # Open until all have come through: one that is only about to wait would wait for another writer.
    writer = os.open(fifo, os.O_WRONLY)
    while len(found) < count: time.sleep(0.01)
    os.close(writer)
    def enter_anew():
        again.set()
        for one in all: one.join()
        return dict(collections.Counter(told))
    globals().update(enter_anew=enter_anew)
    return dict(collections.Counter(found))
def command(*words):
    ran = subprocess.run(words, capture_output=True, text=True)
    return [ran.returncode, ran.stderr]
def ping(seconds):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.settimeout(seconds)
        raw.sendto(bytes([8, 0, 0xf7, 0xff, 0, 0, 0, 0]), ("127.0.0.1", 0))
        try:
            while raw.recv(100)[20] != 0: pass
            return "answered"
        except TimeoutError:
            return "unanswered"
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
