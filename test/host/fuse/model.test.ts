import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCrashingProgram } from '../../support/crashing.ts';
import { cannotServe, type ServedVolume, startVolume } from '../../support/fuse-volume.ts';
import { walk } from '../../support/fs-model/volume.ts';
import { type FileSystem, type Ground, prepareGround } from '../../support/posix/file-system.ts';
import { type Player, startPlayer } from '../../support/posix/player.ts';
import { ways } from '../../support/posix/ways.ts';

/*
 * Random operations against a model: 200,000 on mounts, after 40,000 in plain folders, which prove the model itself.
 * Seeds that have found something once are kept. FAULTLINE_MODEL_SEED and FAULTLINE_MODEL_COUNT try others.
 */

const chosen = process.env['FAULTLINE_MODEL_SEED'];
const seeds = chosen === undefined ? ['first', 'second', 'third', 'fourth'] : [chosen];
const count = Number(process.env['FAULTLINE_MODEL_COUNT'] ?? 5_000);

const fileSystems: readonly FileSystem[] = ['tmpfs', 'ext4'];

function interposer(name: string): string {
  return path.resolve(import.meta.dirname, `../../support/fuse-${name}-interposer.ts`);
}

describe.skipIf(cannotServe() !== undefined).each([...fileSystems])('random operations on %s', (fileSystem) => {
  let ground: Ground;
  let script = '';
  let player: Player;
  let below = '';
  let mount = '';

  beforeAll(async () => {
    script = await buildCrashingProgram('posix-program');
    ground = prepareGround(fileSystem);
    below = path.join(ground.folder, 'below');
    mount = path.join(ground.folder, 'served');
    for (const name of ['native', 'below', 'served']) mkdirSync(path.join(ground.folder, name));
    player = startPlayer(script, [mount]);
  });

  afterAll(async () => {
    await player.end();
    ground.remove();
    rmSync(script, { force: true });
  });

  /** What is different after so many operations on a mount, if anything. */
  async function checkMount(volume: ServedVolume, seed: string): Promise<string | undefined> {
    const found = await player.check({ seed, count, parent: mount, below });
    expect((await volume.status()).failures).toEqual([]);
    return found;
  }

  test('the model is right about a plain folder', async () => {
    const parent = path.join(ground.folder, 'native');
    expect(await player.check({ seed: chosen ?? 'native', count: 20_000, parent })).toBeUndefined();
  });

  describe.each([...ways])('a volume served $name is like the model', ({ name, options }) => {
    let volume: ServedVolume;
    beforeAll(async () => {
      volume = await startVolume({ source: below, mount, ...options });
    });
    afterAll(async () => volume.end());

    test.each(seeds)('seed %s', async (seed) => {
      expect(await checkMount(volume, `${seed}, ${name}`)).toBeUndefined();
    });
  });

  describe('a volume whose rules change all the time is like the model', () => {
    const changing = new AbortController();
    let volume: ServedVolume;
    let changes: Promise<void>;
    beforeAll(async () => {
      volume = await startVolume({ source: below, mount, interposerModule: interposer('watching'), rules: '' });
      changes = change(volume, changing.signal);
    });
    afterAll(async () => {
      changing.abort();
      await changes;
      await volume.end();
    });

    test.each(seeds)('seed %s', async (seed) => {
      expect(await checkMount(volume, `${seed}, changing`)).toBeUndefined();
    });
  });

  test.each(['', 'ace'])('several processes in one folder, of which rules are about "%s"', async (rules) => {
    const volume = await startVolume({ source: below, mount, interposerModule: interposer('watching'), rules });
    const players = seeds.map(() => startPlayer(script, [mount]));
    try {
      mkdirSync(path.join(below, 'shared'));
      const folder = path.join(mount, 'shared');
      const roaming = players.map((one, index) => one.roam({ folder, seed: `${index} ${seeds.join()}`, count }));
      expect(await Promise.all(roaming)).toEqual(players.map(() => []));
      expect([...walk(folder)]).toEqual([...walk(path.join(below, 'shared'))]);
      rmSync(path.join(below, 'shared'), { recursive: true });
    } finally {
      await Promise.all(players.map((one) => one.end()));
      await volume.end();
    }
  });

  test('a volume that lies in one write of twenty is found out', async () => {
    const volume = await startVolume({ source: below, mount, interposerModule: interposer('lying') });
    try {
      const found = await player.check({ seed: 'lie', count, parent: mount, shrinks: false });
      expect(found ?? 'nothing found').toContain('must be');
    } finally {
      await volume.end();
    }
  });
});

/** Which files a rule is about, and how long the kernel may believe what it is told: something else every few ms. */
async function change({ setRules, setCaching }: ServedVolume, signal: AbortSignal): Promise<void> {
  for (let turn = 0; !signal.aborted; turn++) {
    await setRules(['', 'abc', 'def', 'abcdef', 'ace'][turn % 5]);
    await setCaching([0, 3_600_000][turn % 2] ?? 0);
    await delay(5);
  }
}
