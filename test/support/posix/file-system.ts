import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { bindFunction } from '../../../src/linux/libc.ts';
import { isErrno } from '../../../src/linux/syscall-error.ts';
import { calls } from './calls.ts';

/* File systems to test on, in temporary folders; for root only. */

export type FileSystem = 'tmpfs' | 'ext4';

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

function tmpfsGround(): Ground {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-tmpfs-'));
  mountTmpfs(folder, 'size=2g,mode=755');
  return {
    fileSystem: 'tmpfs',
    folder,
    remove: () => {
      unmount(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
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

function ext4Ground(): Ground {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-ext4-'));
  const detach = isExt4(folder) ? () => {} : ext4Image(folder);
  chmodSync(folder, 0o755); // for other users
  return {
    fileSystem: 'ext4',
    folder,
    remove: () => {
      detach();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** @throws Error where it cannot be had, as ext4 in a container without loop devices */
export function prepareGround(fileSystem: FileSystem): Ground {
  return fileSystem === 'tmpfs' ? tmpfsGround() : ext4Ground();
}
