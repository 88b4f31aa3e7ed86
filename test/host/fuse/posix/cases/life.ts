import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  O_CREAT,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  POLLIN,
  POLLOUT,
  S_IFREG,
} from '../../../../support/posix/abi.ts';
import { calls } from '../../../../support/posix/calls.ts';
import { type PosixCase, looks, must } from '../../../../support/posix/scene.ts';
import { decodeNotices } from '../../../../support/posix/structs.ts';
import { fileOf, fileWith, folderOf, statOf, textOf } from './common.ts';

/* Files that have no name any more, files that run, and who is told of them: unlink(2), execve(2), inotify(7). */

const root = { uid: 0, gid: 0 };

function copyOf(program: string, path: string): void {
  fileOf(root, path, 0o755, '');
  const from = must(calls.open(program, O_RDONLY));
  const to = must(calls.open(path, O_WRONLY));
  while (must(calls.sendfile(to, from, undefined, 1 << 20)) > 0);
  calls.close(to);
  calls.close(from);
}

const noticeNames = [
  'access modify attrib close-write close-nowrite open moved-from moved-to',
  'create delete delete-self move-self',
]
  .join(' ')
  .split(' ');

/** What has been told since, as `create file`. */
function noticesOf(inotify: number): readonly string[] {
  const bytes = calls.read(inotify, 65_536);
  if (typeof bytes === 'number') return [];
  return decodeNotices(bytes).map(({ mask, name }) => {
    const what = noticeNames.filter((_, bit) => (mask & (1 << bit)) !== 0).join('+') || `0x${mask.toString(16)}`;
    return `${what} ${name}`.trim();
  });
}

const namelessCases: readonly PosixCase[] = [
  {
    name: 'a file that is unlinked while it is open',
    play: ({ at, folder, see, went, peer }) => {
      fileWith(at('file'), 'hello');
      const fd = must(calls.open(at('file'), O_RDWR));
      const { does } = peer();
      const theirs = must(does.open(at('file'), O_RDWR));
      const { inode } = statOf(at('file'));
      see('unlinked', calls.unlink(at('file')), 0);
      see('its attributes', looks(calls.fstat(fd)));
      see('read', calls.pread(fd, 10, 0), 'hello');
      see('written', [calls.pwrite(fd, 'J', 0), calls.pread(fd, 10, 0)], [1, 'Jello']);
      see('seen by another process', [does.pread(theirs, 10, 0), looks(does.fstat(theirs))]);
      see('cut', [calls.ftruncate(fd, 2), looks(does.fstat(theirs))]);
      see('mode', [calls.fchmod(fd, 0o600), looks(calls.fstat(fd))]);
      see('owner', [calls.fchown(fd, 1, 2), looks(calls.fstat(fd))]);
      see('times', [calls.futimes(fd, 3n, 4n), (calls.fstat(fd) as { mtime: bigint }).mtime]);
      see('attributes', [calls.fsetxattr(fd, 'user.a', 'b'), calls.fgetxattr(fd, 'user.a')], [0, 'b']);
      see('synced', calls.fsync(fd), 0);
      went('opened by /proc', calls.open(`/proc/self/fd/${fd}`, O_RDWR), 'ok');
      see('by name', looks(calls.stat(at('file'))), 'ENOENT');
      went('given a name again', calls.linkAt(fd, '', AT_FDCWD, at('again'), AT_EMPTY_PATH), 'ENOENT');
      fileWith(at('file'), 'another');
      see('another of that name', [textOf(at('file')), calls.pread(fd, 10, 0)], ['another', 'Je']);
      see('has an inode of its own', statOf(at('file')).inode !== inode, true);
      see('closed', [calls.close(fd), does.pread(theirs, 10, 0), does.close(theirs)], [0, 'Je', 0]);
      see('what is left', calls.list(folder), ['file']);
    },
  },
  {
    name: 'the same name, again and again',
    play: ({ at, see }) => {
      const held: number[] = [];
      for (let round = 0; round < 200; round++) {
        const fd = must(calls.open(at('file'), O_RDWR | O_CREAT | O_TRUNC));
        must(calls.write(fd, `round ${round}`));
        if (round % 10 === 0) held.push(fd);
        else calls.close(fd);
        if (round % 3 === 0) must(calls.rename(at('file'), at(`other-${round % 4}`)));
        else must(calls.unlink(at('file')));
      }
      see(
        'all that is held',
        held.map((fd) => String(calls.pread(fd, 100, 0))),
        held.map((_, index) => `round ${index * 10}`),
      );
      see('what has a name', (calls.list(at('.')) as string[]).toSorted());
      see('and what is in it', textOf(at('other-3')));
    },
  },
  {
    name: 'a file that becomes a folder, and a folder a file',
    play: ({ at, see, peer }) => {
      const { does } = peer();
      fileWith(at('name'), 'file');
      see('seen by another', looks(does.stat(at('name'))));
      must(calls.unlink(at('name')));
      must(calls.mkdir(at('name')));
      see('a folder', [looks(does.stat(at('name'))), does.list(at('name'))]);
      must(calls.rmdir(at('name')));
      must(calls.symlink('elsewhere', at('name')));
      see('a symlink', [looks(does.lstat(at('name'))), does.readlink(at('name'))]);
      must(calls.unlink(at('name')));
      see('nothing', looks(does.lstat(at('name'))), 'ENOENT');
      must(calls.mknod(at('name'), S_IFREG | 0o600));
      see('a file', looks(does.stat(at('name'))));
    },
  },
];

const programCases: readonly PosixCase[] = [
  {
    name: 'programs',
    play: ({ at, see, peer, went }) => {
      const { does } = peer();
      copyOf('/bin/echo', at('echo'));
      see('run', does.run(at('echo'), ['hello']), { code: 0, stdout: 'hello\n' });
      fileWith(at('script'), `#!${at('echo')} first\n`, 0o755);
      const { code, stdout } = does.run(at('script'), ['last']);
      see('a script', [code, stdout.startsWith('first '), stdout.endsWith(' last\n')], [0, true, true]);
      must(calls.chmod(at('script'), 0o644));
      see('not to be run', does.run(at('script'), []).code, 'EACCES');
      see('a folder', does.run(at('.'), []).code, 'EACCES');
      const writer = must(calls.open(at('echo'), O_WRONLY));
      see('that is open for writing', does.run(at('echo'), ['x']).code);
      calls.close(writer);
      see('and not any more', does.run(at('echo'), ['x']).code, 0);
      copyOf('/bin/sleep', at('sleep'));
      const sleeper = peer({ ...root, name: 'sleeper' });
      const running = sleeper.begin('run', at('sleep'), ['60']);
      while (calls.readlink(`/proc/${childOf(sleeper.pid)}/exe`) !== at('sleep')) calls.stat('/');
      went('opened for writing while it runs', calls.open(at('sleep'), O_WRONLY), 'ETXTBSY');
      see('truncated while it runs', calls.truncate(at('sleep'), 0), 'ETXTBSY');
      went('opened for reading', calls.open(at('sleep'), O_RDONLY), 'ok');
      see('unlinked while it runs', calls.unlink(at('sleep')), 0);
      process.kill(childOf(sleeper.pid), 'SIGKILL');
      see('its end', running.result(), { code: 'killed', stdout: '' });
    },
  },
];

/** The first child of a process, once it has one; 0 before. */
function childOf(pid: number): number {
  const children = textOf(`/proc/${pid}/task/${pid}/children`);
  return typeof children === 'number' ? 0 : Number.parseInt(children.toString(), 10) || 0;
}

const watcherCases: readonly PosixCase[] = [
  {
    name: 'inotify',
    play: ({ at, folder, see, peer }) => {
      const inotify = must(calls.inotify(O_NONBLOCK));
      folderOf(root, at('folder'), 0o755);
      must(calls.watch(inotify, at('folder'), 0x3df));
      const { does } = peer();
      const file = at('folder/file');
      const told = (what: string, deed: () => unknown): void => {
        must(Number(deed()));
        see(what, noticesOf(inotify));
      };
      told('create', () => does.close(must(does.open(file, O_CREAT | O_RDWR))));
      const fd = must(does.open(file, O_RDWR));
      told('write', () => does.pwrite(fd, 'hello', 0));
      told('truncate', () => does.ftruncate(fd, 2));
      told('read', () => typeof does.pread(fd, 2, 0) === 'number' && 0);
      told('chmod', () => does.fchmod(fd, 0o600));
      told('utimes', () => does.utimes(file, 1n, 1n));
      told('setxattr', () => does.setxattr(file, 'user.a', 'b'));
      told('close', () => does.close(fd));
      told('rename', () => does.rename(file, at('folder/renamed')));
      told('rename away', () => does.rename(at('folder/renamed'), at('away')));
      told('rename back', () => does.rename(at('away'), file));
      told('link', () => does.link(file, at('folder/link')));
      told('unlink', () => does.unlink(at('folder/link')));
      told('mkdir', () => does.mkdir(at('folder/inner')));
      told('symlink', () => does.symlink('x', at('folder/symlink')));
      told('rmdir', () => does.rmdir(at('folder/inner')));
      see('a folder that is gone', [calls.watch(inotify, at('absent'), 0x3ff), folder.length > 0], ['ENOENT', true]);
    },
  },
  {
    name: 'poll and epoll',
    play: ({ at, see }) => {
      fileWith(at('file'), 'x');
      const fd = must(calls.open(at('file'), O_RDWR));
      see('poll', calls.poll(fd, POLLIN | POLLOUT), POLLIN | POLLOUT);
      see('epoll', calls.epollAdd(must(calls.epoll(0)), fd));
    },
    differences: {
      epoll: { why: 'files of FUSE can be polled, as fuse_file_operations of the kernel says', served: 0 },
    },
  },
];

export const lifeCases: readonly PosixCase[] = [...namelessCases, ...programCases, ...watcherCases];
