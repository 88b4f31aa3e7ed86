import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_SYMLINK_FOLLOW,
  O_APPEND,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_EXCL,
  O_NOATIME,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_SYNC,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  POSIX_FADV_DONTNEED,
  POSIX_FADV_WILLNEED,
  S_IFREG,
  SYNC_FILE_RANGE_WRITE_AND_WAIT,
} from '../../../../support/posix/abi.ts';
import { calls } from '../../../../support/posix/calls.ts';
import { type PosixCase, looks, must } from '../../../../support/posix/scene.ts';
import { alice, fileWith, textOf } from './common.ts';

/* How a file is opened: open(2). */

export const openCases: readonly PosixCase[] = [
  {
    name: 'O_CREAT and O_EXCL',
    play: ({ at, went, see }) => {
      went('a new file', calls.open(at('new'), O_CREAT | O_EXCL | O_RDWR, 0o640), 'ok');
      see('its attributes', looks(calls.stat(at('new'))));
      went('again', calls.open(at('new'), O_CREAT | O_EXCL | O_RDWR), 'EEXIST');
      went('without O_EXCL', calls.open(at('new'), O_CREAT | O_RDWR), 'ok');
      must(calls.symlink('nowhere', at('dangling')));
      went('at a symlink that leads nowhere', calls.open(at('dangling'), O_CREAT | O_EXCL | O_RDWR), 'EEXIST');
      went('through it, without O_EXCL', calls.open(at('dangling'), O_CREAT | O_RDWR), 'ok');
      see('what it made', looks(calls.lstat(at('nowhere'))));
      must(calls.mkdir(at('folder')));
      went('a folder', calls.open(at('folder'), O_CREAT | O_RDWR), 'EISDIR');
      went('a folder for writing', calls.open(at('folder'), O_WRONLY), 'EISDIR');
      went('a folder for reading', calls.open(at('folder'), O_RDONLY), 'ok');
      went('in a folder that is not there', calls.open(at('absent/file'), O_CREAT | O_RDWR), 'ENOENT');
      went('in a file', calls.open(at('new/file'), O_CREAT | O_RDWR), 'ENOTDIR');
      went('with a slash at the end', calls.open(at('slash/'), O_CREAT | O_RDWR), 'EISDIR');
      went('a file with a slash at the end', calls.open(at('new/'), O_RDONLY), 'ENOTDIR');
      went('no name', calls.open('', O_RDONLY), 'ENOENT');
      went('nothing to create', calls.open(at('absent'), O_RDWR), 'ENOENT');
    },
  },
  {
    name: 'access modes',
    play: ({ at, see }) => {
      fileWith(at('file'), 'hello');
      const reader = must(calls.open(at('file'), O_RDONLY));
      const writer = must(calls.open(at('file'), O_WRONLY));
      see('write by a reader', calls.write(reader, 'x'), 'EBADF');
      see('read by a writer', calls.read(writer, 1), 'EBADF');
      see('truncate by a reader', calls.ftruncate(reader, 0), 'EINVAL');
      see('read', calls.read(reader, 100), 'hello');
      see('read at the end', calls.read(reader, 100), '');
      see('write', calls.write(writer, 'HE'), 2);
      see('read again', calls.pread(reader, 100, 0), 'HEllo');
      see('nothing is written', calls.write(writer, ''), 0);
      see('read of nothing', calls.pread(reader, 0, 0), '');
      see('read of a folder', calls.read(must(calls.open(at('.'), O_RDONLY)), 10), 'EISDIR');
      see('at a negative offset', calls.pread(reader, 1, -1), 'EINVAL');
      see('written at a negative offset', calls.pwrite(writer, 'x', -1), 'EINVAL');
    },
  },
  {
    name: 'flags that a descriptor remembers',
    play: ({ at, see }) => {
      fileWith(at('file'), 'hello');
      const known = ~(O_RDWR | 0o100000); // O_LARGEFILE is the kernel's own
      for (const [name, flags] of Object.entries({ O_APPEND, O_SYNC, O_NONBLOCK, O_NOATIME, O_DIRECTORY: 0 })) {
        see(name, (calls.flags(must(calls.open(at('file'), O_RDWR | flags))) & known) === flags, true);
      }
      const fd = must(calls.open(at('file'), O_RDWR));
      see('O_APPEND, set later', calls.setFlags(fd, O_APPEND), 0);
      see('so that a write goes to the end', calls.write(fd, '!'), 1);
      see('even at an offset', calls.pwrite(fd, '?', 0), 1);
      see('the bytes', textOf(at('file')), 'hello!?');
      see('O_APPEND, taken back', calls.setFlags(fd, 0), 0);
      see('so that a write goes where it says', calls.pwrite(fd, 'J', 0), 1);
      see('the bytes then', textOf(at('file')), 'Jello!?');
    },
  },
  {
    name: 'O_APPEND',
    play: ({ at, see }) => {
      fileWith(at('log'), '1');
      const one = must(calls.open(at('log'), O_RDWR | O_APPEND));
      const other = must(calls.open(at('log'), O_WRONLY | O_APPEND));
      see('the position before', calls.lseek(one, 0, 1), 0);
      see('first', calls.write(one, '2'), 1);
      see('second', calls.write(other, '3'), 1);
      see('third', calls.write(one, '4'), 1);
      see('the position after', calls.lseek(one, 0, 1), 4);
      see('a write at an offset goes to the end all the same', calls.pwrite(one, '5', 0), 1);
      see('after a seek, too', [calls.lseek(one, 0, 0), calls.write(one, '6')], [0, 1]);
      see('the bytes', textOf(at('log')), '123456');
      see('after it was cut', [calls.truncate(at('log'), 2), calls.write(other, '7')], [0, 1]);
      see('the bytes then', textOf(at('log')), '127');
      const plain = must(calls.open(at('log'), O_WRONLY));
      see('while another writes where it wants', calls.pwrite(plain, 'long text', 1), 9);
      see('it goes to the new end', [calls.write(one, '8'), calls.lseek(one, 0, 1)], [1, 11]);
      see('the bytes at last', textOf(at('log')), '1long text8');
    },
  },
  {
    name: 'O_TRUNC',
    play: ({ at, went, see }) => {
      fileWith(at('file'), 'hello', 0o600);
      const holder = must(calls.open(at('file'), O_RDWR));
      went('for writing', calls.open(at('file'), O_WRONLY | O_TRUNC), 'ok');
      see('its attributes', looks(calls.stat(at('file'))));
      see('by one that was open before', looks(calls.fstat(holder)));
      see('which reads nothing', calls.pread(holder, 10, 0), '');
      fileWith(at('other'), 'other');
      went('with O_CREAT', calls.open(at('other'), O_RDWR | O_CREAT | O_TRUNC, 0o777), 'ok');
      see('keeps the permissions', looks(calls.stat(at('other'))));
      fileWith(at('third'), 'third');
      went('for reading', calls.open(at('third'), O_RDONLY | O_TRUNC));
      see('what that left', textOf(at('third')));
      must(calls.mkdir(at('folder')));
      went('of a folder', calls.open(at('folder'), O_RDWR | O_TRUNC), 'EISDIR');
    },
  },
  {
    name: 'O_DIRECT',
    play: ({ at, went, see }) => {
      const memory = must(calls.allocate(16_384));
      calls.poke(memory, Buffer.alloc(8192, 'd'));
      const fd = calls.open(at('file'), O_RDWR | O_CREAT | O_DIRECT);
      went('opened', fd);
      if (fd < 0) return;
      see('8 KiB written', calls.pwriteFrom(fd, memory, 8192, 0), 8192);
      see('4 KiB read', calls.preadInto(fd, memory + 8192, 4096, 4096), 4096);
      see('which are the same', calls.peek(memory + 8192, 4096).equals(Buffer.alloc(4096, 'd')), true);
      see('more than there is', calls.preadInto(fd, memory + 8192, 8192, 4096), 4096);
      see('at the end', calls.preadInto(fd, memory, 4096, 8192), 0);
      const cached = must(calls.open(at('file'), O_RDWR));
      see('a cached write', calls.pwrite(cached, 'cached', 0), 6);
      see('is seen', [calls.preadInto(fd, memory, 4096, 0), calls.peek(memory, 8)], [4096, 'cacheddd']);
      calls.poke(memory, 'direct');
      see('a direct write', calls.pwriteFrom(fd, memory, 4096, 0), 4096);
      see('is seen by a cached reader', calls.pread(cached, 8, 0), 'directdd');
      see('a length that is none', calls.pwriteFrom(fd, memory, 100, 0));
      see('an offset that is none', calls.preadInto(fd, memory, 512, 100));
      see('memory that is none', calls.preadInto(fd, memory + 1, 512, 0));
      see('its size', looks(calls.fstat(fd)));
    },
  },
  {
    name: 'O_TMPFILE and linkat',
    play: ({ at, folder, went, see }) => {
      const fd = must(calls.open(folder, O_TMPFILE | O_RDWR, 0o600));
      see('its attributes', looks(calls.fstat(fd)));
      see('written', calls.write(fd, 'nameless'), 8);
      see('it is in no folder', calls.list(folder), []);
      went(
        'linked by /proc',
        calls.linkAt(AT_FDCWD, `/proc/self/fd/${fd}`, AT_FDCWD, at('named'), AT_SYMLINK_FOLLOW),
        'ok',
      );
      see('there it is', [textOf(at('named')), looks(calls.stat(at('named')))]);
      went('a second name', calls.linkAt(fd, '', AT_FDCWD, at('again'), AT_EMPTY_PATH), 'ok');
      see('its attributes then', looks(calls.fstat(fd)));
      went('onto a name that is taken', calls.linkAt(fd, '', AT_FDCWD, at('named'), AT_EMPTY_PATH), 'EEXIST');
      const exclusive = must(calls.open(folder, O_TMPFILE | O_RDWR | O_EXCL));
      went('one that may have no name', calls.linkAt(exclusive, '', AT_FDCWD, at('never'), AT_EMPTY_PATH), 'ENOENT');
      went('for reading only', calls.open(folder, O_TMPFILE | O_RDONLY), 'EINVAL');
      went('in a file', calls.open(at('named'), O_TMPFILE | O_RDWR), 'ENOTDIR');
    },
  },
  {
    name: 'O_NOFOLLOW',
    play: ({ at, went, see }) => {
      fileWith(at('file'), 'hello');
      must(calls.symlink('file', at('link')));
      must(calls.mkdir(at('folder')));
      must(calls.symlink('folder', at('way')));
      fileWith(at('folder/inner'), 'inner');
      went('a symlink', calls.open(at('link'), O_RDONLY | O_NOFOLLOW), 'ELOOP');
      went('the file itself', calls.open(at('file'), O_RDONLY | O_NOFOLLOW), 'ok');
      went('a symlink on the way', calls.open(at('way/inner'), O_RDONLY | O_NOFOLLOW), 'ok');
      went('a symlink to a folder', calls.open(at('way'), O_RDONLY | O_NOFOLLOW | O_DIRECTORY), 'ENOTDIR');
      went('a file as a folder', calls.open(at('file'), O_RDONLY | O_DIRECTORY), 'ENOTDIR');
      const link = must(calls.open(at('link'), O_PATH | O_NOFOLLOW));
      see('a symlink by O_PATH', [looks(calls.fstat(link)), calls.readlink('', 100, link)]);
    },
  },
  {
    name: 'O_PATH',
    play: ({ at, went, see }) => {
      fileWith(at('file'), 'hello', 0o600);
      const fd = must(calls.open(at('file'), O_PATH));
      see('its attributes', looks(calls.fstat(fd)));
      see('read', calls.read(fd, 10), 'EBADF');
      see('write', calls.write(fd, 'x'), 'EBADF');
      see('change of mode', calls.fchmod(fd, 0o644), 'EBADF');
      see('sync', calls.fsync(fd), 'EBADF');
      const again = must(calls.open(`/proc/self/fd/${fd}`, O_RDWR));
      see('opened anew by /proc', calls.read(again, 10), 'hello');
      must(calls.unlink(at('file')));
      see('without a name', looks(calls.fstat(fd)));
      const nameless = must(calls.open(`/proc/self/fd/${fd}`, O_RDWR));
      see('opened anew without a name', [calls.write(nameless, 'J'), calls.pread(again, 10, 0)], [1, 'Jello']);
      must(calls.mkdir(at('folder')));
      const folder = must(calls.open(at('folder'), O_PATH | O_DIRECTORY));
      went('a file in a folder', calls.open('inner', O_CREAT | O_RDWR, 0o644, folder), 'ok');
      see('the folder', calls.list(at('folder')), ['inner']);
      see('a change of folder', calls.fchdir(folder), 0);
      see('where that is', calls.getcwd(), './folder');
    },
  },
  {
    name: 'O_NOATIME',
    play: ({ at, went, peer }) => {
      fileWith(at('file'), 'hello', 0o666);
      went('the owner', calls.open(at('file'), O_RDONLY | O_NOATIME), 'ok');
      went('somebody else', peer(alice).does.open(at('file'), O_RDONLY | O_NOATIME), 'EPERM');
      went('who may read otherwise', peer(alice).does.open(at('file'), O_RDONLY), 'ok');
    },
  },
  {
    name: 'O_SYNC and the calls that sync',
    play: ({ at, folder, see }) => {
      const fd = must(calls.open(at('file'), O_RDWR | O_CREAT | O_SYNC));
      see('written', calls.write(fd, 'a'.repeat(10_000)), 10_000);
      see('fsync', calls.fsync(fd), 0);
      see('fdatasync', calls.fdatasync(fd), 0);
      see('sync_file_range', calls.syncFileRange(fd, 0, 4096, SYNC_FILE_RANGE_WRITE_AND_WAIT), 0);
      see(
        'posix_fadvise',
        [calls.fadvise(fd, 0, 0, POSIX_FADV_WILLNEED), calls.fadvise(fd, 0, 0, POSIX_FADV_DONTNEED)],
        [0, 0],
      );
      see('an advice that is none', calls.fadvise(fd, 0, 0, 77), 'EINVAL');
      see('read after the cache was dropped', calls.pread(fd, 3, 9_997), 'aaa');
      const directory = must(calls.open(folder, O_RDONLY));
      see('fsync of the folder', calls.fsync(directory), 0);
      see('fdatasync of the folder', calls.fdatasync(directory), 0);
      see('syncfs', calls.syncfs(directory), 0);
      see('fsync of a reader', calls.fsync(must(calls.open(at('file'), O_RDONLY))), 0);
    },
  },
  {
    name: 'creating below a folder that is gone',
    play: ({ at, went, see }) => {
      must(calls.mkdir(at('folder')));
      const folder = must(calls.open(at('folder'), O_RDONLY | O_DIRECTORY));
      must(calls.rmdir(at('folder')));
      see('its attributes', looks(calls.fstat(folder)));
      went('open', calls.open('file', O_CREAT | O_RDWR, 0o644, folder), 'ENOENT');
      went('mkdir', calls.mkdir('inner', 0o755, folder), 'ENOENT');
      went('O_TMPFILE', calls.open('.', O_TMPFILE | O_RDWR, 0o644, folder));
      see('its entries', calls.entries(folder));
      went('mknod with the name of what was there', calls.mknod(at('folder'), S_IFREG | 0o644), 'ok');
      see('and now', looks(calls.stat(at('folder'))));
    },
  },
];
