import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { bindFunction } from '../../../src/linux/libc.ts';
import { isErrno } from '../../../src/linux/syscall-error.ts';
import { calls } from './calls.ts';

/* File systems to test on, in temporary folders; for root only. */

export type FileSystem = 'tmpfs' | 'ext4' | 'overlayfs';

/** A folder on such a file system. */
export interface Ground {
  readonly fileSystem: FileSystem;
  readonly folder: string;
  /** Unmounts and removes it all. */
  remove(): void;
}

const mount = bindFunction('mount', 'int', ['string', 'string', 'string', 'ulong', 'string']);
const umount2 = bindFunction('umount2', 'int', ['string', 'int']);
const MNT_FORCE = 1;
const MNT_DETACH = 2;

/** include/uapi/linux/magic.h */
const EXT4_SUPER_MAGIC = 0xef53;

export function mountTmpfs(folder: string, options: string): void {
  mount('tmpfs', folder, 'tmpfs', 0, options);
}

/** Take a mount away if there is one; files that are open in it stay. */
export function unmount(folder: string): void {
  try {
    umount2(folder, MNT_DETACH);
  } catch (error) {
    if (!isErrno(error, 'EINVAL', 'ENOENT')) throw error;
  }
}

/** Take a FUSE mount away and have all fail that waits for it: fuse_umount_begin in fs/fuse/inode.c. */
export function abortMount(folder: string): void {
  try {
    umount2(folder, MNT_FORCE | MNT_DETACH);
  } catch (error) {
    if (!isErrno(error, 'EINVAL', 'ENOENT')) throw error;
  }
}

function isExt4(folder: string): boolean {
  const numbers = calls.statfs(folder);
  return typeof numbers !== 'number' && numbers.type === EXT4_SUPER_MAGIC;
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(`${command} failed: ${stderr}`);
}

/** On a loop device, where the temporary folder is on something else. */
function ext4Image(folder: string): () => void {
  const image = `${folder}.img`;
  calls.close(calls.open(image, 0o102, 0o600));
  calls.truncate(image, 2 ** 31);
  try {
    run('mkfs.ext4', ['-q', '-F', image]);
    run('mount', ['-o', 'loop', image, folder]);
  } catch (error) {
    rmSync(image, { force: true });
    throw error;
  }
  return () => {
    unmount(folder);
    rmSync(image, { force: true });
  };
}

/** Above a tmpfs. Files have no handles there that could be opened. */
function overlay(folder: string): () => void {
  const base = `${folder}.layers`;
  mkdirSync(base);
  mountTmpfs(base, 'size=2g,mode=755');
  const [lower, upper, work] = ['lower', 'upper', 'work'].map((name) => path.join(base, name));
  for (const name of [lower, upper, work]) mkdirSync(String(name));
  mount('overlay', folder, 'overlay', 0, `lowerdir=${lower},upperdir=${upper},workdir=${work}`);
  return () => {
    unmount(folder);
    unmount(base);
    rmSync(base, { recursive: true, force: true });
  };
}

interface Preparation {
  /** Puts the file system at a new folder. @returns what takes it away */
  readonly prepare: (folder: string) => () => void;
  /** Why it cannot be had here; undefined when it can. */
  readonly lacks: () => string | undefined;
}

const preparations: Readonly<Record<FileSystem, Preparation>> = {
  tmpfs: {
    prepare: (folder) => {
      mountTmpfs(folder, 'size=2g,mode=755');
      return () => unmount(folder);
    },
    lacks: () => undefined,
  },
  ext4: {
    prepare: (folder) => (isExt4(folder) ? () => {} : ext4Image(folder)),
    lacks: () => {
      if (isExt4(tmpdir())) return undefined;
      const hasTools = spawnSync('mkfs.ext4', ['-V']).status === 0 && existsSync('/dev/loop-control');
      return hasTools ? undefined : 'temporary folders are not on ext4, and there is no mkfs.ext4 or no loop device';
    },
  },
  overlayfs: {
    prepare: overlay,
    lacks: () =>
      readFileSync('/proc/filesystems', 'utf8').includes('overlay') ? undefined : 'the kernel has no overlayfs',
  },
};

/** Why there is no such file system to test on; undefined when there is. */
export function cannotPrepare(fileSystem: FileSystem): string | undefined {
  return preparations[fileSystem].lacks();
}

export function prepareGround(fileSystem: FileSystem): Ground {
  const folder = mkdtempSync(path.join(tmpdir(), `faultline-${fileSystem}-`));
  const detach = preparations[fileSystem].prepare(folder);
  chmodSync(folder, 0o755); // for other users
  return {
    fileSystem,
    folder,
    remove: () => {
      detach();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
