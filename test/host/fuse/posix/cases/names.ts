import {
  AT_FDCWD,
  O_CREAT,
  O_DIRECTORY,
  O_RDONLY,
  O_RDWR,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  RENAME_WHITEOUT,
} from '../../../../support/posix/abi.ts';
import { calls } from '../../../../support/posix/calls.ts';
import { type PosixCase, looks, must } from '../../../../support/posix/scene.ts';
import { fileWith, statOf, textOf } from './common.ts';

/* Names: rename(2), link(2), symlink(2), unlink(2), path_resolution(7). */

const renameCases: readonly PosixCase[] = [
  {
    name: 'rename of files',
    play: ({ at, folder, see }) => {
      fileWith(at('a'), 'A');
      fileWith(at('b'), 'B');
      const inode = statOf(at('a')).inode;
      see('onto nothing', calls.rename(at('a'), at('c')), 0);
      see('is the same inode', statOf(at('c')).inode === inode, true);
      see('onto another', calls.rename(at('c'), at('b')), 0);
      see('which is gone', [textOf(at('b')), calls.list(folder)], ['A', ['b']]);
      see('onto itself', calls.rename(at('b'), at('b')), 0);
      see('what is not there', calls.rename(at('absent'), at('x')), 'ENOENT');
      see('into what is not there', calls.rename(at('b'), at('absent/x')), 'ENOENT');
      must(calls.mkdir(at('folder')));
      see('onto a folder', calls.rename(at('b'), at('folder')), 'EISDIR');
      see('of a folder onto a file', calls.rename(at('folder'), at('b')), 'ENOTDIR');
      see('into a folder', calls.rename(at('b'), at('folder/b')), 0);
      see('there', [textOf(at('folder/b')), calls.list(folder)], ['A', ['folder']]);
      must(calls.link(at('folder/b'), at('folder/same')));
      see('onto another name of itself', calls.rename(at('folder/b'), at('folder/same')), 0);
      see('does nothing', (calls.list(at('folder')) as string[]).toSorted(), ['b', 'same']);
      see('of a name with a slash', calls.rename(at('folder/b/'), at('x')), 'ENOTDIR');
    },
  },
  {
    name: 'rename of folders',
    play: ({ at, folder, see }) => {
      for (const name of ['one', 'one/in', 'two', 'full']) must(calls.mkdir(at(name)));
      fileWith(at('full/file'), 'F');
      fileWith(at('one/in/file'), 'deep');
      const cwd = must(calls.open(at('one/in'), O_RDONLY | O_DIRECTORY));
      see('onto a full one', calls.rename(at('one'), at('full')), 'ENOTEMPTY');
      see('into itself', calls.rename(at('one'), at('one/in/x')), 'EINVAL');
      see('onto its own parent', calls.rename(at('one/in'), at('one')), 'ENOTEMPTY');
      see('onto an empty one', calls.rename(at('one'), at('two')), 0);
      see('what is in it', textOf(at('two/in/file')), 'deep');
      see('elsewhere', calls.rename(at('two/in'), at('full/in')), 0);
      see('its parent now', statOf(at('full/in/..')).inode === statOf(at('full')).inode, true);
      must(calls.fchdir(cwd));
      see('where one is that stands in it', calls.getcwd(), './full/in');
      see('from there', textOf('../file'), 'F');
      see('links of the parents', [statOf(at('two')).links, statOf(at('full')).links], [2, 3]);
      see('of the dot', calls.rename(at('full/.'), at('x')), 'EBUSY');
      see('all that is left', (calls.list(folder) as string[]).toSorted(), ['full', 'two']);
    },
  },
  {
    name: 'rename over files that are open',
    play: ({ at, see }) => {
      fileWith(at('new'), 'new');
      fileWith(at('old'), 'old');
      const old = must(calls.open(at('old'), O_RDWR));
      const fresh = must(calls.open(at('new'), O_RDWR));
      see('renamed', calls.rename(at('new'), at('old')), 0);
      see('the old one', [calls.pread(old, 10, 0), looks(calls.fstat(old))]);
      see('can be written', [calls.pwrite(old, 'older', 0), calls.pread(old, 10, 0)], [5, 'older']);
      see('the new one', [calls.pwrite(fresh, 'N', 0), textOf(at('old'))], [1, 'New']);
      see('which the old one is not', calls.pread(old, 10, 0), 'older');
    },
  },
  {
    name: 'rename with RENAME_NOREPLACE',
    play: ({ at, see }) => {
      fileWith(at('a'), 'A');
      fileWith(at('b'), 'B');
      see('onto another', calls.rename(at('a'), at('b'), RENAME_NOREPLACE), 'EEXIST');
      see('both are as they were', [textOf(at('a')), textOf(at('b'))], ['A', 'B']);
      see('onto nothing', calls.rename(at('a'), at('c'), RENAME_NOREPLACE), 0);
      see('there it is', textOf(at('c')), 'A');
    },
  },
  {
    name: 'rename with RENAME_EXCHANGE',
    play: ({ at, see }) => {
      fileWith(at('file'), 'F');
      must(calls.mkdir(at('folder')));
      fileWith(at('folder/inner'), 'I');
      const open = must(calls.open(at('file'), O_RDONLY));
      see('with nothing', calls.rename(at('file'), at('absent'), RENAME_EXCHANGE), 'ENOENT');
      see('a file and a folder', calls.rename(at('file'), at('folder'), RENAME_EXCHANGE), 0);
      see('have changed places', [looks(calls.stat(at('file'))), textOf(at('folder')), textOf(at('file/inner'))]);
      see('of which an open one knows nothing', calls.pread(open, 5, 0), 'F');
      must(calls.mkdir(at('deep')));
      must(calls.mkdir(at('deep/er')));
      see('across folders', calls.rename(at('folder'), at('deep/er'), RENAME_EXCHANGE), 0);
      see('have changed places, too', [textOf(at('deep/er')), looks(calls.stat(at('folder')))]);
      see('with what is in it', calls.rename(at('deep'), at('deep/er'), RENAME_EXCHANGE), 'EINVAL');
      see('both flags', calls.rename(at('file'), at('deep'), RENAME_EXCHANGE | RENAME_NOREPLACE), 'EINVAL');
    },
  },
  {
    name: 'rename with RENAME_WHITEOUT',
    play: ({ at, see }) => {
      fileWith(at('file'), 'F');
      const result = calls.rename(at('file'), at('moved'), RENAME_WHITEOUT);
      see('renamed', result);
      see('what is left in its place', looks(calls.lstat(at('file'))));
      see('the file', textOf(at('moved')));
      see('flags that are none', calls.rename(at('moved'), at('x'), 0x80), 'EINVAL');
    },
  },
];

const linkCases: readonly PosixCase[] = [
  {
    name: 'hard links',
    play: ({ at, see }) => {
      fileWith(at('one'), 'same');
      see('a second name', calls.link(at('one'), at('two')), 0);
      see('one inode', statOf(at('one')).inode === statOf(at('two')).inode, true);
      see('two links', looks(calls.stat(at('one'))));
      const fd = must(calls.open(at('two'), O_RDWR));
      see('written by one', calls.pwrite(fd, 'S', 0), 1);
      see('read by the other', textOf(at('one')), 'Same');
      see('mode by one', calls.chmod(at('one'), 0o600), 0);
      see('seen by the other', looks(calls.stat(at('two'))));
      see('onto a name that is taken', calls.link(at('one'), at('two')), 'EEXIST');
      must(calls.mkdir(at('folder')));
      see('of a folder', calls.link(at('folder'), at('x')), 'EPERM');
      see('into a folder', calls.link(at('one'), at('folder/three')), 0);
      see('of what is not there', calls.link(at('absent'), at('x')), 'ENOENT');
      see('the first name goes', calls.unlink(at('one')), 0);
      see('the others stay', [textOf(at('two')), looks(calls.stat(at('folder/three')))]);
      must(calls.symlink('two', at('symlink')));
      see('of a symlink', calls.link(at('symlink'), at('symlink2')), 0);
      see('is a symlink', [looks(calls.lstat(at('symlink2'))), calls.readlink(at('symlink2'))]);
    },
  },
  {
    name: 'symlinks',
    play: ({ at, see, went }) => {
      const target = 'a/target/with/ünïcode';
      see('made', calls.symlink(target, at('link')), 0);
      see('read', calls.readlink(at('link')), target);
      see('read in part', calls.readlink(at('link'), 4), 'a/ta');
      see('its attributes', looks(calls.lstat(at('link'))));
      see('what it leads to', looks(calls.stat(at('link'))), 'ENOENT');
      see('made again', calls.symlink('x', at('link')), 'EEXIST');
      see('to nothing', calls.symlink('', at('empty')), 'ENOENT');
      see('the longest', calls.symlink('t'.repeat(4095), at('long')));
      see('its length', (calls.readlink(at('long')) as string).length);
      see('longer', calls.symlink('t'.repeat(4096), at('longer')), 'ENAMETOOLONG');
      fileWith(at('file'), 'F');
      see('read of a file', calls.readlink(at('file')), 'EINVAL');
      must(calls.symlink('file', at('short')));
      must(calls.symlink(at('short'), at('absolute')));
      see('followed twice', textOf(at('absolute')), 'F');
      must(calls.symlink('loop2', at('loop1')));
      must(calls.symlink('loop1', at('loop2')));
      went('a circle', calls.open(at('loop1'), O_RDONLY), 'ELOOP');
      went('through a circle', calls.stat(at('loop1/x')), 'ELOOP');
      see('unlinked', [calls.unlink(at('short')), textOf(at('file')), textOf(at('absolute'))], [0, 'F', 'ENOENT']);
      for (let index = 0; index < 45; index++) {
        must(calls.symlink(index === 0 ? 'file' : `s${index - 1}`, at(`s${index}`)));
      }
      see('forty of them', textOf(at('s39')), 'F');
      see('one too many', textOf(at('s40')), 'ELOOP');
    },
  },
  {
    name: 'names that are long or odd',
    play: ({ at, folder, see, went }) => {
      const longest = 'n'.repeat(255);
      went('255 bytes', calls.open(at(longest), O_CREAT | O_RDWR), 'ok');
      went('256 bytes', calls.open(at(`${longest}n`), O_CREAT | O_RDWR), 'ENAMETOOLONG');
      see('looked up', looks(calls.stat(at(`${longest}n`))), 'ENAMETOOLONG');
      see('a folder', calls.mkdir(at('d'.repeat(256))), 'ENAMETOOLONG');
      see('renamed', calls.rename(at(longest), at('é'.repeat(127))), 0);
      see(
        'a path of 4095',
        looks(calls.stat(`${folder}${'/.'.repeat(2100)}`.slice(0, 4094).replace(/\/$/u, '.'))) !== -36,
      );
      see('a path that is too long', looks(calls.stat(`${folder}${'/.'.repeat(2100)}`)), 'ENAMETOOLONG');
      for (const name of [' ', '\n', '\\', 'a\tb', '-', '"', '…', '%s']) {
        went(`named ${JSON.stringify(name)}`, calls.open(at(name), O_CREAT | O_RDWR), 'ok');
      }
      see('all of them', (calls.list(folder) as string[]).toSorted());
    },
  },
];

const removalCases: readonly PosixCase[] = [
  {
    name: 'unlink and rmdir',
    play: ({ at, folder, see }) => {
      must(calls.mkdir(at('folder')));
      fileWith(at('folder/file'), 'F');
      see('unlink of a folder', calls.unlink(at('folder')), 'EISDIR');
      see('rmdir of a file', calls.rmdir(at('folder/file')), 'ENOTDIR');
      see('rmdir of a full folder', calls.rmdir(at('folder')), 'ENOTEMPTY');
      see('rmdir of the dot', calls.rmdir(at('folder/.')), 'EINVAL');
      see('rmdir of two dots', calls.rmdir(at('folder/..')), 'ENOTEMPTY');
      see('unlink of what is not there', calls.unlink(at('absent')), 'ENOENT');
      see('unlink in a file', calls.unlink(at('folder/file/x')), 'ENOTDIR');
      see('unlink with a slash', calls.unlink(at('folder/file/')), 'ENOTDIR');
      see('unlink', calls.unlink(at('folder/file')), 0);
      see('again', calls.unlink(at('folder/file')), 'ENOENT');
      see('rmdir', calls.rmdir(at('folder')), 0);
      see('again, too', calls.rmdir(at('folder')), 'ENOENT');
      see('what is left', calls.list(folder), []);
      must(calls.mkdir(at('folder')));
      see('a new one of that name', [calls.list(at('folder')), statOf(at('folder')).links], [[], 2]);
      see('a folder twice', calls.mkdir(at('folder')), 'EEXIST');
      see('a folder with a slash', calls.mkdir(at('slash/')), 0);
    },
  },
  {
    name: 'the working folder, renamed and removed',
    play: ({ at, see, went }) => {
      must(calls.mkdir(at('a')));
      must(calls.mkdir(at('a/b')));
      must(calls.chdir(at('a/b')));
      see('where', calls.getcwd(), './a/b');
      must(calls.rename(at('a'), at('z')));
      see('where now', calls.getcwd(), './z/b');
      went('a file in it', calls.open('file', O_CREAT | O_RDWR), 'ok');
      see('seen from outside', calls.list(at('z/b')), ['file']);
      must(calls.unlink('file'));
      must(calls.rmdir(at('z/b')));
      see('where, when it is gone', calls.getcwd(), 'ENOENT');
      see('the dot', looks(calls.stat('.')));
      went('a file in it then', calls.open('file', O_CREAT | O_RDWR), 'ENOENT');
      went('its parent', calls.stat('..'));
    },
  },
  {
    name: 'calls relative to a folder, and /proc/self/fd',
    play: ({ at, folder, see, went }) => {
      must(calls.mkdir(at('one')));
      must(calls.mkdir(at('two')));
      const one = must(calls.open(at('one'), O_RDONLY | O_DIRECTORY));
      const two = must(calls.open(at('two'), O_RDONLY | O_DIRECTORY));
      went('open', calls.open('file', O_CREAT | O_RDWR, 0o644, one), 'ok');
      see('stat', looks(calls.stat('file', 0, one)));
      see('mkdir', calls.mkdir('inner', 0o700, one), 0);
      see('symlink', [calls.symlink('file', 'link', one), calls.readlink('link', 99, one)], [0, 'file']);
      see('link', calls.linkAt(one, 'file', two, 'hard', 0), 0);
      see('rename', calls.renameAt(one, 'inner', two, 'moved'), 0);
      see('upwards', looks(calls.stat('../two/moved', 0, one)));
      must(calls.rename(at('one'), at('three')));
      see('after the folder was renamed', looks(calls.stat('file', 0, one)));
      see('where /proc says that it is', calls.readlink(`/proc/self/fd/${one}`), './three');
      see('by way of /proc', textOf(`/proc/self/fd/${one}/file`), '');
      const file = must(calls.open(at('two/hard'), O_RDWR));
      see('where a file is', calls.readlink(`/proc/self/fd/${file}`), './two/hard');
      must(calls.unlink(at('two/hard')));
      see('where it was', calls.readlink(`/proc/self/fd/${file}`), './two/hard (deleted)');
      see('unlink', [calls.unlink('link', one), calls.rmdir('moved', two)], [0, 0]);
      see('of a file as a folder', calls.mkdir('x', 0o755, file), 'ENOTDIR');
      see('an absolute path', looks(calls.stat(folder, 0, one)) !== -2, true);
      see('AT_FDCWD', [calls.chdir(folder), calls.mkdir('here', 0o755, AT_FDCWD)], [0, 0]);
    },
  },
];

export const nameCases: readonly PosixCase[] = [...renameCases, ...linkCases, ...removalCases];
