import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { cannotInject, content, nothingLeft, pages, scene } from './lab.ts';
import { countsOf, expectWell, sceneWithTarget, textOf } from './stage.ts';

/*
 * The life of a fault in files, from the command to the file and back: a running program with an open file sees it, is
 * not restarted for it, and does not see it any more afterwards.
 */

const pageSize = 4096;

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

  test.each([
    ['recover UID', (uid: string) => ['recover', uid]],
    ['recover --all', () => ['recover', '--all']],
  ])('nothing was hit: %s says so, and with --expect-hits that is an error', async (_, recovering) => {
    const one = scene();
    const uid = await one.inject(['fault', '--methods', 'fsync', '--errno', 'EIO', '--expect-hits']);
    const ran = await one.run(recovering(uid));
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(`${uid} was undone, but nothing was hit`);
    expect(ran.stderr).toContain('no operation came near a rule');
    expect(ran.stderr).not.toContain('not undone');
    await nothingLeft(one);
    expect((await one.show(uid)).state).toBe('recovered');
  });
});
