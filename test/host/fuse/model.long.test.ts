import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildCrashingProgram } from '../../support/crashing.ts';
import { cannotServe, type ServedVolume, startVolume } from '../../support/fuse-volume.ts';
import { walk } from '../../support/fs-model/volume.ts';
import { cleanUpAfterAll } from '../../support/posix/clean-up.ts';
import { cannotPrepare, type FileSystem, prepareGround } from '../../support/posix/file-system.ts';
import { type Player, startPlayer } from '../../support/posix/player.ts';
import { type Way, ways } from '../../support/posix/ways.ts';

/*
 * Random operations against a model: 260,000 on mounts, after 60,000 in plain folders, which prove the model itself.
 * Seeds that have found something once are kept. FAULTLINE_MODEL_SEED and FAULTLINE_MODEL_COUNT try others.
 */

const chosen = process.env['FAULTLINE_MODEL_SEED'];
const seeds = chosen === undefined ? ['first', 'second', 'third', 'fourth'] : [chosen];
const count = Number(process.env['FAULTLINE_MODEL_COUNT'] ?? 5_000);

const fewDescriptors: Way = { name: 'with descriptors for eight files', options: { maxNodeDescriptors: 8 } };

/** Files of overlayfs have no handles and are opened again by name: only that is served differently there. */
const fileSystems: readonly (readonly [FileSystem, readonly Way[]])[] = [
  ['tmpfs', [...ways, fewDescriptors]],
  ['ext4', [...ways, fewDescriptors]],
  ['overlayfs', [fewDescriptors]],
];

function interposer(name: string): string {
  return path.resolve(import.meta.dirname, `../../support/fuse-${name}-interposer.ts`);
}

for (const [fileSystem, served] of fileSystems) {
  const lacks = cannotServe() ?? cannotPrepare(fileSystem);
  describe.skipIf(lacks !== undefined)(`random operations on ${fileSystem} ${lacks ?? ''}`, () => {
    describeModel(fileSystem, served);
  });
}

function describeModel(fileSystem: FileSystem, served: readonly Way[]): void {
  const cleanUp = cleanUpAfterAll();
  let script = '';
  let player: Player;
  let native = '';
  let below = '';
  let mount = '';

  beforeAll(async () => {
    script = await buildCrashingProgram('posix-program');
    cleanUp(() => rmSync(script, { force: true }));
    const ground = prepareGround(fileSystem);
    cleanUp(() => ground.remove());
    [native, below, mount] = ['native', 'below', 'served'].map((name) => path.join(ground.folder, name)) as [
      string,
      string,
      string,
    ];
    for (const folder of [native, below, mount]) mkdirSync(folder);
    player = startPlayer(script, [mount]);
    cleanUp(() => player.end());
  });

  /** What is different after so many operations on a mount, if anything. */
  async function checkMount(volume: ServedVolume, seed: string): Promise<string | undefined> {
    const found = await player.check({ seed, count, parent: mount, below });
    expect((await volume.status()).failures).toEqual([]);
    return found;
  }

  test('the model is right about a plain folder', async () => {
    expect(await player.check({ seed: chosen ?? 'native', count: 20_000, parent: native })).toBeUndefined();
  });

  describe.each(served.map((way) => [way.name, way] as const))(
    'served %s it is like the model',
    (name, { options }) => {
      const cleanUp = cleanUpAfterAll();
      let volume: ServedVolume;
      beforeAll(async () => {
        volume = await startVolume({ source: below, mount, ...options });
        cleanUp(() => volume.end());
      });

      test.each(seeds)('seed %s', async (seed) => {
        expect(await checkMount(volume, `${seed}, ${name}`)).toBeUndefined();
      });
    },
  );

  describe('a volume whose rules change all the time is like the model', () => {
    const cleanUp = cleanUpAfterAll();
    let volume: ServedVolume;
    beforeAll(async () => {
      const changing = new AbortController();
      volume = await startVolume({ source: below, mount, interposerModule: interposer('watching'), rules: '' });
      cleanUp(() => volume.end());
      const changes = change(volume, changing.signal);
      cleanUp(async () => {
        changing.abort();
        await changes;
      });
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
}

/** Which files a rule is about, and how long the kernel may believe what it is told: something else every few ms. */
async function change({ setRules, setCaching }: ServedVolume, signal: AbortSignal): Promise<void> {
  for (let turn = 0; !signal.aborted; turn++) {
    await setRules(['', 'abc', 'def', 'abcdef', 'ace'][turn % 5]);
    await setCaching([0, 3_600_000][turn % 2] ?? 0);
    await delay(5);
  }
}
