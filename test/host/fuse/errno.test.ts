import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FuseMethod, fuseMethods } from '../../../src/linux/fuse/methods.ts';
import { bindFunction } from '../../../src/linux/libc.ts';
import { isErrno } from '../../../src/linux/syscall-error.ts';
import { eventually } from '../../support/eventually.ts';
import { tempFolder } from '../../support/cli.ts';
import { cannotServe, type ServedVolume, startVolume } from '../../support/fuse-volume.ts';
import type { TestRule } from '../../support/fuse-rules-interposer.ts';

const interposerModule = path.resolve(import.meta.dirname, '../../support/fuse-rules-interposer.ts');

/** An errno that none of the operations has of its own. */
const ENXIO = 6;

const setxattr = bindFunction('setxattr', 'int', ['string', 'string', 'string', 'size_t', 'int']);
const getxattr = bindFunction('getxattr', 'long', ['string', 'string', 'pointer', 'size_t']);
const listxattr = bindFunction('listxattr', 'long', ['string', 'pointer', 'size_t']);
const removexattr = bindFunction('removexattr', 'int', ['string', 'string']);
const mknod = bindFunction('mknod', 'int', ['string', 'uint', 'ulong']);
const fcntl = bindFunction('fcntl', 'int', ['int', 'int', 'pointer']);
const F_GETLK = 5;
const F_SETLK = 6;
const F_WRLCK = 1;
const S_IFIFO = 0o010000;

function lockFile(fd: number, command: number): void {
  const flock = Buffer.alloc(32);
  flock.writeInt16LE(F_WRLCK, 0);
  fcntl(fd, command, flock);
}

/** Opens before there are rules, acts, and closes whatever happens. */
function withOpen(file: string, flags: string, act: (fd: number) => void): Act {
  const fd = openSync(file, flags);
  return () => {
    try {
      act(fd);
    } finally {
      closeQuietly(fd);
    }
  };
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // The test is about closing.
  }
}

type Act = () => void;

/** What a process does that is asked of us as a method. The first function prepares, and what it returns acts. */
const acts: Partial<Record<FuseMethod, (folder: string) => Act>> = {
  lookup: (folder) => () => statSync(path.join(folder, 'target')),
  getattr: (folder) => withOpen(path.join(folder, 'target'), 'r', () => statSync(path.join(folder, 'target'))),
  setattr: (folder) => () => {
    chmodSync(path.join(folder, 'target'), 0o600);
  },
  readlink: (folder) => () => readlinkSync(path.join(folder, 'target-link')),
  mknod: (folder) => () => mknod(path.join(folder, 'target-new'), S_IFIFO | 0o600, 0),
  mkdir: (folder) => () => mkdirSync(path.join(folder, 'target-new')),
  unlink: (folder) => () => {
    unlinkSync(path.join(folder, 'target'));
  },
  rmdir: (folder) => () => {
    rmdirSync(path.join(folder, 'target-folder'));
  },
  symlink: (folder) => () => {
    symlinkSync('x', path.join(folder, 'target-new'));
  },
  rename: (folder) => () => {
    renameSync(path.join(folder, 'other'), path.join(folder, 'target-new'));
  },
  link: (folder) => () => {
    linkSync(path.join(folder, 'other'), path.join(folder, 'target-new'));
  },
  open: (folder) => () => closeSync(openSync(path.join(folder, 'target'), 'r')),
  // Opened when the rule is there already: the kernel reads and writes by itself what was opened before.
  read: (folder) => () => readFileSync(path.join(folder, 'target')),
  write: (folder) => () => {
    withOpen(path.join(folder, 'target'), 'r+', (fd) => writeSync(fd, 'content'))();
  },
  flush: (folder) => {
    const fd = openSync(path.join(folder, 'target'), 'r');
    return () => {
      closeSync(fd);
    };
  },
  fsync: (folder) =>
    withOpen(path.join(folder, 'target'), 'r+', (fd) => {
      fsyncSync(fd);
    }),
  opendir: (folder) => () => readdirSync(path.join(folder, 'target-folder')),
  readdir: (folder) => () => readdirSync(path.join(folder, 'target-folder')),
  fsyncdir: (folder) =>
    withOpen(path.join(folder, 'target-folder'), 'r', (fd) => {
      fsyncSync(fd);
    }),
  statfs: (folder) => () => statfsSync(path.join(folder, 'target')),
  setxattr: (folder) => () => setxattr(path.join(folder, 'target'), 'user.a', 'value', 5, 0),
  getxattr: (folder) => () => getxattr(path.join(folder, 'target'), 'user.known', Buffer.alloc(10), 10),
  listxattr: (folder) => () => listxattr(path.join(folder, 'target'), Buffer.alloc(100), 100),
  removexattr: (folder) => () => removexattr(path.join(folder, 'target'), 'user.known'),
  create: (folder) => () => closeSync(openSync(path.join(folder, 'target-new'), 'wx')),
  getlk: (folder) =>
    withOpen(path.join(folder, 'target'), 'r+', (fd) => {
      lockFile(fd, F_GETLK);
    }),
  setlk: (folder) =>
    withOpen(path.join(folder, 'target'), 'r+', (fd) => {
      lockFile(fd, F_SETLK);
    }),
};

/** Asked of us when nobody waits for an answer any more. */
const unheard: readonly FuseMethod[] = ['forget', 'release', 'releasedir'];
/** Never asked of us: the kernel checks permissions by itself, and there is no block device. */
const neverAsked: readonly FuseMethod[] = ['access', 'bmap'];

describe.skipIf(cannotServe() !== undefined)('an operation that is to fail', () => {
  let volume: ServedVolume;
  let root = '';
  let folder = '';
  let round = 0;

  beforeAll(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'faultline-errno-'));
    volume = await startVolume({ source: root, mount: root, interposerModule, rules: [] });
  });

  afterAll(async () => {
    await volume.end();
    rmSync(root, { recursive: true });
  });

  beforeEach(async () => {
    await volume.setRules([]);
    round += 1;
    folder = path.join(root, `round-${round}`);
    mkdirSync(folder);
    for (const name of ['target', 'other']) writeFileSync(path.join(folder, name), 'content');
    mkdirSync(path.join(folder, 'target-folder'));
    symlinkSync('target', path.join(folder, 'target-link'));
    setxattr(path.join(folder, 'target'), 'user.known', 'value', 5, 0);
  });

  /** Rules are told apart by where they stand, and each round has its own count. */
  async function disturb(rule: Omit<TestRule, 'path'>): Promise<void> {
    const silent: TestRule = { path: '^/nothing$', methods: [] };
    await volume.setRules([...Array.from({ length: round % 30 }, () => silent), { path: '/target', ...rule }]);
  }

  async function count(): Promise<number> {
    const { counts } = await volume.status();
    return counts[round % 30] ?? 0;
  }

  test('every method is tried here, or cannot be', () => {
    expect([...Object.keys(acts), ...unheard, ...neverAsked].sort()).toEqual([...fuseMethods].sort());
  });

  test.each(Object.entries(acts))('%s', async (method, prepare) => {
    const act = prepare(folder);
    const before = await count();
    await disturb({ methods: [method as FuseMethod], errno: ENXIO });
    let thrown: unknown;
    try {
      act();
    } catch (error) {
      thrown = error;
    }
    expect(isErrno(thrown, 'ENXIO'), String(thrown)).toBe(true);
    // Of a name that it knew the kernel asks once more when the first answer is an error.
    expect([before + 1, ...(method === 'lookup' ? [before + 2] : [])]).toContain(await count());
    // Well again, and without a trace of what has failed.
    await volume.setRules([]);
    expect(readdirSync(folder).sort()).toEqual(['other', 'target', 'target-folder', 'target-link']);
    expect(readFileSync(path.join(folder, 'target'), 'utf8')).toBe('content');
    prepare(folder)();
  });

  test.each(unheard)('%s is told to the interposer, whatever it says', async (method) => {
    const before = await count();
    await disturb({ methods: [method], errno: ENXIO });
    expect(readFileSync(path.join(folder, 'target'), 'utf8')).toBe('content');
    expect(readdirSync(path.join(folder, 'target-folder'))).toEqual([]);
    unlinkSync(path.join(folder, 'target'));
    await eventually(`${method} is told`, async () => (await count()) > before);
  });
});

describe.skipIf(cannotServe() !== undefined)('an interposer with a bug', () => {
  test('disturbs nobody, and the bug is told', async () => {
    const folder = tempFolder();
    writeFileSync(path.join(folder, 'target'), 'content');
    const rules: readonly TestRule[] = [{ path: '^/target$', methods: ['read'], throws: true }];
    const volume = await startVolume({ source: folder, mount: folder, interposerModule, rules });
    expect(readFileSync(path.join(folder, 'target'), 'utf8')).toBe('content');
    const { failures } = await volume.status();
    expect(failures.join()).toContain('the interposer has a bug');
    await expect(volume.end()).rejects.toThrow('ended with 3');
  });
});
