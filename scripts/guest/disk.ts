import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { toolPath } from './required-tools.ts';

const diskBytes = 64 * 1024 * 1024;

/**
 * An empty ext4 file system in a sparse file. All of it is written now, so that the kernel does not write to it by
 * itself later, among what a test watches.
 *
 * @throws Error mkfs.ext4 (e2fsprogs) is missing or fails
 */
export function makeDisk(file: string): void {
  writeFileSync(file, '');
  truncateSync(file, diskBytes);
  execFileSync('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', file], {
    env: { ...process.env, PATH: toolPath },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}
