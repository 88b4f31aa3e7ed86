import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readStat } from '../../../src/linux/procfs/stat.ts';
import type { RepointStep } from '../../../src/linux/repoint/swap.ts';
import type { SideKind } from '../../../src/linux/repoint/volume-side.ts';
import { inspect } from '../../../src/linux/repoint/volume-users.ts';
import { coveredBy, canMove, sideOf, sidesOf, startPython, type Talker, type TestVolume } from './lab.ts';
import { startSwapper } from './swapper.ts';

/** Parent and child share a file; each has one of its own, a lock, a working directory and memory. */
const program = `
shared = os.open('shared', os.O_RDWR | os.O_CREAT, 0o644)
os.mkdir('parent')
os.mkdir('child')
ends = [os.pipe(), os.pipe()]
def own(name):
    global fd, private, together
    os.chdir(name)
    fd = os.open('own', os.O_RDWR | os.O_CREAT, 0o644)
    os.set_inheritable(fd, True)
    os.write(fd, b'x' * 10000)
    fcntl.lockf(fd, fcntl.LOCK_EX, 10)
    private = mmap.mmap(fd, 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
    together = mmap.mmap(fd, 0, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
    private[5000:5005] = b'dirty'
def state():
    together[0:1] = b'y' if together[0:1] == b'x' else b'x'
    return [os.path.basename(os.getcwd()), os.lseek(fd, 0, 1), os.get_inheritable(fd),
            private[4999:5006] == b'xdirtyx', together[0:1] == os.pread(fd, 1, 0)]
def size():
    return [len(os.listdir('/proc/self/fd')), sum('/volume/' in line for line in open('/proc/self/maps'))]
child = os.fork()
if child == 0:
    own('child')
    os.write(ends[1][1], b'!')
    while os.read(ends[0][0], 1) == b'!':
        os.write(shared, b'child.')
        os.write(ends[1][1], repr((state(), size())).encode())
    os._exit(0)
own('parent')
os.read(ends[1][0], 1)
def turn():
    os.write(shared, b'parent.')
    os.write(ends[0][1], b'!')
    return [(state(), size()), eval(os.read(ends[1][0], 4096).decode())]
`;

const healthy = (sizes: readonly (readonly number[])[]): string =>
  `[(['parent', 10000, True, True, True], [${sizes[0]?.join(', ')}]), ` +
  `(['child', 10000, True, True, True], [${sizes[1]?.join(', ')}])]`;

/** Nothing of them is on that side any more, and nothing that they were given is left with them. */
function expectAllOn(side: SideKind, volume: TestVolume, pids: readonly number[]): void {
  for (const pid of pids) {
    expect(new Set(Object.values(sidesOf(volume, pid)))).toEqual(new Set([side]));
    expect(inspect(sideOf(volume, side === 'overlay' ? 'original' : 'overlay'), pid)).toBeUndefined();
    expect(inspect(sideOf(volume, side), pid)?.notes).toEqual([]);
  }
}

function expectRunning(pids: readonly number[]): void {
  for (const pid of pids) expect(['S', 'R', 'D']).toContain(readStat(pid)?.state);
}

async function turn(one: Talker): Promise<string> {
  return one.ask('turn()');
}

const sizesOf = (said: string): number[][] =>
  [...said.matchAll(/\[(\d+), (\d+)\]/gu)].map(([, descriptors, maps]) => [Number(descriptors), Number(maps)]);

const ways = [
  ['overlay', 'overlay'],
  ['overlay', 'original'],
  ['original', 'original'],
  ['original', 'overlay'],
] as const;

/** Where it is killed, the first or the second time it comes by, and on which of the ways. */
const traps: readonly (readonly [RepointStep, number, readonly (typeof ways)[number][]])[] = [
  ['prepared', 1, ways.slice(0, 1)],
  ['stopped', 1, ways.slice(0, 1)],
  ['planned', 1, ways.slice(0, 1)],
  ['staged', 1, ways],
  ['performing', 1, ways],
  ['performing', 2, ways],
  ['performed', 1, ways.slice(0, 2)],
];

describe.skipIf(!canMove)('killed', () => {
  for (const [step, time, someWays] of traps) {
    for (const [first, second] of someWays) {
      test(`at "${step}" ${time} on the way to the ${first}, then moved to the ${second}`, async () => {
        const { volume, one, swapper } = await coveredBy(program);
        const pids = [one.pid, Number(await one.ask('child'))];
        const scope = { kind: 'pids', pids } as const;
        const sizes = sizesOf(await turn(one));
        let turns = 1;
        if (first === 'original') await swapper.order({ towards: 'overlay', scope });
        await swapper.orderToDie({ towards: first, scope, trap: { step, time } });
        expectRunning(pids);
        const next = await startSwapper(volume);
        const { processes } = await next.order({ towards: second, scope });
        for (const report of processes) {
          expect(report).toMatchObject({ outcome: 'moved', kept: [], lostLocks: [] });
        }
        expectAllOn(second, volume, pids);
        expect(await turn(one)).toBe(healthy(sizes));
        turns += 1;
        const back = second === 'overlay' ? 'original' : 'overlay';
        await next.order({ towards: back, scope });
        expectAllOn(back, volume, pids);
        expect(await turn(one)).toBe(healthy(sizes));
        turns += 1;
        // They share one position to the end, so that nobody has overwritten anything.
        expect(readFileSync(join(volume.path, 'shared'), 'utf8')).toBe('parent.child.'.repeat(turns));
      });
    }
  }
});

describe.skipIf(!canMove)('when one process fails', () => {
  for (const time of [1, 2]) {
    test(`it is left as it was, those who share with it share on, and others are moved (${time})`, async () => {
      const { volume, one, swapper } = await coveredBy(program);
      const child = Number(await one.ask('child'));
      const pids = [one.pid, child];
      const sizes = sizesOf(await turn(one));
      const failing = pids[time - 1] ?? 0;
      const scope = { kind: 'pids', pids } as const;
      const trap = { step: 'performing', time, deed: 'throw' } as const;
      const { processes } = await swapper.order({ towards: 'overlay', scope, trap, maxRounds: 1 });
      const outcomes = new Map(processes.map(({ pid, outcome }) => [pid, outcome]));
      const other = time === 1 ? child : one.pid;
      expect([outcomes.get(failing), outcomes.get(other)]).toEqual(['undone', 'moved']);
      // Of the other one all is moved but what it shares.
      expect(new Set(Object.values(sidesOf(volume, failing)))).toEqual(new Set(['original']));
      expect(Object.values(sidesOf(volume, other)).filter((side) => side === 'original').length).toBe(1);
      const [kept] = processes.filter(({ pid }) => pid === other).map((report) => report.kept);
      expect(kept).toMatchObject([{ what: 'descriptor', reason: 'shared' }]);
      expect(inspect(sideOf(volume, 'original'), failing)?.notes).toEqual([]);
      expect(await turn(one)).toBe(healthy(sizes));
      const { processes: again } = await swapper.order({ towards: 'overlay', scope });
      for (const report of again) expect(report).toMatchObject({ outcome: 'moved', kept: [] });
      expectAllOn('overlay', volume, pids);
      expect(await turn(one)).toBe(healthy(sizes));
      expect(readFileSync(join(volume.path, 'shared'), 'utf8')).toBe('parent.child.'.repeat(3));
    });
  }
});

describe.skipIf(!canMove)('killed while a lock for writing is one for reading', () => {
  test.each(ways)('on the way to the %s, then moved to the %s: it is for writing again', async (first, second) => {
    const { volume, one, swapper } = await coveredBy(`
fd = os.open('locked', os.O_RDWR | os.O_CREAT, 0o644)
fcntl.lockf(fd, fcntl.LOCK_EX, 10, 5)
`);
    const rival = await startPython(
      `
def read():
    fd = os.open(sys.argv[1] + '/locked', os.O_RDWR)
    try:
        fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, 7)
        return 'got it'
    except BlockingIOError:
        return 'refused'
    finally:
        os.close(fd)
`,
      volume.path,
    );
    const scope = { kind: 'pids', pids: [one.pid] } as const;
    if (first === 'original') await swapper.order({ towards: 'overlay', scope });
    await swapper.orderToDie({ towards: first, scope, trap: { step: 'performing', time: 1 } });
    expect(await rival.ask('read()')).toBe('got it');
    const next = await startSwapper(volume);
    await next.order({ towards: second, scope });
    expect(await rival.ask('read()')).toBe('refused');
  });
});
