import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { coveredBy, canMove, only, startPython, type Talker } from './lab.ts';

/** Tries to lock what others may have locked; prints what it got. */
const rival = `
os.chdir(sys.argv[1])
def attempt(lock):
    try:
        lock()
        return 'got it'
    except BlockingIOError:
        return 'refused'
def whole(name, kind):
    fd = os.open(name, os.O_RDWR)
    said = attempt(lambda: fcntl.flock(fd, kind | fcntl.LOCK_NB))
    os.close(fd)
    return said
def range_(name, kind, length, start):
    fd = os.open(name, os.O_RDWR)
    said = attempt(lambda: fcntl.lockf(fd, kind | fcntl.LOCK_NB, length, start))
    os.close(fd)
    return said
EX, SH = fcntl.LOCK_EX, fcntl.LOCK_SH
`;

/** In place of vitest's second. */
const patience = { timeout: 60_000 };

describe.skipIf(!canMove)('locks', () => {
  test('of open file descriptions and of processes are held on the other side, and kept from others', async () => {
    const { volume, one, swapper, scope } = await coveredBy(`
def opened(name):
    fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
    os.ftruncate(fd, 100)
    return fd
exclusive, shared, posix, again, ofd = [opened(name) for name in ('exclusive', 'shared', 'posix', 'posix', 'ofd')]
fcntl.flock(exclusive, fcntl.LOCK_EX)
fcntl.flock(shared, fcntl.LOCK_SH)
fcntl.lockf(posix, fcntl.LOCK_EX, 10, 5)
fcntl.lockf(again, fcntl.LOCK_SH, 0, 50)
fcntl.fcntl(ofd, 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 20, 10, 0))  # F_OFD_SETLK
`);
    const other = await startPython(rival, volume.path);
    const held = async (): Promise<void> => {
      expect(await other.ask("whole('exclusive', SH), whole('shared', EX), whole('shared', SH)")).toBe(
        "('refused', 'refused', 'got it')",
      );
      expect(await other.ask("range_('posix', SH, 1, 5), range_('posix', SH, 1, 14), range_('posix', EX, 1, 15)")).toBe(
        "('refused', 'refused', 'got it')",
      );
      expect(await other.ask("range_('posix', EX, 1, 1000000), range_('posix', SH, 1, 1000000)")).toBe(
        "('refused', 'got it')",
      );
      expect(await other.ask("range_('ofd', SH, 1, 29), range_('ofd', EX, 20, 0), range_('ofd', EX, 9, 30)")).toBe(
        "('refused', 'got it', 'got it')",
      );
    };
    await held();
    for (const towards of ['overlay', 'original', 'overlay', 'original'] as const) {
      const report = only(await swapper.order({ towards, scope }));
      expect(report).toMatchObject({ outcome: 'moved', kept: [], lostLocks: [], moved: { locks: 5 } });
      // Both sides are one file system here, so that only the one for reading overlaps.
      expect(report.locksWithGap).toBe(3);
      await held();
    }
    // They are the program's own: it lets go of them as it ever did.
    await one.ask('fcntl.flock(exclusive, fcntl.LOCK_UN), fcntl.flock(shared, fcntl.LOCK_UN), os.close(again)');
    expect(await other.ask("whole('exclusive', EX), whole('shared', EX), range_('posix', EX, 0, 0)")).toBe(
      "('got it', 'got it', 'got it')",
    );
  });

  test('that somebody waits for are told of when he gets them', async () => {
    const { volume, one, swapper, scope } = await coveredBy(`
fd = os.open('file', os.O_RDWR | os.O_CREAT, 0o644)
fcntl.lockf(fd, fcntl.LOCK_EX)
`);
    const waiting = await startPython(
      `
fd = os.open(sys.argv[1] + '/file', os.O_RDWR)
def wait():
    fcntl.lockf(fd, fcntl.LOCK_EX)
thread = threading.Thread(target=wait, daemon=True)
thread.start()
def waits():
    return open('/proc/locks').read().count('-> POSIX  ADVISORY  WRITE %d ' % os.getpid())
`,
      volume.path,
    );
    await expect.poll(() => waiting.ask('waits()'), patience).toBe('1');
    const report = only(await swapper.order({ towards: 'overlay', scope }));
    if (report.lostLocks.length > 0) {
      expect(report.lostLocks).toMatchObject([{ detail: 'EAGAIN' }]);
      await expect.poll(() => waiting.ask('thread.is_alive()'), patience).toBe('False');
    } else {
      await expect.poll(() => waiting.ask('waits(), thread.is_alive()'), patience).toBe('(1, True)');
    }
    expect(await one.ask('os.pread(fd, 1, 0)')).toBe("b''");
  });

  test('taken and given back all the time by two programs never belong to both', async () => {
    const program = `
os.chdir(sys.argv[1])
go = [True]
done = {'flock': 0, 'posix': 0}
def work(kind, lock):
    fd = os.open(kind, os.O_RDWR | os.O_CREAT, 0o644)
    while go[0]:
        lock(fd, fcntl.LOCK_EX)
        value = int(os.pread(fd, 20, 0) or b'0')
        time.sleep(0.0002)
        os.pwrite(fd, b'%d' % (value + 1), 0)
        lock(fd, fcntl.LOCK_UN)
        done[kind] += 1
        time.sleep(0.0002)
threads = [threading.Thread(target=work, args=args) for args in (('flock', fcntl.flock), ('posix', fcntl.lockf))]
for thread in threads:
    thread.start()
def finish():
    go[0] = False
    for thread in threads:
        thread.join()
    return [done['flock'], done['posix']]
`;
    const { volume, one, swapper } = await coveredBy(program);
    volume.uncover();
    const other = await startPython(program, volume.path);
    volume.cover();
    const scope = { kind: 'pids', pids: [one.pid, other.pid] } as const;
    for (let i = 0; i < 20; i += 1) {
      for (const towards of ['overlay', 'original'] as const) {
        const { processes } = await swapper.order({ towards, scope });
        expect(processes).toMatchObject([{ lostLocks: [] }, { lostLocks: [] }]);
      }
    }
    const ask = async (talker: Talker): Promise<number[]> => JSON.parse(await talker.ask('finish()')) as number[];
    const [mine, theirs] = [await ask(one), await ask(other)];
    const values = ['flock', 'posix'].map((name) => Number(readFileSync(join(volume.path, name), 'utf8')));
    expect(mine.map((count, index) => count + (theirs[index] ?? 0))).toEqual(values);
  });
});
