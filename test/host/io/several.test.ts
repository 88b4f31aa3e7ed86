import { spawnSync } from 'node:child_process';
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempStateDir } from '../../support/cli.ts';
import { readJournal } from '../../support/journal.ts';
import { hasPython, start, stateOf, until } from '../targets/processes.ts';
import { cannotInject, content, fill, mountsSeenHere, nothingLeft, ours, scene } from './lab.ts';
import { countsOf, expectWell, sceneWithTarget } from './stage.ts';
import { startTarget } from './target.ts';

/*
 * When a fault in files ends, and what else there is: other volumes, other injections, processes that come later.
 */

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

/** Has the process something open that is in the folder? What it closes meanwhile, as while it starts, is not. */
function processHas(pid: number, folder: string): boolean {
  return readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(`${folder}/`);
    } catch {
      return false;
    }
  });
}

describe.skipIf(cannotInject !== undefined)('when it ends, and what else is on the volume', () => {
  test('--duration: the keeper ends it', async () => {
    const { one, target } = await sceneWithTarget();
    const uid = await one.inject(['fault', '--methods', 'read', '--errno', 'EIO', '--duration', '1s']);
    await until('the keeper has ended it', () => mountsSeenHere(one.volume).length === 0);
    await expectWell(one, target);
    const shown = await one.show(uid);
    expect(shown.state).toBe('recovered');
    expect(shown.timeline).toContainEqual(
      expect.objectContaining({ type: 'recovering', data: { reason: 'its lease has ended' } }),
    );
  });

  test('--duration with --expect-hits, and nothing hit: it says so', async () => {
    const one = scene();
    const fault = ['fault', '--methods', 'fsync', '--errno', 'EIO'];
    const uid = await one.inject([...fault, '--duration', '500ms', '--expect-hits']);
    await until('the keeper has ended it', () => readJournal(one.stateDir)[0]?.record.state === 'recovered');
    await nothingLeft(one);
    expect(await one.show(uid)).toMatchObject({ error: { code: 'EXPECTATION_MISSED' } });
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
      expect(mountsSeenHere(one.volume)).toEqual([]);
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

describe.skipIf(cannotInject !== undefined)('several injections on one volume, with --allow-overlap', () => {
  const read = { do: 'read', at: 0, size: 10 } as const;
  const write = { do: 'write', at: 0, text: content.slice(0, 10) } as const;

  test('rules come and go, and the mount stays', async () => {
    const { one, target } = await sceneWithTarget();
    const first = await one.inject(['fault', '--methods', 'read', '--errno', 'EIO']);
    const mounts = mountsSeenHere(one.volume);
    expect(mounts).toHaveLength(1);
    const second = await one.inject(['fault', '--methods', 'write', '--errno', 'ENOSPC', '--allow-overlap']);
    expect(mountsSeenHere(one.volume)).toMatchObject([{ source: mounts[0]?.source, device: mounts[0]?.device }]);
    expect([await target.ask(read), await target.ask(write)]).toMatchObject([{ error: 'EIO' }, { error: 'ENOSPC' }]);
    await one.recover(first);
    expect([await target.ask(read), await target.ask(write)]).toMatchObject([{ count: 10 }, { error: 'ENOSPC' }]);
    expect(countsOf(await one.show(second))).toMatchObject([{ injected: 2 }]);
    const third = await one.inject(['fault', '--methods', 'read', '--errno', 'EPERM', '--allow-overlap']);
    expect(await target.ask(read)).toMatchObject({ error: 'EPERM' });
    await one.recover(second);
    expect([await target.ask(read), await target.ask(write)]).toMatchObject([{ error: 'EPERM' }, { count: 10 }]);
    await one.recover(third);
    await expectWell(one, target);
  });

  test('the second one is about a process that the first was not about', async () => {
    const { one, target } = await sceneWithTarget();
    const other = await startTarget(one.inVolume('file'));
    const first = await one.inject(['fault', '--methods', 'read', '--errno', 'EIO', '--process', String(target.pid)]);
    expect([await target.ask(read), await other.ask(read)]).toMatchObject([{ error: 'EIO' }, { count: 10 }]);
    const latency = ['latency', '--delay', '1ms', '--allow-overlap', '--process', String(other.pid)];
    const second = await one.inject(latency);
    // A rule is about all who use the volume, and by now both do.
    expect([await target.ask(read), await other.ask(read)]).toMatchObject([{ error: 'EIO' }, { error: 'EIO' }]);
    for (const uid of [first, second]) await one.recover(uid);
    await expectWell(one, target);
    await expectWell(one, other);
  });
});

describe.skipIf(cannotInject !== undefined)('somebody else takes the mount away', () => {
  test('show says so, and recover ends it', async () => {
    const { one, target } = await sceneWithTarget();
    const uid = await one.inject(['fault', '--methods', 'fsync', '--errno', 'EIO']);
    spawnSync('umount', ['-l', one.volume]);
    expect((await one.show(uid)).present).toMatchObject([
      { verdict: 'mismatch', seen: expect.stringContaining('somebody has taken the mount away') },
    ]);
    await one.recover(uid);
    await expectWell(one, target);
  });
});

describe.skipIf(cannotInject !== undefined)('an attack while the volume is being given back', () => {
  test('waits for that, and covers it anew', async () => {
    const { one, target } = await sceneWithTarget();
    const first = await one.inject(['fault', '--methods', 'write', '--errno', 'EIO']);
    const [, second] = await Promise.all([
      one.recover(first),
      one.inject(['fault', '--methods', 'read', '--errno', 'EPERM', '--allow-overlap']),
    ]);
    expect(await target.ask({ do: 'read', at: 0, size: 10 })).toMatchObject({ error: 'EPERM' });
    await one.recover(second);
    await expectWell(one, target);
  });
});

describe.skipIf(cannotInject !== undefined)('another kind of file', () => {
  test('is refused of one that is open, and shown of one that is not', async () => {
    const { one, target } = await sceneWithTarget();
    const kind = ['attr-override', '--attr', 'kind=symlink', '--path'];
    const ran = await one.run(['attack', 'io', ...kind, one.inVolume('*'), '--volume', one.volume]);
    expect(ran).toMatchObject({ code: 1 });
    expect(ran.stderr).toContain(`file is open in pid ${target.pid} `);
    const uid = await one.inject([...kind, one.inVolume('other')]);
    expect(lstatSync(one.inVolume('other')).isSymbolicLink()).toBe(true);
    await one.recover(uid);
    expect(lstatSync(one.inVolume('other')).isFile()).toBe(true);
    await expectWell(one, target);
  });
});

describe.skipIf(cannotInject !== undefined)('a rule about everything', () => {
  test.each([
    ['an error', ['fault', '--errno', 'EIO'], { error: 'EIO' }],
    ['a delay', ['latency', '--delay', '300ms'], { count: 10 }],
  ] as const)('%s: files are moved all the same', async (_, fault, expected) => {
    const { one, target } = await sceneWithTarget();
    const uid = await one.inject(fault);
    const { verdict, targets } = await one.show(uid);
    expect(verdict, JSON.stringify(targets)).toBe('confirmed');
    expect(await target.ask({ do: 'read', at: 0, size: 10 })).toMatchObject(expected);
    expect(countsOf(await one.show(uid))[0]?.recent.map(({ pid }) => pid)).toContain(target.pid);
    await one.recover(uid);
    await expectWell(one, target);
  });
});

describe.skipIf(cannotInject !== undefined)('a rule that comes later', () => {
  test('says that it does not reach what was opened when no rule was about it', async () => {
    const { one, target } = await sceneWithTarget();
    const rule = (name: string) => ['fault', '--methods', 'read', '--errno', 'EIO', '--path', one.inVolume(name)];
    const first = await one.inject(rule('other'));
    const later = await one.inject([...rule('file'), '--allow-overlap']);
    const read = { do: 'read', at: 0, size: 10 } as const;
    // Only where the kernel has passthrough.
    const isReached = (await target.ask(read)).error === 'EIO';
    const { targets } = await one.show(later);
    const volume = targets.find(({ target: { label } }) => label === one.volume);
    expect(volume).toMatchObject(
      isReached
        ? { verdict: 'confirmed' }
        : { verdict: 'inconclusive', seen: expect.stringContaining('1 open file is not reached until opened anew') },
    );
    expect(await target.ask({ ...read, file: one.inVolume('file') })).toMatchObject({ error: 'EIO' });
    await one.recover(first);
    await one.recover(later);
    await expectWell(one, target);
  });
});
