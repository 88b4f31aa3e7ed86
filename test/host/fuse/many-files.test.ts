import { spawnSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  readlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tempFolder } from '../../support/cli.ts';
import { cannotServe, type ServedVolume, startVolume } from '../../support/fuse-volume.ts';
import type { TestRule } from '../../support/fuse-rules-interposer.ts';

const interposerModule = path.resolve(import.meta.dirname, '../../support/fuse-rules-interposer.ts');

/** More files than the volume may keep descriptors for, by far. */
const files = 3000;
const perFolder = 100;
const nameOf = (index: number): string => `${Math.floor(index / perFolder)}/file-${index}`;

interface Ground {
  readonly folder: string;
  readonly end: () => void;
}

function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr}`);
}

const grounds: Readonly<Record<string, () => Ground>> = {
  /** Files are opened again by their handles. */
  'whose files have handles': () => ({ folder: tempFolder(), end: () => undefined }),
  /** overlayfs has none that can be opened, unless it is told to: by folder and name. */
  'whose files have none': () => {
    const base = tempFolder();
    mount('-t', 'tmpfs', 'tmpfs', base);
    for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(path.join(base, name));
    const at = (name: string): string => path.join(base, name);
    const options = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`;
    mount('-t', 'overlay', 'overlay', '-o', options, at('merged'));
    return {
      folder: at('merged'),
      end: () => {
        for (const place of [at('merged'), base]) spawnSync('umount', [place]);
      },
    };
  },
};

describe.skipIf(cannotServe() !== undefined).each(Object.entries(grounds))(
  'a volume with many files, on a file system %s',
  (_, prepare) => {
    let ground: Ground;
    let volume: ServedVolume;
    let mounted = '';
    const seen = (name: string): string => path.join(mounted, name);

    beforeEach(async () => {
      ground = prepare();
      mounted = tempFolder();
      volume = await startVolume({
        source: ground.folder,
        mount: mounted,
        interposerModule,
        rules: [],
        openFiles: 512,
        maxNodeDescriptors: 64,
        cacheMs: 60_000,
      });
    });

    afterEach(async () => {
      await volume.end();
      ground.end();
    });

    function make(): void {
      for (let index = 0; index < files; index += 1) {
        if (index % perFolder === 0) mkdirSync(seen(path.dirname(nameOf(index))));
        writeFileSync(seen(nameOf(index)), String(index));
      }
    }

    test('finds each of them again', async () => {
      make();
      const inodes = Array.from({ length: files }, (_, index) => statSync(seen(nameOf(index))).ino);
      for (let index = 0; index < files; index += 7) {
        expect(readFileSync(seen(nameOf(index)), 'utf8')).toBe(String(index));
        expect(statSync(seen(nameOf(index))).ino).toBe(inodes[index]);
      }
      expect(readdirSync(seen('3'))).toHaveLength(perFolder);
      const { nodes, nodeDescriptors, evictions } = await volume.status();
      expect(nodes).toBeGreaterThan(files);
      expect(nodeDescriptors).toBeLessThan(300);
      expect(evictions).toBeGreaterThan(files);
    });

    test('keeps those that have lost their names while somebody uses them', async () => {
      make();
      const fd = openSync(seen(nameOf(5)), 'r');
      const folder = openSync(seen('7'), 'r');
      for (let index = 0; index < files; index += 1) statSync(seen(nameOf(index)));
      unlinkSync(seen(nameOf(5)));
      rmSync(seen('7'), { recursive: true });
      for (let index = 0; index < files; index += 1) {
        if (index !== 5 && Math.floor(index / perFolder) !== 7) readFileSync(seen(nameOf(index)));
      }
      const bytes = Buffer.alloc(10);
      expect(readSync(fd, bytes, 0, 10, 0)).toBe(1);
      expect(fstatSync(fd).nlink).toBe(0);
      expect(fstatSync(folder).isDirectory()).toBe(true);
      closeSync(fd);
      closeSync(folder);
      writeFileSync(seen(nameOf(5)), 'another');
      expect(readFileSync(seen(nameOf(5)), 'utf8')).toBe('another');
      expect((await volume.status()).failures).toEqual([]);
    });

    test('knows their paths when they were moved, and their folders', async () => {
      make();
      symlinkSync('elsewhere', seen('3/link'));
      linkSync(seen(nameOf(310)), seen('3/other-name'));
      const rule: TestRule = { path: '^/moved/(file-305|new-name)$', methods: ['open'], errno: 6 };
      await volume.setRules([rule]);
      for (let index = 0; index < files; index += 1) statSync(seen(nameOf(index)));
      renameSync(seen(nameOf(306)), seen('3/new-name'));
      renameSync(seen('3'), seen('moved'));
      for (let index = 1000; index < 2000; index += 1) readFileSync(seen(nameOf(index)));
      expect(readFileSync(seen('moved/file-304'), 'utf8')).toBe('304');
      expect(readFileSync(seen('moved/other-name'), 'utf8')).toBe('310');
      expect(readlinkSync(seen('moved/link'))).toBe('elsewhere');
      expect(() => readFileSync(seen('moved/file-305'))).toThrow('ENXIO');
      expect(() => readFileSync(seen('moved/new-name'))).toThrow('ENXIO');
    });
  },
);
