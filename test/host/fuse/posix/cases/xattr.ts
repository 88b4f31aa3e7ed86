import { O_CREAT, O_RDONLY, O_RDWR, R_OK, W_OK, XATTR_CREATE, XATTR_REPLACE } from '../../../../support/posix/abi.ts';
import { calls } from '../../../../support/posix/calls.ts';
import { type PosixCase, looks, must } from '../../../../support/posix/scene.ts';
import { type AclEntry, encodeAcl } from '../../../../support/posix/structs.ts';
import { alice, bob, fileOf, fileWith, folderOf, team } from './common.ts';

/* Extended attributes and what stands in them: xattr(7), acl(5). */

const access = 'system.posix_acl_access';
const inherited = 'system.posix_acl_default';

/** `mode` with an entry more for one user and one group. */
function aclWith(mode: number, user: number, group: number): Buffer {
  const entries: readonly AclEntry[] = [
    { tag: 'owner', permissions: (mode >> 6) & 7 },
    { tag: 'user', permissions: user, id: bob.uid },
    { tag: 'owningGroup', permissions: (mode >> 3) & 7 },
    { tag: 'group', permissions: group, id: team },
    { tag: 'mask', permissions: 7 },
    { tag: 'other', permissions: mode & 7 },
  ];
  return encodeAcl(entries);
}

const plainCases: readonly PosixCase[] = [
  {
    name: 'extended attributes of users',
    play: ({ at, see }) => {
      const file = at('file');
      fileWith(file, 'x');
      see('none', [calls.listxattr(file), calls.listxattrSize(file)], [[], 0]);
      see('not there', calls.getxattr(file, 'user.none'), 'ENODATA');
      see('set', calls.setxattr(file, 'user.one', 'value'), 0);
      see('told', calls.getxattr(file, 'user.one'), 'value');
      see('its size', calls.xattrSize(file, 'user.one'), 5);
      see('into too little', calls.getxattr(file, 'user.one', 3), 'ERANGE');
      see('set anew', [calls.setxattr(file, 'user.one', 'longer value'), calls.getxattr(file, 'user.one')]);
      see('created, though there', calls.setxattr(file, 'user.one', 'x', XATTR_CREATE), 'EEXIST');
      see('replaced, though not there', calls.setxattr(file, 'user.two', 'x', XATTR_REPLACE), 'ENODATA');
      see('created', calls.setxattr(file, 'user.two', 'x', XATTR_CREATE), 0);
      see('replaced', [calls.setxattr(file, 'user.two', 'yz', XATTR_REPLACE), calls.getxattr(file, 'user.two')]);
      see('both flags', calls.setxattr(file, 'user.two', 'x', XATTR_CREATE | XATTR_REPLACE));
      see('empty', [calls.setxattr(file, 'user.empty', ''), calls.getxattr(file, 'user.empty')], [0, '']);
      see('of any bytes', [
        calls.setxattr(file, 'user.bytes', Buffer.from([0, 255, 10])),
        calls.getxattr(file, 'user.bytes'),
      ]);
      see('listed', calls.listxattr(file), ['user.bytes', 'user.empty', 'user.one', 'user.two']);
      see('the size of the list', calls.listxattrSize(file), 40);
      see('listed into too little', calls.listxattr(file, 10), 'ERANGE');
      see('2 KiB', [calls.setxattr(file, 'user.big', 'b'.repeat(2048)), calls.getxattr(file, 'user.big')]);
      see('more than there may be', calls.setxattr(file, 'user.huge', 'h'.repeat(65_537)), 'E2BIG');
      see('the longest name', calls.setxattr(file, `user.${'n'.repeat(250)}`, 'x'), 0);
      see('a longer one', calls.setxattr(file, `user.${'n'.repeat(251)}`, 'x'), 'ERANGE');
      see('removed', [calls.removexattr(file, 'user.one'), calls.getxattr(file, 'user.one')], [0, 'ENODATA']);
      see('removed again', calls.removexattr(file, 'user.one'), 'ENODATA');
      see('without a namespace', calls.setxattr(file, 'one', 'x'), 'EOPNOTSUPP');
      see('of an unknown namespace', calls.setxattr(file, 'strange.one', 'x'), 'EOPNOTSUPP');
    },
  },
  {
    name: 'extended attributes of others than files',
    play: ({ at, see }) => {
      must(calls.mkdir(at('folder')));
      must(calls.symlink('nowhere', at('link')));
      see(
        'of a folder',
        [calls.setxattr(at('folder'), 'user.a', 'b'), calls.getxattr(at('folder'), 'user.a')],
        [0, 'b'],
      );
      see('of what a symlink leads to', calls.setxattr(at('link'), 'user.a', 'b'), 'ENOENT');
      see('of a symlink', calls.lsetxattr(at('link'), 'user.a', 'b'), 'EPERM');
      see('of a symlink, trusted', [
        calls.lsetxattr(at('link'), 'trusted.a', 'b'),
        calls.lgetxattr(at('link'), 'trusted.a'),
      ]);
      const fd = must(calls.open(at('file'), O_CREAT | O_RDWR));
      see('by a descriptor', [calls.fsetxattr(fd, 'user.a', 'b'), calls.fgetxattr(fd, 'user.a')], [0, 'b']);
      must(calls.unlink(at('file')));
      see('without a name', [calls.fsetxattr(fd, 'user.c', 'd'), calls.fgetxattr(fd, 'user.c')], [0, 'd']);
    },
  },
  {
    name: 'extended attributes: who may',
    play: ({ at, see, peer }) => {
      fileOf(alice, at('file'), 0o644);
      const [owner, stranger] = [peer(alice).does, peer(bob).does];
      see('set by the owner', owner.setxattr(at('file'), 'user.a', 'b'), 0);
      see('read by who may read', stranger.getxattr(at('file'), 'user.a'), 'b');
      see('set by who may only read', stranger.setxattr(at('file'), 'user.a', 'c'), 'EACCES');
      see('trusted, by root', calls.setxattr(at('file'), 'trusted.a', 'b'), 0);
      see('trusted, by the owner', owner.setxattr(at('file'), 'trusted.a', 'c'), 'EPERM');
      see('trusted, read by the owner', owner.getxattr(at('file'), 'trusted.a'), 'ENODATA');
      see('listed by root', calls.listxattr(at('file')), ['trusted.a', 'user.a']);
      see('listed by the owner', owner.listxattr(at('file')));
      must(calls.chmod(at('file'), 0o600));
      see('read by who may not', stranger.getxattr(at('file'), 'user.a'), 'EACCES');
      see('removed by who may not', stranger.removexattr(at('file'), 'user.a'), 'EACCES');
      folderOf(alice, at('sticky'), 0o1777);
      see('of a sticky folder, by a stranger', stranger.setxattr(at('sticky'), 'user.a', 'b'), 'EPERM');
    },
    differences: {
      'listed by the owner': {
        why: 'the daemon lists as root, and so names that only root may read are there; the kernel hides none for FUSE',
      },
    },
  },
];

const aclCases: readonly PosixCase[] = [
  {
    name: 'ACL: access',
    play: ({ at, see, peer, went }) => {
      fileOf(alice, at('file'), 0o600);
      const [named, member] = [peer(bob).does, peer({ uid: 61_003, gid: 61_003, groups: [team] }).does];
      const stranger = peer({ uid: 61_004, gid: 61_004 }).does;
      went('without, the named user', named.open(at('file'), O_RDONLY), 'EACCES');
      see('set', calls.setxattr(at('file'), access, aclWith(0o640, 6, 4)), 0);
      see('told', calls.getxattr(at('file'), access));
      see('the mode shows the mask', looks(calls.stat(at('file'))));
      went('the named user reads and writes', named.open(at('file'), O_RDWR), 'ok');
      went('the named group reads', member.open(at('file'), O_RDONLY), 'ok');
      went('and does not write', member.open(at('file'), O_RDWR), 'EACCES');
      went('others do nothing', stranger.open(at('file'), O_RDONLY), 'EACCES');
      see(
        'access says the same',
        [named.access(at('file'), R_OK | W_OK), member.access(at('file'), R_OK | W_OK)],
        [0, 'EACCES'],
      );
      see('chmod changes the mask', [calls.chmod(at('file'), 0o600), calls.getxattr(at('file'), access)]);
      went('so that the named user may not', named.open(at('file'), O_RDONLY), 'EACCES');
      see('chmod back', [peer(alice).does.chmod(at('file'), 0o660), looks(calls.stat(at('file')))]);
      went('so that it may', named.open(at('file'), O_RDWR), 'ok');
      see('set by a stranger', named.setxattr(at('file'), access, aclWith(0o777, 7, 7)), 'EPERM');
      see('set by the owner', peer(alice).does.setxattr(at('file'), access, aclWith(0o604, 0, 0)), 0);
      went('the named user, who may less than others', named.open(at('file'), O_RDONLY), 'EACCES');
      went('others may', stranger.open(at('file'), O_RDONLY), 'ok');
      see('what is no ACL', calls.setxattr(at('file'), access, 'nonsense'));
      see('listed', calls.listxattr(at('file')));
      see('removed', [calls.removexattr(at('file'), access), looks(calls.stat(at('file')))]);
      see('told then', calls.getxattr(at('file'), access), 'ENODATA');
      const minimal = encodeAcl([
        { tag: 'owner', permissions: 7 },
        { tag: 'owningGroup', permissions: 5 },
        { tag: 'other', permissions: 1 },
      ]);
      see('one that says no more than a mode', calls.setxattr(at('file'), access, minimal), 0);
      see('is the mode', [looks(calls.stat(at('file'))), calls.getxattr(at('file'), access)]);
    },
  },
  {
    name: 'ACL: sgid when it is set',
    play: ({ at, see, peer }) => {
      fileOf({ uid: alice.uid, gid: team }, at('file'), 0o2770);
      see(
        'by an owner who is not in the group',
        peer(alice).does.setxattr(at('file'), access, aclWith(0o660, 6, 4)),
        0,
      );
      see('the bit', looks(calls.stat(at('file'))));
      must(calls.chmod(at('file'), 0o2770));
      see('by root', calls.setxattr(at('file'), access, aclWith(0o660, 6, 4)), 0);
      see('the bit then', looks(calls.stat(at('file'))));
    },
  },
  {
    name: 'ACL: inherited from the folder',
    play: ({ at, see, peer }) => {
      folderOf(alice, at('folder'), 0o777);
      see('set', calls.setxattr(at('folder'), inherited, aclWith(0o750, 6, 4)), 0);
      see('the mode of the folder', looks(calls.stat(at('folder'))));
      const { does } = peer(alice);
      does.umask(0o077);
      see('a file in it', looks(does.fstat(does.open(at('folder/file'), O_CREAT | O_RDWR, 0o666))));
      see('its ACL', calls.getxattr(at('folder/file'), access));
      see('a folder in it', [does.mkdir(at('folder/inner'), 0o777), looks(calls.stat(at('folder/inner')))]);
      see('its ACL, too', [calls.getxattr(at('folder/inner'), access), calls.getxattr(at('folder/inner'), inherited)]);
      see('a fifo in it', [does.mknod(at('folder/fifo'), 0o010666), looks(calls.stat(at('folder/fifo')))]);
      see('its ACL, as well', calls.getxattr(at('folder/fifo'), access));
      see('one that asks for less', looks(does.fstat(does.open(at('folder/less'), O_CREAT | O_RDWR, 0o600))));
      see('the named user', peer(bob).does.access(at('folder/file'), R_OK | W_OK), 0);
      see('of a file', calls.setxattr(at('folder/file'), inherited, aclWith(0o750, 6, 4)), 'EACCES');
      see('removed', calls.removexattr(at('folder'), inherited), 0);
      see('a file after that', looks(does.fstat(does.open(at('folder/later'), O_CREAT | O_RDWR, 0o666))));
    },
  },
];

export const xattrCases: readonly PosixCase[] = [...plainCases, ...aclCases];
