import {
  AT_EMPTY_PATH,
  AT_SYMLINK_NOFOLLOW,
  FALLOC_FL_KEEP_SIZE,
  O_NOATIME,
  O_RDONLY,
  O_RDWR,
  S_IFREG,
  UTIME_NOW,
  UTIME_OMIT,
} from '../../../../support/posix/abi.ts';
import { calls } from '../../../../support/posix/calls.ts';
import { type PosixCase, type Scene, looks, must, mustHave } from '../../../../support/posix/scene.ts';
import { alice, fileWith, moved, statOf, tick } from './common.ts';

/* Times: utimensat(2), statx(2), and which calls move them. */

const second = 1_000_000_000n;

/** What a step does to the three times of a file, and nothing else of them. */
function times({ see }: Scene, path: string, steps: Readonly<Record<string, () => unknown>>): void {
  for (const [name, step] of Object.entries(steps)) {
    tick();
    const before = statOf(path);
    const result = step();
    see(`${name}: its result`, typeof result === 'number' && result >= 0 ? 'ok' : result);
    see(name, moved(before, statOf(path)));
  }
}

export const timeCases: readonly PosixCase[] = [
  {
    name: 'times that move by themselves',
    play: (scene) => {
      const { at } = scene;
      const file = at('file');
      fileWith(file, 'hello');
      const fd = must(calls.open(file, O_RDWR));
      times(scene, file, {
        write: () => calls.pwrite(fd, 'J', 0),
        'write of nothing': () => calls.pwrite(fd, '', 0),
        truncate: () => calls.truncate(file, 3),
        'truncate to its size': () => calls.truncate(file, 3),
        'ftruncate to its size': () => calls.ftruncate(fd, 3),
        fallocate: () => calls.fallocate(fd, 0, 0, 8192),
        'fallocate that keeps the size': () => calls.fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 16_384),
        chmod: () => calls.chmod(file, 0o600),
        chown: () => calls.chown(file, 1, 1),
        setxattr: () => calls.setxattr(file, 'user.a', 'b'),
        removexattr: () => calls.removexattr(file, 'user.a'),
        link: () => calls.link(file, at('other')),
        unlink: () => calls.unlink(at('other')),
        rename: () => calls.rename(file, at('other')) + calls.rename(at('other'), file),
        open: () => calls.close(must(calls.open(file, O_RDWR))),
        stat: () => calls.stat(file) !== 0,
        fsync: () => calls.fsync(fd),
      });
    },
  },
  {
    name: 'times of folders',
    play: (scene) => {
      const { at } = scene;
      must(calls.mkdir(at('folder')));
      must(calls.mkdir(at('other')));
      fileWith(at('outside'), 'x');
      times(scene, at('folder'), {
        create: () => calls.mknod(at('folder/file'), S_IFREG | 0o644),
        mkdir: () => calls.mkdir(at('folder/inner')),
        symlink: () => calls.symlink('x', at('folder/symlink')),
        link: () => calls.link(at('outside'), at('folder/linked')),
        'rename within': () => calls.rename(at('folder/file'), at('folder/renamed')),
        'rename into': () => calls.rename(at('outside'), at('folder/outside')),
        'rename out of': () => calls.rename(at('folder/outside'), at('other/outside')),
        unlink: () => calls.unlink(at('folder/linked')),
        rmdir: () => calls.rmdir(at('folder/inner')),
        'write to a file in it': () => fileWith(at('folder/renamed'), 'y'),
        'chmod of a file in it': () => calls.chmod(at('folder/renamed'), 0o600),
        'rename of itself': () => calls.rename(at('folder'), at('x')) + calls.rename(at('x'), at('folder')),
      });
    },
  },
  {
    name: 'times of access',
    play: (scene) => {
      const { at, see } = scene;
      const file = at('file');
      fileWith(file, 'hello');
      const now = statOf(file).mtime;
      const fd = must(calls.open(file, O_RDONLY));
      const quiet = must(calls.open(file, O_RDONLY | O_NOATIME));
      const old = (): number => calls.utimes(file, now - 100n * second, now - 50n * second);
      must(old());
      times(scene, file, {
        'read without O_NOATIME, twice': () => typeof calls.pread(quiet, 5, 0),
        'read, first': () => typeof calls.pread(fd, 5, 0),
        'read, second': () => typeof calls.pread(fd, 5, 0),
      });
      must(calls.utimes(file, now - 10n * second, now - 50n * second));
      times(scene, file, { 'read, when it was read since it was written': () => typeof calls.pread(fd, 5, 0) });
      must(calls.utimes(file, now - 200_000n * second, now - 300_000n * second));
      times(scene, file, { 'read, after two days': () => typeof calls.pread(fd, 5, 0) });
      must(calls.symlink('file', at('link')));
      must(calls.mkdir(at('folder')));
      must(calls.utimes(at('folder'), 1n, 5n));
      times(scene, at('folder'), { 'a folder is read': () => typeof calls.list(at('folder')) });
      must(calls.utimes(at('link'), 1n, 5n, AT_SYMLINK_NOFOLLOW));
      times(scene, at('link'), { 'a symlink is read': () => typeof calls.readlink(at('link')) });
      see('what was read', calls.pread(fd, 9, 0), 'hello');
    },
  },
  {
    name: 'utimensat',
    play: ({ at, see, peer }) => {
      fileWith(at('file'), 'hello');
      must(calls.symlink('file', at('link')));
      const seen = (path: string): unknown => {
        const { atime, mtime } = statOf(path);
        return [atime, mtime];
      };
      see('to the nanosecond', calls.utimes(at('file'), 1_234_567_890_123_456_789n, 987_654_321_987_654_321n), 0);
      see('is kept', seen(at('file')));
      see('only one', [calls.utimes(at('file'), UTIME_OMIT, 7n), seen(at('file'))]);
      see('the other', [calls.utimes(at('file'), 8n, UTIME_OMIT), seen(at('file'))]);
      see('neither', [calls.utimes(at('file'), UTIME_OMIT, UTIME_OMIT), seen(at('file'))]);
      see('before 1970', [calls.utimes(at('file'), -5n * second + 1n, -1n), seen(at('file'))]);
      see('far ahead', [calls.utimes(at('file'), 2n ** 33n * second, 2n ** 32n * second), seen(at('file'))]);
      see('farther', [calls.utimes(at('file'), 2n ** 40n * second, 2n ** 40n * second), seen(at('file'))]);
      const before = statOf(at('file'));
      see('now', calls.utimes(at('file'), UTIME_NOW, UTIME_NOW), 0);
      see('is about now', Math.abs(Number(statOf(at('file')).mtime / second) - Date.now() / 1000) < 100, true);
      see('both are the same', statOf(at('file')).mtime === statOf(at('file')).atime, true);
      see('the inode is the same', statOf(at('file')).inode === before.inode, true);
      see('of a symlink', [calls.utimes(at('link'), 3n, 4n, AT_SYMLINK_NOFOLLOW), seen(at('link'))]);
      see('not of the file', statOf(at('file')).mtime > 4n, true);
      const fd = must(calls.open(at('file'), O_RDONLY));
      see('by a descriptor', [calls.futimes(fd, 5n, 6n), seen(at('file'))]);
      const another = peer(alice).does;
      see('by somebody else', [another.utimes(at('file'), 1n, 1n), another.touch(at('file'))], ['EPERM', 'EACCES']);
      must(calls.chmod(at('file'), 0o666));
      see('by who may write', another.utimes(at('file'), 1n, 1n), 'EPERM');
      see('to now, by who may write', another.touch(at('file')), 0);
    },
  },
  {
    name: 'statx and the time of birth',
    play: ({ at, see }) => {
      fileWith(at('file'), 'hello');
      const { btime } = statOf(at('file'));
      see('there is one', btime !== undefined);
      tick();
      fileWith(at('file'), 'hello again');
      must(calls.rename(at('file'), at('renamed')));
      see('it stays', statOf(at('renamed')).btime === btime);
      const fd = must(calls.open(at('renamed'), O_RDONLY));
      see('the same by descriptor', mustHave(calls.fstat(fd)).btime === btime);
      see('not after the last change', btime === undefined || btime <= statOf(at('renamed')).mtime, true);
      see('of an empty path', looks(calls.stat('', AT_EMPTY_PATH, fd)));
      see('a flag that is none', calls.stat(at('renamed'), 0x10_0000), 'EINVAL');
      see('size of a block', statOf(at('renamed')).blockSize);
      must(calls.fsync(fd));
      see('blocks', statOf(at('renamed')).blocks);
      see('an inode of its own', statOf(at('renamed')).inode !== statOf(at('.')).inode, true);
      see('one device', statOf(at('renamed')).device === statOf(at('.')).device, true);
    },
  },
];
