import {
  AT_EMPTY_PATH,
  AT_SYMLINK_NOFOLLOW,
  FALLOC_FL_KEEP_SIZE,
  FS_IOC_GETFLAGS,
  FS_IOC_SETFLAGS,
  FS_NODUMP_FL,
  O_CREAT,
  O_NOATIME,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_WRONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFREG,
  S_IFSOCK,
  UTIME_NOW,
  UTIME_OMIT,
} from '../../../../support/posix/abi.ts';
import { calls } from '../../../../support/posix/calls.ts';
import { type PosixCase, type Scene, looks, must, mustHave } from '../../../../support/posix/scene.ts';
import { encodeCapability } from '../../../../support/posix/structs.ts';
import { alice, bob, fileOf, fileWith, moved, statOf, textOf, tick } from './common.ts';

/* Attributes: stat(2), chmod(2), chown(2), utimensat(2), umask(2), mknod(2), statfs(2). */

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

const timeCases: readonly PosixCase[] = [
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

/** Write to a file with these bits as its owner, who is not root, by some way; what is left of them. */
function bitsAfter(scene: Scene, name: string, mode: number, change: (path: string) => unknown): void {
  const path = scene.at(name.replaceAll(' ', '-'));
  fileOf(alice, path, mode);
  scene.see(`${name}: its result`, change(path));
  scene.see(name, looks(calls.stat(path)));
}

const modeCases: readonly PosixCase[] = [
  {
    name: 'chmod and chown',
    play: ({ at, see, peer }) => {
      fileWith(at('file'), 'x', 0o600);
      must(calls.symlink('file', at('link')));
      const fd = must(calls.open(at('file'), O_RDONLY));
      see('all bits', [calls.chmod(at('file'), 0o7777), looks(calls.stat(at('file')))]);
      see('through a symlink', [calls.chmod(at('link'), 0o640), looks(calls.stat(at('file')))]);
      see('by a descriptor', [calls.fchmod(fd, 0o4755), looks(calls.fstat(fd))]);
      see('an owner', [calls.chown(at('file'), 1234, 4321), looks(calls.stat(at('file')))]);
      see('only a group', [calls.chown(at('file'), undefined, 99), looks(calls.stat(at('file')))]);
      see('nothing', [calls.chown(at('file')), looks(calls.stat(at('file')))]);
      see('of the symlink', [calls.chown(at('link'), 7, 8, AT_SYMLINK_NOFOLLOW), looks(calls.lstat(at('link')))]);
      see('by a descriptor, too', [calls.fchown(fd, 1, 2), looks(calls.fstat(fd))]);
      see('by somebody else', peer(alice).does.chmod(at('file'), 0o777), 'EPERM');
      see('given away by the owner', [calls.chown(at('file'), 61_001), peer(alice).does.chown(at('file'), 61_002)]);
      must(calls.mkdir(at('folder')));
      see('of a folder', [calls.chmod(at('folder'), 0o3711), looks(calls.stat(at('folder')))]);
      see('of nothing of a folder', [calls.chown(at('folder')), looks(calls.stat(at('folder')))]);
    },
  },
  {
    name: 'suid and sgid are lost',
    play: (scene) => {
      const owner = scene.peer(alice).does;
      const with6755 = (name: string, change: (path: string) => unknown): void =>
        bitsAfter(scene, name, 0o6755, change);
      const writing = (path: string): number => must(owner.open(path, O_WRONLY));
      with6755('write by the owner', (path) => owner.pwrite(writing(path), 'x', 0));
      with6755('write by root', (path) => calls.pwrite(must(calls.open(path, O_WRONLY)), 'x', 0));
      with6755('truncate by the owner', (path) => owner.truncate(path, 1));
      with6755('ftruncate by the owner', (path) => owner.ftruncate(writing(path), 1));
      with6755('truncate by root', (path) => calls.truncate(path, 1));
      with6755('open with O_TRUNC by the owner', (path) => owner.open(path, O_WRONLY | 0o1000) >= 0);
      with6755('chown by root', (path) => calls.chown(path, 61_002, 61_002));
      with6755('chown to the same by root', (path) => calls.chown(path, 61_001, 61_001));
      with6755('chown to nobody by the owner', (path) => owner.chown(path));
      with6755('fallocate by the owner', (path) => owner.fallocate(writing(path), 0, 0, 100));
      with6755('utimens by the owner', (path) => owner.utimes(path, 1n, 1n));
      with6755('link by the owner', (path) => calls.link(path, `${path}-2`));
      with6755('write of nothing by the owner', (path) => owner.pwrite(writing(path), '', 0));
      bitsAfter(scene, 'write to one that the group may not run', 0o6745, (path) =>
        owner.pwrite(writing(path), 'x', 0),
      );
      bitsAfter(scene, 'write to one with sgid only', 0o2755, (path) => owner.pwrite(writing(path), 'x', 0));
      with6755('copy_file_range by the owner', (path) => {
        const fd = writing(path);
        return owner.copyFileRange(must(owner.open(path, O_RDONLY)), 0, fd, 100, 4);
      });
      with6755('several writes', (path) => {
        const fd = writing(path);
        return [owner.pwrite(fd, 'x', 0), calls.chmod(path, 0o6755), owner.pwrite(fd, 'y', 1)];
      });
      fileOf({ uid: 61_002, gid: 61_002 }, scene.at('of-bob'), 0o6777);
      const foreign = must(owner.open(scene.at('of-bob'), O_WRONLY));
      scene.see('write by one who may', [owner.pwrite(foreign, 'x', 0), looks(calls.stat(scene.at('of-bob')))]);
    },
  },
  {
    name: 'file capabilities are lost',
    play: ({ at, see, peer }) => {
      const name = 'security.capability';
      for (const [who, does] of [
        ['the owner', peer(alice).does],
        ['root', calls],
      ] as const) {
        const path = at(who.replace(' ', '-'));
        fileOf(alice, path, 0o755);
        see(`${who}: set`, calls.setxattr(path, name, encodeCapability(10)), 0);
        see(`${who}: told`, (calls.getxattr(path, name) as Buffer).equals(encodeCapability(10)), true);
        see(`${who}: written`, does.pwrite(must(does.open(path, O_WRONLY)), 'x', 0), 1);
        see(`${who}: told then`, calls.getxattr(path, name), 'ENODATA');
        must(calls.setxattr(path, name, encodeCapability(10)));
        see(`${who}: truncated`, [does.truncate(path, 1), calls.getxattr(path, name)], [0, 'ENODATA']);
        must(calls.setxattr(path, name, encodeCapability(10)));
        see(`${who}: chowned`, [calls.chown(path, 61_002), calls.getxattr(path, name)], [0, 'ENODATA']);
      }
    },
  },
  {
    name: 'umask',
    play: ({ at, folder, see, peer }) => {
      must(calls.chmod(folder, 0o777));
      for (const mask of [0o000, 0o027, 0o077]) {
        const { does } = peer(alice);
        does.umask(mask);
        const name = mask.toString(8);
        see(`open under ${name}`, looks(does.fstat(does.open(at(`f${name}`), O_CREAT | O_RDWR, 0o6777))));
        see(`mkdir under ${name}`, [does.mkdir(at(`d${name}`), 0o7777), looks(calls.stat(at(`d${name}`)))]);
        see(`mknod under ${name}`, [does.mknod(at(`n${name}`), S_IFREG | 0o666), looks(calls.stat(at(`n${name}`)))]);
        see(`fifo under ${name}`, [does.mknod(at(`p${name}`), S_IFIFO | 0o666), looks(calls.stat(at(`p${name}`)))]);
        see(`O_TMPFILE under ${name}`, looks(does.fstat(does.open(folder, O_TMPFILE | O_RDWR, 0o666))));
        see(`symlink under ${name}`, [does.symlink('x', at(`s${name}`)), looks(calls.lstat(at(`s${name}`)))]);
      }
    },
  },
  {
    name: 'files of other kinds',
    play: ({ at, see, went, peer, folder }) => {
      must(calls.chmod(folder, 0o777));
      const [null13, zero15] = [0x103, 0x105];
      see('fifo', [calls.mknod(at('fifo'), S_IFIFO | 0o640), looks(calls.lstat(at('fifo')))]);
      see('socket', [calls.mknod(at('socket'), S_IFSOCK | 0o600), looks(calls.lstat(at('socket')))]);
      see('null', [calls.mknod(at('null'), S_IFCHR | 0o666, null13), looks(calls.lstat(at('null')))]);
      see('block', [calls.mknod(at('block'), S_IFBLK | 0o600, 0x12345678), looks(calls.lstat(at('block')))]);
      see('null by a user', peer(alice).does.mknod(at('no'), S_IFCHR | 0o666, zero15), 'EPERM');
      see('a folder', calls.mknod(at('folder'), 0o040755), 'EPERM');
      const device = calls.open(at('null'), O_RDWR);
      went('null is opened', device);
      see('and works', [calls.write(device, 'gone'), calls.read(device, 10)]);
      const reading = peer().begin('open', at('fifo'), O_RDONLY);
      const writing = must(calls.open(at('fifo'), O_WRONLY));
      const fd = reading.result() as number;
      see('through the fifo', [calls.write(writing, 'hello'), peer().does.read(fd, 10)], [5, 'hello']);
      see('its size', looks(calls.stat(at('fifo'))));
      const server = must(calls.socket(1, 2, 0));
      calls.chdir(folder); // as a socket's path may be no longer than 107 bytes
      see('bound', calls.bind(server, 'bound'), 0);
      see('its attributes', looks(calls.lstat(at('bound'))));
      const client = must(calls.socket(1, 2, 0));
      see('connected', calls.connect(client, 'bound'), 0);
      see('through the socket', [calls.write(client, 'data'), calls.read(server, 10)], [4, 'data']);
      see('bound again', calls.bind(client, 'bound'), 'EADDRINUSE');
      see('a file is none', calls.connect(must(calls.socket(1, 2, 0)), 'fifo'), 'ECONNREFUSED');
      see('opened', calls.open(at('bound'), O_RDWR), 'ENXIO');
    },
  },
  {
    name: 'statfs',
    play: ({ at, folder, see }) => {
      const whole = mustHave(calls.statfs(folder));
      see('its type', whole.type);
      see('sizes', [whole.blockSize, whole.fragmentSize, whole.nameLength, whole.blocks, whole.files]);
      see('what is free is less', [whole.blocksFree <= whole.blocks, whole.filesFree <= whole.files], [true, true]);
      see('read-only, nosuid, nodev, noexec', whole.flags & 0xf);
      const small = mustHave(calls.statfs(at('../small')));
      see('of what is mounted in it', [small.blocks, small.blocksFree, small.files]);
      see('of a file', mustHave(calls.statfs((fileWith(at('file'), 'x'), at('file')))).blocks === whole.blocks, true);
    },
    differences: {
      'its type': { why: 'a FUSE mount says that it is one', served: 0x65735546 },
    },
  },
  {
    name: 'flags of an inode: ioctl_iflags(2)',
    play: ({ at, see }) => {
      fileWith(at('file'), 'x');
      const fd = must(calls.open(at('file'), O_RDONLY));
      const before = calls.ioctlFlags(fd, FS_IOC_GETFLAGS);
      see('told', Math.min(0, before));
      see('set', Math.min(0, calls.ioctlFlags(fd, FS_IOC_SETFLAGS, Math.max(0, before) | FS_NODUMP_FL)));
      const after = calls.ioctlFlags(fd, FS_IOC_GETFLAGS);
      see('told then', after < 0 ? after : (after & FS_NODUMP_FL) !== 0);
      see('an ioctl that is none', calls.ioctlFlags(fd, 0x1234), 'ENOTTY');
    },
  },
  {
    name: 'a suid program',
    play: ({ at, see, peer }) => {
      fileOf(bob, at('id'), 0o755, '');
      const from = must(calls.open('/usr/bin/id', O_RDONLY));
      const to = must(calls.open(at('id'), O_WRONLY));
      while (must(calls.sendfile(to, from, undefined, 1 << 20)) > 0);
      calls.close(to);
      see('as it is', peer(alice).does.run(at('id'), ['-u']), { code: 0, stdout: '61001\n' });
      must(calls.chmod(at('id'), 0o4755));
      see('with suid', peer(alice).does.run(at('id'), ['-u']));
      see('it is unhurt', [looks(calls.stat(at('id'))), (textOf(at('id')) as Buffer).length > 1000]);
      must(calls.chmod(at('id'), 0o644));
      see('not to be run', peer(alice).does.run(at('id'), ['-u']), { code: 'EACCES', stdout: '' });
    },
  },
];

export const attributeCases: readonly PosixCase[] = [...timeCases, ...modeCases];
