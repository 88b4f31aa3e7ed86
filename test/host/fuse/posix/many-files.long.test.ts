import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { buildCrashingProgram } from '../../../support/crashing.ts';
import { cannotServe, startVolume } from '../../../support/fuse-volume.ts';
import { cannotPrepare, type FileSystem, prepareGround } from '../../../support/posix/file-system.ts';
import { startPlayer } from '../../../support/posix/player.ts';
import { ways } from '../../../support/posix/ways.ts';
import { manyFilesCase } from './cases/many.ts';

const openFiles = 1000;

const stages: readonly (readonly [FileSystem, string])[] = [
  ['tmpfs', 'untargeted and cached'],
  ['ext4', 'untargeted and cached'],
  ['ext4', 'targeted'],
];

const lacks = cannotServe() ?? cannotPrepare('ext4');

describe.skipIf(lacks !== undefined)(`21,000 files, and a daemon that may have ${openFiles} open`, () => {
  test.each([...stages])('on %s, %s', async (fileSystem, wayName) => {
    const script = await buildCrashingProgram('posix-program');
    const ground = prepareGround(fileSystem);
    const [below, mount] = [path.join(ground.folder, 'below'), path.join(ground.folder, 'served')];
    for (const folder of [below, mount]) mkdirSync(folder);
    const player = startPlayer(script, [mount]);
    const way = ways.find(({ name }) => name === wayName);
    const volume = await startVolume({ source: below, mount, openFiles, ...way?.options });
    try {
      await player.play({ name: manyFilesCase.name, folder: mount, fileSystem });
      const status = await volume.status();
      expect(status.failures).toEqual([]);
      expect(status.nodeDescriptors).toBeLessThan(openFiles);
      expect(status.evictions).toBeGreaterThan(20_000);
    } finally {
      await player.end();
      await volume.end();
      ground.remove();
      rmSync(script, { force: true });
    }
  });
});
