import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
  fsyncSync,
  mkdirSync,
} from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bindFunction } from '../../../src/linux/libc.ts';
import { eventually } from '../../support/eventually.ts';
import { tempFolder } from '../../support/cli.ts';
import { cannotServe, type ServedVolume, startVolume } from '../../support/fuse-volume.ts';
import type { TestRule } from '../../support/fuse-rules-interposer.ts';

const interposerModule = path.resolve(import.meta.dirname, '../../support/fuse-rules-interposer.ts');
const hourMs = 3_600_000;
const pwrite = bindFunction('pwrite', 'long', ['int', 'pointer', 'size_t', 'long']);

/** A file that stayed open would keep the volume from ending. */
function withFile(file: string, flags: string, act: (fd: number) => void): void {
  const fd = openSync(file, flags);
  try {
    act(fd);
  } finally {
    closeSync(fd);
  }
}

async function exitOf(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** The kernel reads and writes what no rule is about by itself, or has us do it. */
const ways = [
  ['with passthrough', true],
  ['without passthrough', false],
] as const;

describe.skipIf(cannotServe() !== undefined).each(ways)('a disturbed volume %s', (_, passthrough) => {
  let volume: ServedVolume;
  /** The folder below, which stays in sight. */
  let below = '';
  let mount = '';
  const children: ChildProcess[] = [];

  const seen = (name: string): string => path.join(mount, name);
  const real = (name: string): string => path.join(below, name);

  async function disturb(...rules: readonly TestRule[]): Promise<void> {
    await volume.setRules(rules);
  }

  async function count(rule: number): Promise<number> {
    const { counts } = await volume.status();
    return counts[rule] ?? 0;
  }

  function run(command: string, ...args: readonly string[]): ChildProcess {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    children.push(child);
    return child;
  }

  beforeEach(async () => {
    below = tempFolder();
    mount = tempFolder();
    writeFileSync(real('target'), 'the content');
    writeFileSync(real('other'), 'something else');
    volume = await startVolume({ source: below, mount, interposerModule, rules: [], passthrough, cacheMs: 60_000 });
  });

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await volume.end();
  });

  test('a delay holds up those whom it is for, and nobody else', async () => {
    await disturb({ path: '^/target$', methods: ['read'], delayMs: hourMs });
    const waiting = Array.from({ length: 8 }, () => run('cat', seen('target')));
    await eventually('all of them wait', async () => (await volume.status()).delayed === waiting.length);
    for (let round = 0; round < 100; round += 1) expect(readFileSync(seen('other'), 'utf8')).toBe('something else');
    expect(waiting.map(({ exitCode }) => exitCode)).toEqual(waiting.map(() => null));
  });

  test('a short delay is as long as it says', async () => {
    await disturb({ path: '^/target$', methods: ['read'], delayMs: 30 });
    withFile(seen('target'), 'r', (fd) => {
      const began = performance.now();
      for (let round = 0; round < 5; round += 1) readSync(fd, Buffer.alloc(4), 0, 4, 0);
      expect(performance.now() - began).toBeGreaterThanOrEqual(5 * 30);
    });
  });

  test('whoever is interrupted waits no longer', async () => {
    await disturb({ path: '^/target$', methods: ['open'], delayMs: hourMs });
    const waiting = Array.from({ length: 8 }, () => run('cat', seen('target')));
    await eventually('all of them wait', async () => (await volume.status()).delayed === waiting.length);
    for (const child of waiting) child.kill('SIGTERM');
    await Promise.all(waiting.map(exitOf));
    expect(waiting.map(({ signalCode }) => signalCode)).toEqual(waiting.map(() => 'SIGTERM'));
    await eventually('nothing waits', async () => (await volume.status()).delayed === 0);
  });

  test('the end lets go what waits, and who has a file open goes on', async () => {
    await disturb({ path: '^/target$', methods: ['read', 'getattr'], delayMs: hourMs });
    const waiting = run('cat', seen('target'));
    const reader = run('tail', '-f', seen('other'));
    const [first] = (await once(reader.stdout ?? reader, 'data')) as [Buffer];
    expect(first.toString()).toBe('something else');
    await eventually('it waits', async () => (await volume.status()).delayed === 1);
    const output = once(waiting.stdout ?? waiting, 'data');
    await volume.withdraw();
    expect(String((await output)[0])).toBe('the content');
    expect(readdirSync(mount)).toEqual([]);
    appendFileSync(real('other'), ', and more');
    const [second] = (await once(reader.stdout ?? reader, 'data')) as [Buffer];
    expect(second.toString()).toBe(', and more');
    reader.kill('SIGTERM');
    await once(reader, 'exit');
  });

  test('fewer bytes are read and written than were asked for', async () => {
    await disturb({ path: '^/target$', methods: ['read', 'write'], maxBytes: 3 });
    const bytes = Buffer.alloc(20);
    withFile(seen('target'), 'r+', (fd) => {
      expect(readSync(fd, bytes, 0, 20, 0)).toBe(3);
      expect(bytes.toString('utf8', 0, 4)).toBe('the\0');
      // writeSync would go on until all is written.
      expect(pwrite(fd, Buffer.from('THESE'), 5, 0)).toBe(3);
    });
    expect(readFileSync(real('target'), 'utf8')).toBe('THE content');
  });

  test('other bytes are read than are there', async () => {
    await disturb({ path: '^/target$', methods: ['read'], fill: 0x78 });
    expect(readFileSync(seen('target'), 'utf8')).toBe('x'.repeat(11));
    expect(readFileSync(seen('other'), 'utf8')).toBe('something else');
    expect(readFileSync(real('target'), 'utf8')).toBe('the content');
    copyFileSync(seen('target'), seen('copy'));
    expect(readFileSync(real('copy'), 'utf8')).toBe('x'.repeat(11));
  });

  test('other bytes are written than were given', async () => {
    await disturb({ path: '^/(target|new)$', methods: ['write'], fill: 0x78 });
    writeFileSync(seen('new'), 'abc');
    copyFileSync(seen('other'), seen('target'));
    expect(readFileSync(real('new'), 'utf8')).toBe('xxx');
    expect(readFileSync(real('target'), 'utf8')).toBe('x'.repeat(14));
  });

  test('other attributes are shown than a file has, however it is asked', async () => {
    const known = statSync(seen('target'));
    const all: TestRule['methods'] = ['lookup', 'getattr', 'setattr', 'create'];
    await disturb({ path: '^/(target|new)$', methods: all, size: 7_000_000_000, mode: 0o751, uid: 77, mtime: -5 });
    // The kernel was told otherwise, and believes it for a minute where it may.
    const shown = statSync(seen('target'));
    expect(shown).toMatchObject({ size: 7_000_000_000, uid: 77, ino: known.ino });
    expect([shown.mode & 0o7777, shown.mtimeMs]).toEqual([0o751, -5000]);
    readdirSync(mount, { withFileTypes: true });
    expect(statSync(seen('target')).size).toBe(7_000_000_000);
    withFile(seen('new'), 'wx', (fd) => {
      expect(fstatSync(fd).size).toBe(7_000_000_000);
    });
    expect(statSync(seen('other'))).toMatchObject({ size: 14, uid: 0 });
    expect(statSync(real('target'))).toMatchObject({ size: 11, uid: 0 });
    await disturb();
    expect(statSync(seen('target'))).toMatchObject({ size: 11, uid: 0 });
  });

  test('each read of a file is seen, also of one that could be cached', async () => {
    readFileSync(seen('target'));
    await disturb({ path: '^/target$', methods: ['read'] });
    withFile(seen('target'), 'r', (fd) => {
      for (let round = 0; round < 50; round += 1) readSync(fd, Buffer.alloc(4), 0, 4, 0);
    });
    expect(await count(0)).toBe(50);
  });

  test('an interposer reads, writes and syncs by itself', async () => {
    await disturb(
      { path: '^/target$', methods: ['read'], performs: true },
      { path: '^/target$', methods: ['write'], performs: true },
      { path: '^/target$', methods: ['fsync'], performs: true },
    );
    expect(readFileSync(seen('target'), 'utf8')).toBe('tnetnoc eht');
    withFile(seen('target'), 'r+', (fd) => {
      expect(writeSync(fd, '123', 0)).toBe(3);
      expect(() => {
        fsyncSync(fd);
      }).toThrow('EIO');
    });
    expect(readFileSync(real('target'), 'utf8')).toBe('321 content');
  });

  test('a rule follows the names of files, and of the folders that they are in', async () => {
    mkdirSync(seen('folder'));
    writeFileSync(seen('folder/file'), 'inside');
    await disturb({ path: '^/(moved/file|taken)$', methods: ['read'], fill: 0x78 });
    expect(readFileSync(seen('folder/file'), 'utf8')).toBe('inside');
    renameSync(seen('folder'), seen('moved'));
    expect(readFileSync(seen('moved/file'), 'utf8')).toBe('xxxxxx');
    renameSync(seen('moved/file'), seen('moved/away'));
    expect(readFileSync(seen('moved/away'), 'utf8')).toBe('inside');
    renameSync(seen('target'), seen('taken'));
    expect(readFileSync(seen('taken'), 'utf8')).toBe('x'.repeat(11));
  });
});
