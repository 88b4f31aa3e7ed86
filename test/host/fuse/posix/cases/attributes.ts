import {
  AT_SYMLINK_NOFOLLOW,
  FS_IOC_GETFLAGS,
  FS_IOC_SETFLAGS,
  FS_NODUMP_FL,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_WRONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFREG,
  S_IFSOCK,
} from '../../../../support/posix/abi.ts';
import { calls } from '../../../../support/posix/calls.ts';
import { type PosixCase, type Scene, looks, must, mustHave } from '../../../../support/posix/scene.ts';
import { encodeCapability } from '../../../../support/posix/structs.ts';
import { alice, bob, fileOf, fileWith, textOf } from './common.ts';

/* Attributes: chmod(2), chown(2), umask(2), mknod(2), statfs(2). */

/** Write to a file with these bits as its owner, who is not root, by some way; what is left of them. */
function bitsAfter(scene: Scene, name: string, mode: number, change: (path: string) => unknown): void {
  const path = scene.at(name.replaceAll(' ', '-'));
  fileOf(alice, path, mode);
  scene.see(`${name}: its result`, change(path));
  scene.see(name, looks(calls.stat(path)));
}

export const attributeCases: readonly PosixCase[] = [
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
