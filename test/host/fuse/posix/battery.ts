import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildCrashingProgram } from '../../../support/crashing.ts';
import { type ServedVolume, cannotServe, startVolume } from '../../../support/fuse-volume.ts';
import { walk } from '../../../support/fs-model/volume.ts';
import {
  type FileSystem,
  type Ground,
  mountTmpfs,
  prepareGround,
  unmount,
} from '../../../support/posix/file-system.ts';
import { type Player, startPlayer } from '../../../support/posix/player.ts';
import { type Observations, type PosixCase, plain } from '../../../support/posix/scene.ts';
import { type Way, ways } from '../../../support/posix/ways.ts';
import { posixCases } from './cases/all.ts';

/* Plays every case in a plain folder and on a mount over another, and compares all that is seen. */

/** A small file system in each of the folders, which is full soon. */
const smallOptions = 'size=256k,nr_inodes=40,mode=777';

interface Theatre {
  readonly ground: Ground;
  readonly script: string;
  /** Where things are as they should be. */
  readonly native: Stage;
}

interface Stage {
  /** Cases see it under this path. */
  readonly folder: string;
  /** The same, seen without the mount, if there is one. */
  readonly below: string;
  readonly player: Player;
}

function makeFolder(folder: string): string {
  mkdirSync(path.join(folder, 'small'), { recursive: true });
  mountTmpfs(path.join(folder, 'small'), smallOptions);
  return folder;
}

/** Everything that a case has left behind in its folder, which it saw by another path. */
function leftovers(folder: string, seenAs: string): readonly unknown[] {
  return [...walk(folder)].map(([name, looks, holds]) => {
    const attributes =
      typeof looks === 'number' ? 'of another kind' : { ...looks, mtime: undefined, size: sizeOf(looks) };
    const short = Buffer.isBuffer(holds) && holds.length < 200;
    return plain([name, attributes, short ? holds.toString('latin1') : holds], seenAs);
  });
}

function sizeOf({ type, size }: { readonly type: string; readonly size: number | undefined }): number | undefined {
  return type === 'dir' ? undefined : size;
}

async function play(one: PosixCase, fileSystem: FileSystem, { folder, below, player }: Stage): Promise<Observations> {
  const own = one.name.replaceAll(/[^A-Za-z0-9]+/gu, '-');
  const [seenAs, there] = [path.join(folder, own), path.join(below, own)];
  mkdirSync(there);
  const seen = await player.play({ name: one.name, folder: seenAs, fileSystem });
  const left = one.leavesTheSame === false ? [] : leftovers(there, seenAs);
  rmSync(there, { recursive: true, force: true });
  return { ...seen, 'what is left': left };
}

/** What must be seen on the mount: the same as in a plain folder, but for what is known to differ. */
function expectedOn(way: Way, fileSystem: FileSystem, one: PosixCase, native: Observations): Observations {
  const entries = Object.entries(native).map(([what, seen]) => {
    const known = one.differences?.[what];
    const applies =
      known !== undefined && (known.on?.includes(fileSystem) ?? true) && (known.when?.includes(way.name) ?? true);
    if (!applies) return [what, seen];
    return [what, Object.hasOwn(known, 'served') ? known.served : (expect.anything() as unknown)];
  });
  return Object.fromEntries(entries) as Observations;
}

/** Define the tests of the battery on a file system, in each way of serving. */
export function describeBattery(fileSystem: FileSystem): void {
  const cases = posixCases.filter(({ on }) => on?.includes(fileSystem) ?? true);
  let theatre: Theatre;
  const natively = new Map<string, Promise<Observations>>();

  function playNatively(one: PosixCase): Promise<Observations> {
    const played = natively.get(one.name) ?? play(one, fileSystem, theatre.native);
    natively.set(one.name, played);
    return played;
  }

  describe.skipIf(cannotServe() !== undefined)(`a volume on ${fileSystem}`, () => {
    beforeAll(async () => {
      const script = await buildCrashingProgram('posix-program');
      const ground = prepareGround(fileSystem);
      const folder = makeFolder(path.join(ground.folder, 'native'));
      theatre = { ground, script, native: { folder, below: folder, player: startPlayer(script, []) } };
    });

    afterAll(async () => {
      await theatre.native.player.end();
      unmount(path.join(theatre.native.folder, 'small'));
      theatre.ground.remove();
      rmSync(theatre.script, { force: true });
    });

    describe.each(ways.map((way) => [way.name, way] as const))('served %s', (_, way) => {
      let served: ServedVolume;
      let stage: Stage;

      beforeAll(async () => {
        const { ground, script } = theatre;
        const below = makeFolder(path.join(ground.folder, 'below'));
        const folder = path.join(ground.folder, 'served'); // as long as `native`, so that paths are
        mkdirSync(folder, { recursive: true });
        served = await startVolume({ source: below, mount: folder, ...way.options });
        stage = { folder, below, player: startPlayer(script, [folder]) };
      });

      afterAll(async () => {
        await stage.player.end();
        await served.end();
        unmount(path.join(stage.below, 'small'));
      });

      test.for(cases.map((one) => [one.name, one] as const))('%s', async ([, one]) => {
        const native = await playNatively(one);
        const seen = await play(one, fileSystem, stage);
        expect(seen).toEqual(expectedOn(way, fileSystem, one, native));
      });
    });
  });
}
