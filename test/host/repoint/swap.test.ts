import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { coveredBy, canMove, only, sidesOf, startPython, testVolume } from './lab.ts';
import { until } from '../targets/processes.ts';
import { startSwapper } from './swapper.ts';

describe.skipIf(!canMove)('descriptors', () => {
  test('keep their numbers, positions and flags, and what shared one goes on sharing one', async () => {
    const { volume, one, swapper, scope } = await coveredBy(`
a = os.open('a', os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
os.write(a, b'0123456789')
os.lseek(a, 3, 0)
b = os.dup(a)
os.set_inheritable(b, True)
log = os.open('log', os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_DSYNC, 0o600)
os.write(log, b'one.')
other = os.open('a', os.O_RDONLY)
handle = os.open('a', os.O_PATH)
folder = os.open('.', os.O_RDONLY | os.O_DIRECTORY)
flags = lambda: [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in (a, b, log, other, handle, folder)]
before = flags()
`);
    for (const towards of ['overlay', 'original'] as const) {
      const report = only(await swapper.order({ towards, scope }));
      expect(report).toMatchObject({ outcome: 'moved', kept: [], lostLocks: [] });
      expect(report.moved).toMatchObject({ descriptors: 6, workingDirectories: 1 });
      expect(new Set(Object.values(sidesOf(volume, one.pid)))).toEqual(new Set([towards]));
      expect(await one.ask('flags() == before')).toBe('True');
      expect(await one.ask('[os.get_inheritable(fd) for fd in (a, b)]')).toBe('[False, True]');
      expect(await one.ask('os.getcwd()')).toBe(volume.path);
    }
    expect(await one.ask('os.read(b, 2), os.lseek(a, 0, 1), os.lseek(other, 0, 1)')).toBe("(b'34', 5, 0)");
    expect(await one.ask("os.pwrite(a, b'X', 0), os.write(log, b'two.')")).toBe('(1, 4)');
    expect(readFileSync(join(volume.path, 'a'), 'utf8')).toBe('X123456789');
    expect(readFileSync(join(volume.path, 'log'), 'utf8')).toBe('one.two.');
  });

  test('shared by parent and child stay shared, and both write on where the other has stopped', async () => {
    const { volume, one, swapper } = await coveredBy(`
a = os.open('a', os.O_RDWR | os.O_CREAT, 0o644)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
child = os.fork()
if child == 0:
    while True:
        signal.sigwait([signal.SIGUSR1])
        os.write(a, b'child.')
def write(text):
    return os.write(a, text)
`);
    const child = Number(await one.ask('child'));
    const scope = { kind: 'pids', pids: [one.pid, child] } as const;
    let length = 0;
    for (const towards of ['overlay', 'original', 'overlay'] as const) {
      const { processes } = await swapper.order({ towards, scope });
      expect(processes.map(({ outcome }) => outcome)).toEqual(['moved', 'moved']);
      expect(await one.ask(`write(b'parent.')`)).toBe('7');
      await one.ask('os.kill(child, signal.SIGUSR1)');
      length += 13;
      await until('the child has written', () => readFileSync(join(volume.path, 'a')).length === length);
      expect(await one.ask('os.lseek(a, 0, 1)')).toBe(String(length));
    }
    expect(readFileSync(join(volume.path, 'a'), 'utf8')).toBe('parent.child.'.repeat(3));
  });

  test('shared with a process that is not moved are kept', async () => {
    const { volume, one, swapper, scope } = await coveredBy(`
a = os.open('a', os.O_RDWR | os.O_CREAT, 0o644)
child = os.fork()
if child == 0:
    time.sleep(3600)
own = os.open('own', os.O_RDWR | os.O_CREAT, 0o644)
`);
    const [a, own] = [Number(await one.ask('a')), Number(await one.ask('own'))];
    const report = only(await swapper.order({ towards: 'overlay', scope }));
    expect(report.kept).toMatchObject([{ what: 'descriptor', number: a, reason: 'shared' }]);
    expect(sidesOf(volume, one.pid)).toEqual({ [a]: 'original', [own]: 'overlay' });
  });

  test('a thousand, by fifty threads, with numbers above the limit', async () => {
    const { volume, one, swapper, scope } = await coveredBy(`
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (4000, 4000))
fds = [os.open('f%d' % i, os.O_RDWR | os.O_CREAT, 0o644) for i in range(1000)]
for i, fd in enumerate(fds):
    os.write(fd, b'x' * i)
top = fcntl.fcntl(fds[0], fcntl.F_DUPFD, 3000)
resource.setrlimit(resource.RLIMIT_NOFILE, (1010, 4000))
stop = threading.Event()
for i in range(50):
    threading.Thread(target=stop.wait, daemon=True).start()
count = len(os.listdir('/proc/self/fd'))
`);
    const report = only(await swapper.order({ towards: 'overlay', scope }));
    expect(report).toMatchObject({ outcome: 'moved', kept: [], moved: { descriptors: 1001 } });
    const sides = Object.values(sidesOf(volume, one.pid));
    expect(sides.length).toBe(1001);
    expect(new Set(sides)).toEqual(new Set(['overlay']));
    expect(await one.ask('[os.lseek(fd, 0, 1) for fd in fds] == list(range(1000))')).toBe('True');
    expect(await one.ask('resource.getrlimit(resource.RLIMIT_NOFILE)')).toBe('(1010, 4000)');
    expect(await one.ask("len(os.listdir('/proc/self/fd')) == count")).toBe('True');
  });

  test('of threads with tables and folders of their own', async () => {
    const { volume, one, swapper, scope } = await coveredBy(`
os.mkdir('inner')
main = os.open('main', os.O_RDWR | os.O_CREAT, 0o644)
ready = threading.Event()
go = threading.Event()
seen = []
def loner():
    libc.unshare(0x400 | 0x200)  # CLONE_FILES, CLONE_FS
    os.chdir('inner')
    own = os.open('own', os.O_RDWR | os.O_CREAT, 0o644)
    os.write(own, b'12345')
    os.close(main)
    seen.append((threading.get_native_id(), own))
    ready.set()
    go.wait()
    seen.append((os.lseek(own, 0, 1), os.getcwd()))
    ready.set()
thread = threading.Thread(target=loner, daemon=True)
thread.start()
ready.wait()
ready.clear()
`);
    const [tid = 0, own = 0] = JSON.parse((await one.ask('list(seen[0])')).replaceAll("'", '"')) as number[];
    const report = only(await swapper.order({ towards: 'overlay', scope }));
    expect(report).toMatchObject({ outcome: 'moved', moved: { descriptors: 2, workingDirectories: 2 } });
    expect(sidesOf(volume, one.pid, tid)).toEqual({ [own]: 'overlay' });
    expect(Object.values(sidesOf(volume, one.pid))).toEqual(['overlay']);
    expect(await one.ask('go.set(), ready.wait(), seen[1]')).toBe(`(None, True, (5, '${volume.path}/inner'))`);
  });

  test('what cannot be moved is kept and said', async () => {
    const { volume, one, swapper, scope } = await coveredBy(`
fds = {}
fds['unlinked'] = os.open('gone', os.O_RDWR | os.O_CREAT, 0o644)
os.unlink('gone')
os.mkfifo('fifo')
fds['fifo'] = os.open('fifo', os.O_RDWR)
os.mknod('null', 0o666 | 0o20000, os.makedev(1, 3))
fds['device'] = os.open('null', os.O_RDWR)
os.mkdir('full')
for i in range(3):
    os.close(os.open('full/%d' % i, os.O_CREAT, 0o644))
fds['folder-cursor'] = os.open('full', os.O_RDONLY)
buffer = ctypes.create_string_buffer(64)
libc.syscall({'x86_64': 217, 'aarch64': 61}[os.uname().machine], fds['folder-cursor'], buffer, 64)
fds['lease'] = os.open('leased', os.O_RDONLY | os.O_CREAT, 0o644)
fcntl.fcntl(fds['lease'], fcntl.F_SETLEASE, fcntl.F_RDLCK)
unnamed = os.open('.', os.O_RDWR | os.O_TMPFILE, 0o600)
replaced = os.open('replaced', os.O_RDWR | os.O_CREAT, 0o644)
`);
    const fds = JSON.parse((await one.ask('fds')).replaceAll("'", '"')) as Record<string, number>;
    // Another file under its name: what is open is neither unlinked by the look of it nor to be had by its path.
    await one.ask("os.link('replaced', 'hidden'), os.rename('null', 'replaced')");
    const expected = [
      ...Object.entries(fds),
      ['unlinked', Number(await one.ask('unnamed'))],
      ['unlinked', Number(await one.ask('replaced'))],
    ];
    const report = only(await swapper.order({ towards: 'overlay', scope }));
    const kept = report.kept.map(({ reason, number }) => [reason, number]);
    expect(new Set(kept.map(String))).toEqual(new Set(expected.map(String)));
    expect(new Set(Object.values(sidesOf(volume, one.pid)))).toEqual(new Set(['original']));
    expect(await one.ask('fcntl.fcntl(fds["lease"], fcntl.F_GETLEASE) == fcntl.F_RDLCK')).toBe('True');
  });

  test('files without a name are had from whoever serves the overlay', async () => {
    const volume = testVolume();
    volume.cover();
    const one = await startPython(
      `
os.chdir(sys.argv[1])
gone = os.open('gone', os.O_RDWR | os.O_CREAT, 0o644)
os.write(gone, b'12345')
os.unlink('gone')
`,
      volume.path,
    );
    const gone = await one.ask('gone');
    const swapper = await startSwapper(volume);
    const scope = { kind: 'pids', pids: [one.pid] } as const;
    const alone = only(await swapper.order({ towards: 'original', scope }));
    expect(alone.kept).toMatchObject([{ number: Number(gone), reason: 'unlinked' }]);
    // Who serves has it open on the original.
    const rescuer = `
libc.open_by_handle_at.restype = ctypes.c_int
handle = ctypes.create_string_buffer(struct.pack('Ii', 128, 0) + bytes(128))
mount = ctypes.c_int()
libc.name_to_handle_at(-100, sys.argv[1].encode(), handle, ctypes.byref(mount), 0x400)
folder = os.open('/proc/self/fd/' + sys.argv[2], os.O_RDONLY)
served = libc.open_by_handle_at(folder, handle, os.O_RDWR)
`;
    const server = await startPython(rescuer, `/proc/${one.pid}/fd/${gone}`, '3', volume.folders.original);
    expect(await server.ask('served > 0')).toBe('True');
    const rescued = only(await swapper.order({ towards: 'original', scope, rescuePids: [server.pid] }));
    expect(rescued).toMatchObject({ outcome: 'moved', kept: [] });
    expect(sidesOf(volume, one.pid)).toEqual({ [gone]: 'original' });
    expect(await one.ask('os.lseek(gone, 0, 1), os.pread(gone, 9, 0)')).toBe("(5, b'12345')");
  });
});
