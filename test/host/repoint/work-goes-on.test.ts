import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { RepointReport } from '../../../src/linux/repoint/repoint.ts';
import { findVolumeUsers } from '../../../src/linux/repoint/volume-users.ts';
import { readNamespace } from '../../../src/linux/procfs/namespaces.ts';
import { stateOf, until } from '../targets/processes.ts';
import { coveredBy, canMove, sideOf, startPython, startTalker } from './lab.ts';
import type { Swapper, SwapOrder } from './swapper.ts';

const namespace = { kind: 'namespace', mountNamespace: readNamespace('self', 'mnt') ?? 0 } as const;

const SWAPS = 50;

/** There and back; the first way is there. */
async function toAndFro(swapper: Swapper, scope: SwapOrder['scope'], swaps = SWAPS): Promise<RepointReport[]> {
  const reports: RepointReport[] = [];
  for (let i = 0; i < swaps; i += 1) {
    for (const towards of ['overlay', 'original'] as const) {
      reports.push(await swapper.order({ towards, scope }));
      await delay(5);
    }
  }
  return reports;
}

function expectNothingLost(reports: readonly RepointReport[]): void {
  for (const { processes, unreleased } of reports) {
    expect(unreleased).toEqual([]);
    for (const one of processes) expect(one).toMatchObject({ lostLocks: [] });
    expect(processes.filter(({ outcome }) => outcome !== 'moved' && outcome !== 'gone')).toEqual([]);
  }
}

describe.skipIf(!canMove)('there and back again and again, while', () => {
  test('fifty threads read and write a hundred files', async () => {
    const { one, swapper, scope } = await coveredBy(`
go = [True]
errors = []
ops = [0]
shared = os.open('shared', os.O_RDWR | os.O_CREAT, 0o644)
log = os.open('log', os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
both = [os.open('both', os.O_RDWR | os.O_CREAT, 0o644)]
os.ftruncate(both[0], 50 * mmap.PAGESIZE)
together = mmap.mmap(both[0], 0, mmap.MAP_SHARED)
alone = mmap.mmap(both[0], 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
count = [0] * 50
def work(n):
    try:
        fds = [os.open('f%d-%d' % (n, i), os.O_RDWR | os.O_CREAT, 0o644) for i in range(2)]
        alone[n * mmap.PAGESIZE] = n + 1
        i = 0
        while go[0]:
            for fd in fds:
                record = struct.pack('QQ', i, n * 1000 + fd)
                assert os.write(fd, record) == 16
                assert os.pread(fd, 16, i * 16) == record, 'what was written is not there'
            assert os.write(shared, b'%02d %08d\\n' % (n, i)) == 12
            assert os.write(log, b'%02d %08d\\n' % (n, i)) == 12
            together[n * mmap.PAGESIZE] = i % 256
            assert os.pread(both[0], 1, n * mmap.PAGESIZE)[0] == i % 256, 'not written through'
            assert alone[n * mmap.PAGESIZE] == n + 1, 'own page lost'
            i += 1
            time.sleep(0.002)
        count[n] = i
        for fd in fds:
            size = os.fstat(fd).st_size
            assert size == i * 16, 'size %d after %d' % (size, i)
            assert [struct.unpack('QQ', os.pread(fd, 16, k * 16))[0] for k in range(i)] == list(range(i))
    except Exception as error:
        errors.append(repr(error))
threads = [threading.Thread(target=work, args=(n,)) for n in range(50)]
for thread in threads:
    thread.start()
def finish():
    go[0] = False
    for thread in threads:
        thread.join()
    wanted = sorted(b'%02d %08d' % (n, i) for n in range(50) for i in range(count[n]))
    same = [sorted(open(name, 'rb').read().splitlines()) == wanted for name in ('shared', 'log')]
    return errors, same, min(count) > 0
`);
    expectNothingLost(await toAndFro(swapper, scope));
    expect(await one.ask('finish()')).toBe('([], [True, True], True)');
  });

  test('a program appends to a log, and tail -f reads it', async () => {
    const { volume, one, swapper } = await coveredBy(`
log = open('log', 'a', buffering=1)
go = [True]
count = [0]
def work():
    while go[0]:
        log.write('line %d\\n' % count[0])
        count[0] += 1
        time.sleep(0.001)
    log.write('end\\n')
thread = threading.Thread(target=work)
thread.start()
def finish():
    go[0] = False
    thread.join()
    return count[0]
`);
    const tail = await startTalker('tail', ['-f', '-n', '+1', join(volume.path, 'log')]);
    const scope = { kind: 'pids', pids: [one.pid, tail.pid] } as const;
    expectNothingLost(await toAndFro(swapper, scope));
    const count = Number(await one.ask('finish()'));
    for (let i = 0; i < count; i += 1) expect(await tail.hear()).toBe(`line ${i}`);
    expect(await tail.hear()).toBe('end');
  });

  const hasSqlite = spawnSync('python3', ['-c', 'import sqlite3']).status === 0;

  test.skipIf(!hasSqlite)('three programs use one SQLite database in WAL mode', async () => {
    const program = `
import sqlite3
os.chdir(sys.argv[1])
db = sqlite3.connect('db', timeout=60, isolation_level=None, check_same_thread=False)
db.execute('pragma journal_mode=wal')
db.execute('create table if not exists log (who int, n int, pad text)')
db.execute('create table if not exists total (id integer primary key, n int)')
db.execute('insert or ignore into total values (1, 0)')
go = [True]
errors = []
done = [0]
def work():
    while go[0]:
        try:
            db.execute('begin immediate')
            db.execute('insert into log values (?, ?, ?)', (os.getpid(), done[0], 'x' * 200))
            db.execute('update total set n = n + 1')
            db.execute('commit')
            done[0] += 1
            if done[0] % 200 == 0:
                db.execute('pragma wal_checkpoint')
        except sqlite3.Error as error:
            errors.append(repr(error))
            break
        time.sleep(0.001)
thread = threading.Thread(target=work)
thread.start()
def finish():
    go[0] = False
    thread.join()
    return [done[0], len(errors)]
def verdict():
    own = db.execute('select count(*), count(distinct who || n) from log').fetchone()
    whole = db.execute('pragma integrity_check').fetchone()[0] == 'ok'
    return [whole, *own, db.execute('select n from total').fetchone()[0]]
`;
    const { volume, one, swapper } = await coveredBy(program);
    volume.uncover();
    const others = [await startPython(program, volume.path), await startPython(program, volume.path)];
    volume.cover();
    const all = [one, ...others];
    const scope = { kind: 'pids', pids: all.map(({ pid }) => pid) } as const;
    expectNothingLost(await toAndFro(swapper, scope));
    let total = 0;
    for (const each of all) {
      const [done = 0, errors = 0] = JSON.parse(await each.ask('finish()')) as number[];
      expect(errors).toBe(0);
      expect(done).toBeGreaterThan(0);
      total += done;
    }
    expect(await one.ask('verdict()')).toBe(`[True, ${total}, ${total}, ${total}]`);
  });

  test('processes come and go, and each inherits open files', async () => {
    const { volume, one, swapper } = await coveredBy(`
fd = os.open('counts', os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
go = [True]
forks = [0]
statuses = []
def work():
    while go[0]:
        child = os.fork()
        if child == 0:
            os.write(fd, b'%08d\\n' % forks[0])
            if forks[0] % 3 == 0 and os.fork() == 0:
                os.write(fd, b'grandson\\n')
                os._exit(0)
            os._exit(0)
        forks[0] += 1
        statuses.append(os.waitpid(child, 0)[1])
thread = threading.Thread(target=work)
thread.start()
def finish():
    go[0] = False
    thread.join()
    lines = open('counts').read().splitlines()
    numbers = sorted(int(line) for line in lines if line != 'grandson')
    return set(statuses), numbers == list(range(forks[0])), forks[0] > 0
`);
    const reports = await toAndFro(swapper, namespace, 20);
    // Whoever ends at that very moment cannot be stopped any more, nor let go before he is gone.
    for (const pid of reports.flatMap(({ unreleased }) => unreleased)) {
      await until(`${pid} has ended`, () => [undefined, 'Z', 'X'].includes(stateOf(pid)));
    }
    const { users } = findVolumeUsers(sideOf(volume, 'overlay'), { ...namespace, except: new Set([swapper.pid]) });
    expect(users).toEqual([]);
    expect(await one.ask('finish()')).toBe('({0}, True, True)');
    expect(readFileSync(join(volume.path, 'counts'), 'utf8')).toMatch(/^(?:\d{8}\n|grandson\n)+$/u);
  });
});
