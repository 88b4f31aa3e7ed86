import {
  AT_EACCESS,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  R_OK,
  X_OK,
} from '../../../../support/posix/abi.ts';
import { calls } from '../../../../support/posix/calls.ts';
import { type PosixCase, looks, must } from '../../../../support/posix/scene.ts';
import { alice, aliceOfTeam, bob, fileOf, folderOf, team } from './common.ts';

/* Who may do what: path_resolution(7), credentials(7), inode(7). */

export const permissionCases: readonly PosixCase[] = [
  {
    name: 'permissions of files',
    play: ({ at, folder, see, went, peer }) => {
      must(calls.chmod(folder, 0o755));
      for (const mode of [0o000, 0o400, 0o040, 0o004, 0o200, 0o077, 0o700, 0o111]) {
        const name = mode.toString(8).padStart(3, '0');
        fileOf({ uid: alice.uid, gid: team }, at(name), mode);
        for (const [who, does] of [
          ['owner', peer(alice).does],
          ['member', peer({ ...bob, groups: [team] }).does],
          ['other', peer(bob).does],
        ] as const) {
          went(`${name}, ${who}: read`, does.open(at(name), O_RDONLY));
          went(`${name}, ${who}: write`, does.open(at(name), O_WRONLY));
          see(`${name}, ${who}: run`, [does.access(at(name), X_OK), does.access(at(name), R_OK, AT_EACCESS)]);
          see(`${name}, ${who}: truncate`, does.truncate(at(name), 7));
        }
        went(`${name}, root`, calls.open(at(name), O_RDWR), 'ok');
      }
    },
  },
  {
    name: 'permissions of folders',
    play: ({ at, see, went, peer }) => {
      const { does } = peer(bob);
      for (const mode of [0o700, 0o704, 0o701, 0o705, 0o706, 0o702, 0o703, 0o707]) {
        const name = mode.toString(8);
        folderOf(alice, at(name), mode);
        fileOf(bob, at(`${name}/file`), 0o644);
        see(`${name}: list`, does.list(at(name)));
        see(`${name}: stat`, looks(does.stat(at(`${name}/file`))));
        see(`${name}: stat of what is not there`, looks(does.stat(at(`${name}/absent`))));
        went(`${name}: open`, does.open(at(`${name}/file`), O_RDWR));
        went(`${name}: create`, does.open(at(`${name}/new`), O_CREAT | O_RDWR));
        see(`${name}: mkdir`, does.mkdir(at(`${name}/inner`)));
        went(`${name}: O_TMPFILE`, does.open(at(name), O_TMPFILE | O_RDWR));
        see(`${name}: link`, does.link(at(`${name}/file`), at(`${name}/link`)));
        see(`${name}: rename`, does.rename(at(`${name}/file`), at(`${name}/renamed`)));
        see(`${name}: unlink`, [does.unlink(at(`${name}/renamed`)), does.unlink(at(`${name}/file`))]);
        see(`${name}: chdir`, does.chdir(at(name)));
      }
    },
  },
  {
    name: 'who owns what is made',
    play: ({ at, see, peer }) => {
      folderOf({ uid: 0, gid: 0 }, at('open'), 0o777);
      folderOf({ uid: 0, gid: team }, at('shared'), 0o2777);
      for (const where of ['open', 'shared']) {
        for (const [who, does] of [
          ['alice', peer(alice).does],
          ['alice of the team', peer(aliceOfTeam).does],
          ['root', calls],
        ] as const) {
          const path = (kind: string): string => at(`${where}/${kind}-${who.replaceAll(' ', '-')}`);
          see(`${where}: file by ${who}`, looks(does.fstat(does.open(path('file'), O_CREAT | O_RDWR, 0o2775))));
          see(`${where}: folder by ${who}`, [does.mkdir(path('dir'), 0o755), looks(calls.stat(path('dir')))]);
          see(`${where}: symlink by ${who}`, [does.symlink('x', path('link')), looks(calls.lstat(path('link')))]);
          see(`${where}: fifo by ${who}`, [does.mknod(path('fifo'), 0o010644), looks(calls.lstat(path('fifo')))]);
          see(`${where}: nameless by ${who}`, looks(does.fstat(does.open(at(where), O_TMPFILE | O_RDWR, 0o2755))));
        }
      }
    },
  },
  {
    name: 'supplementary groups',
    play: ({ at, see, went, peer }) => {
      folderOf({ uid: bob.uid, gid: team }, at('folder'), 0o770);
      fileOf({ uid: bob.uid, gid: team }, at('folder/file'), 0o660);
      const [outside, inside] = [peer(alice).does, peer(aliceOfTeam).does];
      went('who is not in it reads', outside.open(at('folder/file'), O_RDONLY), 'EACCES');
      went('who is in it reads and writes', inside.open(at('folder/file'), O_RDWR), 'ok');
      went('cuts', inside.open(at('folder/file'), O_WRONLY | O_TRUNC), 'ok');
      went('makes a file', inside.open(at('folder/new'), O_CREAT | O_RDWR, 0o644), 'ok');
      see('which is', looks(calls.stat(at('folder/new'))));
      see('makes a folder', inside.mkdir(at('folder/inner')), 0);
      see('makes a symlink', inside.symlink('x', at('folder/link')), 0);
      see('makes a node', inside.mknod(at('folder/fifo'), 0o010600), 0);
      see('makes a second name', inside.link(at('folder/new'), at('folder/again')), 0);
      see('renames', inside.rename(at('folder/new'), at('folder/renamed')), 0);
      see('removes', [inside.unlink(at('folder/renamed')), inside.rmdir(at('folder/inner'))], [0, 0]);
      went('makes a nameless file', inside.open(at('folder'), O_TMPFILE | O_RDWR), 'ok');
      fileOf(alice, at('mine'), 0o644);
      see('gives a file to the group', inside.chown(at('mine'), undefined, team), 0);
      see('to one that it is not in', inside.chown(at('mine'), undefined, bob.gid), 'EPERM');
      see('sgid for a group that it is in', [inside.chmod(at('mine'), 0o2755), looks(calls.stat(at('mine')))]);
      see('and for one that it is not in', [outside.chmod(at('mine'), 0o2775), looks(calls.stat(at('mine')))]);
      see('sets a time', inside.utimes(at('folder/file'), 1n, 1n), 'EPERM');
      see('to now', inside.touch(at('folder/file')), 0);
      see('an attribute', inside.setxattr(at('folder/file'), 'user.a', 'b'), 0);
    },
  },
  {
    name: 'sticky folders',
    play: ({ at, see, peer, went }) => {
      folderOf({ uid: 0, gid: 0 }, at('tmp'), 0o1777);
      const [owner, stranger] = [peer(alice).does, peer(bob).does];
      went('a file', owner.open(at('tmp/file'), O_CREAT | O_RDWR, 0o666), 'ok');
      see('a folder', owner.mkdir(at('tmp/folder'), 0o777), 0);
      see('unlinked by a stranger', stranger.unlink(at('tmp/file')), 'EPERM');
      see('removed by a stranger', stranger.rmdir(at('tmp/folder')), 'EPERM');
      see('renamed by a stranger', stranger.rename(at('tmp/file'), at('tmp/x')), 'EPERM');
      went('its own', stranger.open(at('tmp/own'), O_CREAT | O_RDWR, 0o666), 'ok');
      see('renamed over by a stranger', stranger.rename(at('tmp/own'), at('tmp/file')), 'EPERM');
      went('opened with O_CREAT by a stranger', stranger.open(at('tmp/file'), O_CREAT | O_RDWR, 0o666));
      see('linked by a stranger', stranger.link(at('tmp/file'), at('tmp/link')));
      see('renamed by the owner', owner.rename(at('tmp/file'), at('tmp/mine')), 0);
      see('unlinked by the owner', owner.unlink(at('tmp/mine')), 0);
      see('unlinked by root', calls.unlink(at('tmp/own')), 0);
      see('the bit, set on a file', [calls.chmod(at('tmp/folder'), 0o1755), looks(calls.stat(at('tmp/folder')))]);
    },
  },
  {
    name: 'folders that one may not pass',
    play: ({ at, see, went, peer }) => {
      folderOf(alice, at('private'), 0o700);
      fileOf(bob, at('private/file'), 0o666);
      const { does } = peer(bob);
      went('open', does.open(at('private/file'), O_RDONLY), 'EACCES');
      see('stat', looks(does.stat(at('private/file'))), 'EACCES');
      see('unlink', does.unlink(at('private/file')), 'EACCES');
      see('statfs', typeof does.statfs(at('private/file')) === 'number', true);
      const fd = must(calls.open(at('private'), O_RDONLY));
      see('the owner passes', looks(peer(alice).does.stat(at('private/file'))));
      see('root passes by a descriptor', looks(calls.stat('file', 0, fd)));
      must(calls.chmod(at('private'), 0o711));
      went('once it is opened', does.open(at('private/file'), O_RDWR), 'ok');
      must(calls.chmod(at('private'), 0o700));
      went('and closed again', does.open(at('private/file'), O_RDWR), 'EACCES');
    },
  },
];
