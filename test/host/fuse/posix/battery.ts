import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildCrashingProgram } from '../../../support/crashing.ts';
import { cannotServe, startVolume } from '../../../support/fuse-volume.ts';
import { walk } from '../../../support/fs-model/volume.ts';
import { type CleanUp, cleanUpAfterAll } from '../../../support/posix/clean-up.ts';
import {
  cannotPrepare,
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

interface Stage {
  /** Cases see it under this path. */
  readonly folder: string;
  /** The same, seen without the mount, if there is one. */
  readonly below: string;
  readonly player: Player;
}

function makeFolder(folder: string, cleanUp: (undo: CleanUp) => void): string {
  const small = path.join(folder, 'small');
  mkdirSync(small, { recursive: true });
  mountTmpfs(small, smallOptions);
  cleanUp(() => unmount(small));
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

/** Define the tests of the battery on a file system, in these ways of serving. */
export function describeBattery(fileSystem: FileSystem, served: readonly Way[] = ways): void {
  const cases = posixCases.filter(({ on }) => on?.includes(fileSystem) ?? true);
  const lacks = cannotServe() ?? cannotPrepare(fileSystem);

  describe.skipIf(lacks !== undefined)(`a volume on ${fileSystem} ${lacks ?? ''}`, () => {
    const cleanUp = cleanUpAfterAll();
    const natively = new Map<string, Promise<Observations>>();
    let ground: Ground;
    let script = '';
    let native: Stage;

    beforeAll(async () => {
      script = await buildCrashingProgram('posix-program');
      cleanUp(() => rmSync(script, { force: true }));
      ground = prepareGround(fileSystem);
      cleanUp(() => ground.remove());
      const folder = makeFolder(path.join(ground.folder, 'native'), cleanUp);
      native = { folder, below: folder, player: startPlayer(script, []) };
      cleanUp(() => native.player.end());
    });

    function playNatively(one: PosixCase): Promise<Observations> {
      const played = natively.get(one.name) ?? play(one, fileSystem, native);
      natively.set(one.name, played);
      return played;
    }

    describe.each(served.map((way) => [way.name, way] as const))('served %s', (_, way) => {
      const cleanUp = cleanUpAfterAll();
      let stage: Stage;

      beforeAll(async () => {
        const below = makeFolder(path.join(ground.folder, 'below'), cleanUp);
        const folder = path.join(ground.folder, 'served'); // as long as `native`, so that paths are
        mkdirSync(folder, { recursive: true });
        const volume = await startVolume({ source: below, mount: folder, ...way.options });
        cleanUp(() => volume.end());
        stage = { folder, below, player: startPlayer(script, [folder]) };
        cleanUp(() => stage.player.end());
      });

      test.for(cases.map((one) => [one.name, one] as const))('%s', async ([, one]) => {
        const seen = await playNatively(one);
        expect(await play(one, fileSystem, stage)).toEqual(expectedOn(way, fileSystem, one, seen));
      });
    });
  });
}
