import { spawnSync } from 'node:child_process';
import { O_APPEND, O_CREAT, O_WRONLY, S_IFREG } from './abi.ts';
import { calls } from './calls.ts';
import { notedDescriptors } from './kernel.ts';

/*
 * What a peer can do: every system call, and a few things that are many of them.
 */

const longer = {
  /**
   * Make and remove files of that prefix, some at a time, until a file of that name exists. Another, with `-begun` at
   * its end, tells that it has begun.
   *
   * @returns rounds
   */
  churn: (folder: string, prefix: string, stopFile: string): number => {
    let rounds = 0;
    while (calls.access(stopFile, 0) < 0) {
      const names = Array.from({ length: 40 }, (_, index) => `${folder}/${prefix}${rounds % 7}-${index}`);
      for (const name of names) calls.mknod(name, S_IFREG | 0o644);
      for (const name of names) calls.unlink(name);
      rounds++;
      if (rounds === 1) calls.mknod(`${stopFile}-begun`, S_IFREG | 0o644);
    }
    return rounds;
  },
  /** Append records of one letter, each ended by a newline. @returns how many were not written whole */
  appendRecords: (path: string, letter: string, count: number, size: number): number => {
    const fd = calls.open(path, O_WRONLY | O_APPEND | O_CREAT);
    const record = `${letter.repeat(size - 1)}\n`;
    let failed = 0;
    for (let index = 0; index < count; index++) {
      if (calls.write(fd, record) !== size) failed++;
    }
    calls.close(fd);
    return failed;
  },
  /** @returns its exit code, or the name of an errno */
  run: (file: string, args: readonly string[]): { readonly code: number | string; readonly stdout: string } => {
    const { status, stdout, error } = spawnSync(file, args, { encoding: 'utf8', cwd: '/' });
    const output = stdout as string | null; // there is none where nothing was started
    const failure = error !== undefined && 'code' in error ? String(error.code) : 'killed';
    return { code: status ?? failure, stdout: output ?? '' };
  },
  /** As it was when it began, but for these descriptors. */
  reset: (kept: readonly number[]): void => {
    for (const fd of notedDescriptors()) {
      if (!kept.includes(fd)) calls.close(fd);
    }
    calls.chdir('/');
    calls.umask(0o022);
  },
};

export const deeds = Object.freeze({ ...calls, ...longer });

export type Deeds = typeof deeds;
