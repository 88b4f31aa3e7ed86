import { O_DIRECTORY, O_RDONLY, SEEK_CUR, SEEK_SET, S_IFIFO, S_IFREG } from '../../../../support/posix/abi.ts';
import { calls } from '../../../../support/posix/calls.ts';
import { type PosixCase, must } from '../../../../support/posix/scene.ts';
import type { Entry } from '../../../../support/posix/structs.ts';
import { sleepMs } from '../../../../support/posix/wait.ts';
import { fileWith, statOf } from './common.ts';

/* Reading folders: getdents64(2), seekdir(3), telldir(3). */

const crowd = 20_000;

function batch(fd: number, size: number): readonly Entry[] {
  const entries = calls.entries(fd, size);
  if (typeof entries === 'number') throw new Error(`getdents64: errno ${-entries}`);
  return entries;
}

function names(entries: readonly Entry[]): string[] {
  return entries.map(({ name }) => name);
}

/** Every entry as often as it is told, in pieces of that many bytes. */
function readAll(fd: number, size: number, between: (read: number) => void = () => {}): string[] {
  const all: string[] = [];
  for (let some = batch(fd, size); some.length > 0; some = batch(fd, size)) {
    for (const { name } of some) all.push(name);
    between(all.length);
  }
  return all.filter((name) => name !== '.' && name !== '..');
}

/** What of `wanted` is not told exactly once. */
function wrong(told: readonly string[], wanted: readonly string[]): readonly string[] {
  const times = new Map<string, number>();
  for (const name of told) times.set(name, (times.get(name) ?? 0) + 1);
  return wanted.filter((name) => times.get(name) !== 1).map((name) => `${name}: ${times.get(name) ?? 0} times`);
}

export const directoryCases: readonly PosixCase[] = [
  {
    name: 'entries of a folder',
    play: ({ at, folder, see }) => {
      fileWith(at('file'), 'x');
      must(calls.mkdir(at('folder')));
      must(calls.symlink('file', at('link')));
      must(calls.mknod(at('fifo'), S_IFIFO | 0o600));
      must(calls.link(at('file'), at('same')));
      const fd = must(calls.open(folder, O_RDONLY | O_DIRECTORY));
      const entries = batch(fd, 32_768);
      see('their types', entries.map(({ name, type }) => `${name} ${type}`).toSorted());
      see(
        'inodes that stat tells otherwise',
        entries.filter(({ name, inode }) => inode !== statOf(at(name)).inode).map(({ name }) => name),
        [],
      );
      see('at the end', batch(fd, 32_768), []);
      fileWith(at('later'), 'x');
      see('from the beginning again', calls.lseek(fd, 0, SEEK_SET), 0);
      see('with a new one', names(batch(fd, 32_768)).toSorted());
      see('into too little', calls.entries(must(calls.open(folder, O_RDONLY)), 10), 'EINVAL');
      see('of a file', calls.entries(must(calls.open(at('file'), O_RDONLY))), 'ENOTDIR');
      see('of an empty folder', names(batch(must(calls.open(at('folder'), O_RDONLY)), 1000)).toSorted(), ['.', '..']);
    },
  },
  {
    name: 'seekdir and telldir',
    play: ({ at, folder, see }) => {
      const wanted = Array.from({ length: 500 }, (_, index) => `entry-number-${index}`);
      for (const name of wanted) must(calls.mknod(at(name), S_IFREG | 0o644));
      const fd = must(calls.open(folder, O_RDONLY | O_DIRECTORY));
      const first = batch(fd, 2000);
      const position = calls.lseek(fd, 0, SEEK_CUR);
      see('the position is that of the last entry', BigInt(position) === first.at(-1)?.next, true);
      const following = names(batch(fd, 2000));
      see('back there', calls.lseek(fd, position, SEEK_SET) === position, true);
      see('the same entries', names(batch(fd, 2000)).join() === following.join(), true);
      const middle = first[Math.floor(first.length / 2)];
      must(calls.lseek(fd, middle?.next ?? 0n, SEEK_SET));
      const after = names(first).slice(Math.floor(first.length / 2) + 1);
      see('from the middle', names(batch(fd, 4000)).slice(0, after.length).join() === after.join(), true);
      const other = must(calls.open(folder, O_RDONLY | O_DIRECTORY));
      must(calls.lseek(other, position, SEEK_SET));
      see('by a descriptor of its own', names(batch(other, 2000)).join() === following.join(), true);
      for (const size of [300, 1000, 4096, 100_000]) {
        must(calls.lseek(fd, 0, SEEK_SET));
        see(`in pieces of ${size} bytes`, wrong(readAll(fd, size), wanted), []);
      }
    },
  },
  {
    name: 'a folder that is emptied while it is read',
    play: ({ at, folder, see }) => {
      const wanted = Array.from({ length: 2000 }, (_, index) => `entry-${index}`);
      for (const name of wanted) must(calls.mknod(at(name), S_IFREG | 0o644));
      const fd = must(calls.open(folder, O_RDONLY | O_DIRECTORY));
      const told: string[] = [];
      for (let some = batch(fd, 4096); some.length > 0; some = batch(fd, 4096)) {
        for (const { name } of some) {
          if (name === '.' || name === '..') continue;
          told.push(name);
          must(calls.unlink(at(name)));
        }
      }
      see('not told exactly once', wrong(told, wanted), []);
      see('what is left', calls.list(folder), []);
    },
  },
  {
    name: '20,000 entries, while others come and go',
    play: ({ at, folder, see, peer }) => {
      const wanted = Array.from({ length: crowd }, (_, index) => `stays-${index}`);
      for (const name of wanted) must(calls.mknod(at(name), S_IFREG | 0o644));
      const stop = at('../small/stop');
      const churning = peer().begin('churn', folder, 'passing-', stop);
      while (calls.access(`${stop}-begun`, 0) < 0) sleepMs(1);
      for (const size of [32_768, 5000]) {
        const fd = must(calls.open(folder, O_RDONLY | O_DIRECTORY));
        const told = readAll(fd, size);
        see(
          `in pieces of ${size} bytes, not told exactly once`,
          wrong(
            told.filter((name) => name.startsWith('stays-')),
            wanted,
          ),
          [],
        );
        see(
          `in pieces of ${size} bytes, strangers`,
          told.filter((name) => !/^(?:stays|passing)-/u.test(name)),
          [],
        );
        calls.close(fd);
      }
      fileWith(stop, '');
      see('rounds of coming and going', (churning.result() as number) > 0, true);
      see('the marks', [calls.unlink(stop), calls.unlink(`${stop}-begun`)], [0, 0]);
      const fd = must(calls.open(folder, O_RDONLY | O_DIRECTORY));
      see('when it is quiet', wrong(readAll(fd, 32_768), wanted), []);
      must(calls.lseek(fd, 0, SEEK_SET));
      see('how many', readAll(fd, 32_768).length, crowd);
      for (const name of wanted.slice(0, crowd / 2)) must(calls.unlink(at(name)));
      must(calls.lseek(fd, 0, SEEK_SET));
      see('half of them', wrong(readAll(fd, 32_768), wanted.slice(crowd / 2)), []);
    },
  },
];
