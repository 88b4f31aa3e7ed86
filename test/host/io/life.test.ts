import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ShownInjection, tempStateDir } from '../../support/cli.ts';
import type { TargetAnswer } from '../../support/io-target-program.ts';
import { hasPython, start, stateOf, until } from '../targets/processes.ts';
import { cannotInject, content, fill, mountsOf, nothingLeft, ours, pages, type Scene, scene } from './lab.ts';
import { startTarget, type Target } from './target.ts';

/*
 * The life of a fault in files, from the command to the file and back: a running program with an open file sees it, is
 * not restarted for it, and does not see it any more afterwards.
 */

const pageSize = 4096;

/** Sends an open file through a socket to itself, and receives it when it is told to. */
const inFlight = `
import array, os, socket, sys
one, other = socket.socketpair()
fd = os.open(sys.argv[1], os.O_RDONLY)
socket.send_fds(one, [b'x'], [fd])
os.close(fd)
print('sent')
sys.stdin.readline()
_, [came], _, _ = socket.recv_fds(other, 1, 1)
print('came', len(os.pread(came, 1 << 20, 0)))
sys.stdin.readline()
print('again', len(os.pread(came, 1 << 20, 0)))
`;

function textOfStream(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  return () => text;
}

/** Has the process something open that is in the folder? */
function processHas(pid: number, folder: string): boolean {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  return links.some((link) => link.startsWith(`${folder}/`));
}

interface Counts {
  readonly seen: number;
  readonly matched: number;
  readonly injected: number;
  readonly recent: readonly {
    readonly pid: number;
    readonly path: string;
    readonly offset: number;
    readonly errno: number;
  }[];
}

/** What `show -o json` tells of the rules, while it lasts. */
function countsOf({ present }: ShownInjection): readonly Counts[] {
  const evidence = (present[0]?.evidence ?? {}) as { readonly rules?: readonly Counts[] };
  return evidence.rules ?? [];
}

const textOf = ({ bytes = '' }: TargetAnswer): string => Buffer.from(bytes, 'base64').toString();

/** A volume, and a program that has a file of it open. */
async function sceneWithTarget(): Promise<{ readonly one: Scene; readonly target: Target }> {
  const one = scene();
  return { one, target: await startTarget(one.inVolume('file')) };
}

/** Everything is as it was, for the file that is open all the time and for one that is opened now. */
async function expectWell(one: Scene, target: Target): Promise<void> {
  await nothingLeft(one, [target.pid]);
  for (const file of [{}, { file: one.inVolume('file') }]) {
    expect(textOf(await target.ask({ do: 'read', at: 0, size: content.length, ...file }))).toBe(content);
    const { stat } = await target.ask({ do: 'stat', ...file });
    const { size, mode, uid, ino } = statSync(one.inVolume('file'));
    expect(stat).toEqual({ size, mode, uid, ino });
  }
}

describe.skipIf(cannotInject !== undefined)(
  'what a running program sees of its open file, and of those it opens',
  () => {
    test('latency: each read waits, and none afterwards', async () => {
      const { one, target } = await sceneWithTarget();
      const uid = await one.inject(['latency', '--methods', 'read', '--delay', '1s']);
      const read = { do: 'read', at: 0, size: pageSize } as const;
      const open = await target.ask(read);
      expect(open).toMatchObject({ count: pageSize });
      expect(open.tookMs).toBeGreaterThan(950); // clocks differ by a tick
      expect((await target.ask({ ...read, file: one.inVolume('other') })).tookMs).toBeGreaterThan(950);
      await one.recover(uid);
      await expectWell(one, target);
      // A hundred reads would take more than a hundred seconds with the fault.
      expect((await target.ask({ do: 'reads', times: 100 })).tookMs).toBeLessThan(60_000);
    });

    test('errno: reads and writes fail, and what is on the disk stays as it is', async () => {
      const { one, target } = await sceneWithTarget();
      const names = Array.from({ length: 30 }, (_, number) => `file-${number}`);
      for (const name of names) writeFileSync(one.inVolume(name), content);
      const uid = await one.inject(['fault', '--methods', 'read,write', '--errno', 'ENOSPC']);
      // The first read of each: each thread that serves the volume must know of the rules before it serves anything.
      for (const name of names) {
        const read = await target.ask({ do: 'read', at: 0, size: 10, file: one.inVolume(name) });
        expect(read, name).toMatchObject({ error: 'ENOSPC' });
      }
      for (const file of [{}, { file: one.inVolume('file') }]) {
        expect(await target.ask({ do: 'read', at: 0, size: 10, ...file })).toMatchObject({ error: 'ENOSPC' });
        expect(await target.ask({ do: 'write', at: 0, text: 'lost', ...file })).toMatchObject({ error: 'ENOSPC' });
      }
      await one.recover(uid);
      await expectWell(one, target);
    });

    test('a pattern: one file fails, the other does not', async () => {
      const { one, target } = await sceneWithTarget();
      const uid = await one.inject(['fault', '--path', one.inVolume('o*'), '--methods', 'read', '--errno', '5']);
      const read = { do: 'read', at: 0, size: 10 } as const;
      expect(await target.ask(read)).toMatchObject({ count: 10 });
      expect(await target.ask({ ...read, file: one.inVolume('other') })).toMatchObject({ error: 'EIO' });
      await one.recover(uid);
      await expectWell(one, target);
    });

    test('short reads', async () => {
      const { one, target } = await sceneWithTarget();
      const uid = await one.inject(['fault', '--methods', 'read', '--short', '100']);
      for (const file of [{}, { file: one.inVolume('file') }]) {
        const read = await target.ask({ do: 'read', at: pageSize, size: pageSize, ...file });
        expect(textOf(read)).toBe('b'.repeat(100));
      }
      await one.recover(uid);
      await expectWell(one, target);
    });

    test('other attributes', async () => {
      const { one, target } = await sceneWithTarget();
      const uid = await one.inject(['attr-override', '--attr', 'size=7,perm=0640,uid=1234']);
      for (const file of [{}, { file: one.inVolume('file') }]) {
        const { stat } = await target.ask({ do: 'stat', ...file });
        expect(stat).toMatchObject({ size: 7, mode: 0o100640, uid: 1234 });
      }
      expect(statSync(one.inVolume('other'))).toMatchObject({ size: 7, uid: 1234 });
      await one.recover(uid);
      await expectWell(one, target);
    });

    test('wrong bytes in what is read; those on the disk are right', async () => {
      const { one, target } = await sceneWithTarget();
      const args = ['mistake', '--methods', 'read', '--filling', 'zero', '--max-length', '64'];
      const uid = await one.inject(args);
      for (const file of [{}, { file: one.inVolume('file') }]) {
        const text = textOf(await target.ask({ do: 'read', at: 0, size: pageSize, ...file }));
        expect(text).toHaveLength(pageSize);
        expect(text).toMatch(/^a*\0{1,64}a*$/u);
      }
      await one.recover(uid);
      await expectWell(one, target);
    });

    test('what is written while it lasts is there afterwards', async () => {
      const { one, target } = await sceneWithTarget();
      const uid = await one.inject(['latency', '--methods', 'fsync', '--delay', '1ms']);
      await target.ask({ do: 'truncate', size: 0 });
      expect(await target.ask({ do: 'write', at: 0, text: 'written' })).toMatchObject({ count: 7 });
      expect(await target.ask({ do: 'write', at: 7, text: ' twice', file: one.inVolume('file') })).toMatchObject({
        count: 6,
      });
      writeFileSync(one.inVolume('new'), 'new');
      await one.recover(uid);
      await nothingLeft(one, [target.pid]);
      expect(readFileSync(one.inVolume('file'), 'utf8')).toBe('written twice');
      expect(textOf(await target.ask({ do: 'read', at: 0, size: 100 }))).toBe('written twice');
      expect(readFileSync(one.inVolume('new'), 'utf8')).toBe('new');
    });
  },
);

describe.skipIf(cannotInject !== undefined)('which operations are hit', () => {
  test('percent 50 of the reads of a cached file: about half, the second and later ones of each page too', async () => {
    const { one, target } = await sceneWithTarget();
    await target.ask({ do: 'reads', times: pages });
    const uid = await one.inject(['fault', '--methods', 'read', '--errno', 'EIO', '--percent', '50', '--seed', 'half']);
    const times = 40 * pages;
    const { outcomes = [] } = await target.ask({ do: 'reads', times });
    expect(new Set(outcomes)).toEqual(new Set(['EIO', pageSize]));
    const failed = outcomes.filter((outcome) => outcome === 'EIO').length;
    // Ten standard deviations of a fair coin.
    expect(Math.abs(failed - times / 2)).toBeLessThan(10 * Math.sqrt(times / 4));
    for (let page = 0; page < pages; page++) {
      const ofPage = outcomes.filter((_, read) => read % pages === page);
      expect(new Set(ofPage.slice(1)), `page ${page}`).toEqual(new Set(['EIO', pageSize]));
    }
    const [counts] = countsOf(await one.show(uid));
    expect(counts).toMatchObject({ seen: times, matched: times, injected: failed });
    await one.recover(uid);
    await expectWell(one, target);
  });

  test('by number, by count, by bytes, by process: each rule hits those operations that it names', async () => {
    const { one, target } = await sceneWithTarget();
    const rule = (name: string, filter: object) => {
      writeFileSync(one.inVolume(name), content);
      return { type: 'fault', path: one.inVolume(name), methods: ['read'], errno: 'EIO', ...filter };
    };
    const rules = [
      rule('nth', { nth: [3] }),
      rule('every', { every: 4 }),
      rule('count', { count: 2 }),
      rule('after', { after: 3 }),
      rule('range', { offsetRange: '4K-8K' }),
      rule('stranger', { byPid: [1] }),
      rule('self', { byPid: [target.pid] }),
    ];
    const list = path.join(path.dirname(one.volume), 'rules.json');
    writeFileSync(list, JSON.stringify(rules));
    const uid = await one.inject(['rules', '--rules', list]);
    const failed = async (name: string): Promise<readonly number[]> => {
      const { outcomes = [] } = await target.ask({ do: 'reads', times: 8, file: one.inVolume(name) });
      return outcomes.flatMap((outcome, read) => (outcome === 'EIO' ? [read + 1] : []));
    };
    expect(await failed('nth')).toEqual([3]);
    expect(await failed('every')).toEqual([4, 8]);
    expect(await failed('count')).toEqual([1, 2]);
    expect(await failed('after')).toEqual([4, 5, 6, 7, 8]);
    expect(await failed('range')).toEqual([2]);
    expect(await failed('stranger')).toEqual([]);
    expect(await failed('self')).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await failed('other')).toEqual([]);
    const counts = countsOf(await one.show(uid));
    expect(counts.map(({ seen }) => seen)).toEqual(rules.map(() => 8));
    expect(counts.map(({ injected }) => injected)).toEqual([1, 2, 2, 5, 1, 0, 8]);
    await one.recover(uid);
    await expectWell(one, target);
  });

  test('show tells what was hit, and by whom', async () => {
    const { one, target } = await sceneWithTarget();
    const uid = await one.inject(['fault', '--methods', 'read', '--errno', 'ENOSPC', '--offset-range', '8K-']);
    await target.ask({ do: 'reads', times: 4 });
    const [counts] = countsOf(await one.show(uid));
    expect(counts).toMatchObject({ seen: 4, matched: 2, injected: 2 });
    expect(counts?.recent).toMatchObject([
      { pid: target.pid, path: '/file', offset: 2 * pageSize, errno: 28 },
      { pid: target.pid, path: '/file', offset: 3 * pageSize, errno: 28 },
    ]);
    expect((await one.run(['show', uid])).stdout).toContain('2 of 2 matching operations disturbed');
    await one.recover(uid);
    const after = await one.show(uid);
    expect(after.targets.find(({ phase }) => phase === 'recover')?.evidence).toMatchObject({
      rules: [{ injected: 2 }],
    });
    await expectWell(one, target);
  });

  test('nothing was hit: it says so, and with --expect-hits that is an error', async () => {
    const one = scene();
    const uid = await one.inject(['fault', '--methods', 'fsync', '--errno', 'EIO', '--expect-hits']);
    const ran = await one.run(['recover', uid]);
    expect(ran.code).toBe(1);
    expect(`${ran.stdout}${ran.stderr}`).toContain('no operation came near a rule');
    await nothingLeft(one);
    expect((await one.show(uid)).state).toBe('recovered');
  });
});

describe.skipIf(cannotInject !== undefined)('when it ends, and what else is on the volume', () => {
  test('--duration: the keeper ends it', async () => {
    const { one, target } = await sceneWithTarget();
    const uid = await one.inject(['fault', '--methods', 'read', '--errno', 'EIO', '--duration', '1s']);
    await until('the keeper has ended it', () => mountsOf({ below: one.volume }).length === 0);
    await expectWell(one, target);
    const shown = await one.show(uid);
    expect(shown.state).toBe('recovered');
    expect(shown.timeline).toContainEqual(
      expect.objectContaining({ type: 'recovering', data: { reason: 'its lease has ended' } }),
    );
  });

  test('two volumes at once, each with a fault of its own', async () => {
    const { one, target } = await sceneWithTarget();
    const secondVolume = `${one.volume}2`;
    fill(secondVolume);
    const second = await startTarget(path.join(secondVolume, 'file'));
    const attack = (volume: string, errno: string) =>
      one.run(['attack', 'io', 'fault', '--volume', volume, '--methods', 'read', '--errno', errno]);
    const rans = await Promise.all([attack(one.volume, 'EIO'), attack(secondVolume, 'EPERM')]);
    expect(rans).toMatchObject([{ code: 0 }, { code: 0 }]);
    const read = { do: 'read', at: 0, size: 10 } as const;
    expect(await target.ask(read)).toMatchObject({ error: 'EIO' });
    expect(await second.ask(read)).toMatchObject({ error: 'EPERM' });
    await ours(one, 'keeper');
    expect(await one.run(['recover', '--all'])).toMatchObject({ code: 0 });
    await expectWell(one, target);
    expect(await second.ask(read)).toMatchObject({ count: 10 });
  });

  test('two volumes that one process uses', async () => {
    const { one, target } = await sceneWithTarget();
    const secondVolume = `${one.volume}2`;
    fill(secondVolume);
    const both = await start('tail', ['-f', one.inVolume('file'), path.join(secondVolume, 'file')]);
    await until('it has both open', () => processHas(both.pid, one.volume) && processHas(both.pid, secondVolume));
    for (const volume of [one.volume, secondVolume]) {
      const ran = await one.run([
        'attack',
        'io',
        'latency',
        '--volume',
        volume,
        '--methods',
        'fsync',
        '--delay',
        '1ms',
      ]);
      expect(ran.stderr).toBe('');
      expect(ran.code).toBe(0);
    }
    const ran = await one.run(['recover', '--all']);
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    await expectWell(one, target);
    expect(stateOf(both.pid)).toBe('S');
  });

  test.skipIf(!hasPython)(
    'a file on its way from one process to another is followed, and moved when it comes',
    async () => {
      const one = scene();
      const uid = await one.inject(['fault', '--methods', 'fsync', '--errno', 'EIO']);
      const { child, pid } = await start('python3', ['-u', '-c', inFlight, one.inVolume('file')], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const said = textOfStream(child.stdout);
      await until('it is on its way', () => said().includes('sent'));
      await one.recover(uid);
      expect(mountsOf({ below: one.volume })).toEqual([]);
      child.stdin?.write('\n');
      await until('it has come', () => said().includes(`came ${content.length}`));
      await nothingLeft(one, [pid]);
      child.stdin?.write('\n');
      await until('it is read again', () => said().includes(`again ${content.length}`));
    },
  );

  test.each(['the same folder', 'a folder in it', 'a folder around it'])(
    'a second one on %s is refused, and the first goes on',
    async (which) => {
      const { one, target } = await sceneWithTarget();
      fill(one.inVolume('inner'));
      const uid = await one.inject(['fault', '--methods', 'read', '--errno', 'EIO']);
      const volumes = {
        'the same folder': one.volume,
        'a folder in it': one.inVolume('inner'),
        'a folder around it': path.dirname(one.volume),
      };
      const volume = volumes[which as keyof typeof volumes];
      // Around it is the state folder, too: another one has it refused for the right reason.
      const elsewhere = which === 'a folder around it' ? { stateDir: tempStateDir() } : {};
      const ran = await one.run(['attack', 'io', 'latency', '--volume', volume, '--delay', '1ms'], elsewhere);
      expect(ran.code).toBe(1);
      expect(ran.stderr).toMatch(/\[(?:VOLUME_BUSY|GUARD_CONFLICT)\]/u);
      expect(ran.stderr).toContain('Hint: ');
      expect(await target.ask({ do: 'read', at: 0, size: 10 })).toMatchObject({ error: 'EIO' });
      await one.recover(uid);
      await expectWell(one, target);
    },
  );

  test('only the chosen process has its open file moved; what is opened now is hit for all', async () => {
    const { one, target } = await sceneWithTarget();
    const spared = await startTarget(one.inVolume('file'));
    const args = ['fault', '--methods', 'read', '--errno', 'EIO', '--process', String(target.pid)];
    const uid = await one.inject(args);
    const read = { do: 'read', at: 0, size: 10 } as const;
    expect(await target.ask(read)).toMatchObject({ error: 'EIO' });
    expect(await spared.ask(read)).toMatchObject({ count: 10 });
    expect(await spared.ask({ ...read, file: one.inVolume('file') })).toMatchObject({ error: 'EIO' });
    await one.recover(uid);
    await expectWell(one, target);
    await expectWell(one, spared);
  });

  test('--dry-run lists who would be touched, and touches nothing', async () => {
    const { one, target } = await sceneWithTarget();
    const ran = await one.run(['attack', 'io', 'latency', '--volume', one.volume, '--delay', '1s', '--dry-run']);
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.stdout).toContain(`moves 1 open file → pid ${target.pid} `);
    await expectWell(one, target);
  });
});
