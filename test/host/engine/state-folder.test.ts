import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { DatabaseSync } from '@photostructure/sqlite';
import { cli, type Ran, tempFolder, tempStateDir } from '../../support/cli.ts';
import { sleeper, stateOf, stopped } from '../targets/processes.ts';

const isRoot = process.geteuid?.() === 0;

async function refusedAttack(stateDir: string): Promise<Ran> {
  const { pid } = await sleeper('fl-untouched');
  const ran = await cli(['attack', 'process', 'stop', '-p', String(pid)], { stateDir });
  expect(stateOf(pid)).toBe('S');
  expect(ran).toMatchObject({ code: 1, stdout: '' });
  expect(ran.stderr).toMatch(/^Error: .+\[STATE_[A-Z_]+\]\nHint: .+\n/);
  return ran;
}

/** Run a body with a tiny file system mounted on a folder. */
async function onTmpfs(options: string, body: (folder: string) => Promise<void>): Promise<void> {
  const folder = tempFolder();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'faultline-test', folder]);
  expect(mounted.status, String(mounted.stderr)).toBe(0);
  try {
    await body(folder);
  } finally {
    spawnSync('umount', ['-l', folder]);
  }
}

describe('a state folder that cannot be used', () => {
  test.runIf(isRoot)('disk full from the start: refused before any effect', async () => {
    await onTmpfs('size=16k,mode=0700', async (folder) => {
      const { stderr } = await refusedAttack(path.join(folder, 'state'));
      expect(stderr).toContain('STATE_DISK_FULL');
    });
  });

  test.runIf(isRoot)('disk full later: refused before any effect; what is live can still be undone', async () => {
    await onTmpfs('size=1m,mode=0700', async (folder) => {
      const stateDir = path.join(folder, 'state');
      const { pid } = await sleeper('fl-live');
      expect((await cli(['attack', 'process', 'stop', '-p', String(pid), '--uid', 'live'], { stateDir })).code).toBe(0);
      // /dev/zero fills what is left, whatever that is.
      spawnSync('dd', ['if=/dev/zero', `of=${path.join(folder, 'full')}`, 'bs=4k']);
      const { stderr } = await refusedAttack(stateDir);
      expect(stderr).toContain('STATE_DISK_FULL');
      const halted = await cli(['halt'], { stateDir });
      expect(halted.code).toBe(1);
      expect(halted.stderr).toMatch(/1 undone, but new attacks are not held off.*STATE_DISK_FULL/);
      expect(stateOf(pid)).toBe('S');
      await stopped({ pid });
      const recovered = await cli(['recover', 'live'], { stateDir });
      expect(recovered.code).toBe(1);
      expect(recovered.stderr).toContain('STATE_DISK_FULL');
      expect(stateOf(pid)).toBe('S');
      spawnSync('rm', [path.join(folder, 'full')]);
      expect(await cli(['recover', 'live'], { stateDir })).toMatchObject({ code: 0 });
      expect(stateOf(pid)).toBe('S');
    });
  });

  test.runIf(isRoot)('read-only file system: refused', async () => {
    await onTmpfs('ro,mode=0700', async (folder) => {
      expect((await refusedAttack(path.join(folder, 'state'))).stderr).toContain('STATE_UNWRITABLE');
    });
  });

  test.skipIf(isRoot)('read-only folder: refused', async () => {
    const folder = tempFolder();
    chmodSync(folder, 0o500);
    expect((await refusedAttack(path.join(folder, 'state'))).stderr).toContain('STATE_UNWRITABLE');
    chmodSync(folder, 0o700);
  });

  test('a file in its place: refused', async () => {
    const file = path.join(tempFolder(), 'file');
    writeFileSync(file, '');
    expect((await refusedAttack(file)).stderr).toContain('STATE_UNWRITABLE');
  });

  test('others can write it: refused, with the remedy', async () => {
    const folder = path.join(tempFolder(), 'state');
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    const { stderr } = await refusedAttack(folder);
    expect(stderr).toContain('STATE_DIR_UNSAFE');
    expect(stderr).toContain('chmod go-w');
  });

  test.runIf(isRoot)('root does not act on the journal of a user', async () => {
    const folder = path.join(tempFolder(), 'state');
    mkdirSync(folder);
    chownSync(folder, 65_534, 65_534);
    expect((await refusedAttack(folder)).stderr).toContain('STATE_DIR_UNSAFE');
  });
});

describe('a journal that cannot be read is never overwritten', () => {
  const damage: readonly (readonly [string, (file: string) => void, string])[] = [
    ['empty', (file) => writeFileSync(file, ''), 'STATE_DAMAGED'],
    ['text', (file) => writeFileSync(file, 'this is no database '.repeat(500)), 'STATE_DAMAGED'],
    ['cut off', (file) => writeFileSync(file, readFileSync(file).subarray(0, 5000)), 'STATE_DAMAGED'],
    [
      'newer',
      (file) => {
        const db = new DatabaseSync(file);
        db.exec('PRAGMA user_version = 99');
        db.close();
      },
      'STATE_NEWER',
    ],
    [
      'foreign',
      (file) => {
        const db = new DatabaseSync(file);
        db.exec('PRAGMA application_id = 1');
        db.close();
      },
      'STATE_FOREIGN',
    ],
  ];

  test.each(damage)('%s', async (_what, spoil, code) => {
    const stateDir = tempStateDir();
    const file = path.join(stateDir, 'faultline.db');
    expect((await cli(['halt', '--status'], { stateDir })).code).toBe(0);
    spoil(file);
    chmodSync(file, 0o600);
    const before = readFileSync(file);
    expect((await refusedAttack(stateDir)).stderr).toContain(code);
    for (const command of [['recover', '--all'], ['search'], ['show', 'x'], ['halt']]) {
      expect((await cli(command, { stateDir })).stderr).toContain(code);
    }
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});
