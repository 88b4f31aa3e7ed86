import { closeSync, mkdirSync, openSync, rmdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/base/error-codes.ts';
import { FaultlineError } from '../../../src/base/error.ts';
import { createFuseMount } from '../../../src/linux/mount/fuse-mount.ts';
import { resolveVolume, type VolumeRequest } from '../../../src/linux/mount/volume.ts';
import { readNamespace } from '../../../src/linux/procfs/namespaces.ts';
import { readProcessRecord } from '../../../src/linux/procfs/read.ts';
import { end, start, until } from '../targets/processes.ts';
import { attached, canMount, folder, made, mount, namespaceOf, onEnd, uniqueSource, unserved, within } from './lab.ts';

const isRoot = process.geteuid?.() === 0;

/** The error that resolving ends with. */
function refusal(request: Partial<VolumeRequest> & Pick<VolumeRequest, 'path'>): FaultlineError {
  try {
    resolveVolume({ keepOut: [], ...request });
  } catch (error) {
    if (error instanceof FaultlineError) return error;
    throw error;
  }
  throw new Error(`${request.path} was accepted`);
}

function expectRefusal(request: Partial<VolumeRequest> & Pick<VolumeRequest, 'path'>, code: ErrorCode, says: RegExp) {
  const error = refusal(request);
  expect(error.message).toMatch(says);
  expect(error.code).toBe(code);
  expect(error.hint).toBeDefined();
}

describe('a folder that may be a volume', () => {
  test('what is known of it', () => {
    const path = folder();
    const status = statSync(path, { bigint: true });
    const volume = resolveVolume({ path: `/${path}//./`, keepOut: [] });
    expect(volume).toMatchObject({
      path,
      realPath: path,
      pid: process.pid,
      mountNamespace: readNamespace('self', 'mnt'),
      inode: status.ino,
      mode: Number(status.mode),
      isMountPoint: false,
      submounts: [],
    });
    expect(volume.fsType).not.toBe('');
  });

  test('a symbolic link on the way is followed, and both paths are told', () => {
    const parent = folder();
    made(parent, 'real/data');
    symlinkSync('real', join(parent, 'link'));
    expect(resolveVolume({ path: join(parent, 'link/data'), keepOut: [] })).toMatchObject({
      path: join(parent, 'link/data'),
      realPath: join(parent, 'real/data'),
    });
  });

  test('a name of any characters', () => {
    const path = made(folder(), 'a b\nc\\d #é');
    expect(resolveVolume({ path, keepOut: [] }).realPath).toBe(path);
  });

  test.runIf(isRoot)('a mount, with what is mounted below it, and what it must have in common with ours', () => {
    const path = folder();
    mount('-t', 'tmpfs', '-o', 'nosuid,noexec,noatime', 'covered', path);
    made(path, 'not-seen');
    mount('-t', 'tmpfs', 'not-seen', join(path, 'not-seen'));
    mount('-t', 'tmpfs', '-o', 'nosuid,noexec,noatime', 'seen', path);
    mount('-t', 'tmpfs', 'one', made(path, 'one'));
    mount('-t', 'tmpfs', 'two', made(path, 'one/two'));
    made(path, 'other');
    const volume = resolveVolume({ path, keepOut: [] });
    expect(volume).toMatchObject({ isMountPoint: true, fsType: 'tmpfs', readOnly: false, shared: false });
    expect(volume.attributes.toSorted()).toEqual(['noatime', 'noexec', 'nosuid']);
    expect(volume.submounts.map(({ mountPoint }) => mountPoint)).toEqual([join(path, 'one'), join(path, 'one/two')]);
    expect(resolveVolume({ path: join(path, 'other'), keepOut: [] })).toMatchObject({
      isMountPoint: false,
      mountId: volume.mountId,
      device: volume.device,
      submounts: [],
    });
  });

  test.runIf(isRoot)('a file system that is read-only, whichever mount it is seen through', () => {
    const [path, bound] = [folder(), folder()];
    mount('-t', 'tmpfs', 'ground', path);
    mount('--bind', path, bound);
    mount('-o', 'remount,ro', path);
    const volume = resolveVolume({ path: bound, keepOut: [] });
    expect(volume.readOnly).toBe(true);
    expect(volume.attributes).toContain('ro');
  });

  test.runIf(isRoot)('as another process sees it', async () => {
    const other = await namespaceOf();
    const path = folder();
    within(other, 'mount', '-t', 'tmpfs', 'theirs', path);
    within(other, 'mkdir', join(path, 'data'));
    const data = join(path, 'data');
    expect(resolveVolume({ path: data, pid: other.pid, keepOut: [] })).toMatchObject({
      realPath: data,
      mountNamespace: other.inode,
      fsType: 'tmpfs',
    });
    expectRefusal({ path: data }, 'VOLUME_NOT_FOUND', /there is no folder/u);
  });

  test.runIf(isRoot)('under another root, which lies on no mount that the process sees', async () => {
    const root = folder();
    for (const part of ['usr', 'lib', 'lib64', 'bin']) mount('--bind', `/${part}`, made(root, part));
    made(root, 'srv/data');
    symlinkSync('/srv', join(root, 'link'));
    symlinkSync('/', join(root, 'top'));
    const { pid } = await start('chroot', [root, 'sleep', '3600']);
    await until('it is there', () => comm(pid) === 'sleep\n');
    expect(resolveVolume({ path: '/link/data', pid, keepOut: [] })).toMatchObject({
      path: '/link/data',
      realPath: '/srv/data',
      fsType: resolveVolume({ path: root, keepOut: [] }).fsType,
    });
    expectRefusal({ path: '/top', pid }, 'VOLUME_INVALID', /a symbolic link, which leads to \/$/u);
    expectRefusal({ path: '/', pid }, 'VOLUME_INVALID', /the root of all files/u);
  });
});

function comm(pid: number): string | undefined {
  return readProcessRecord(pid, 'comm')?.toString('latin1');
}

describe('paths that are refused by what they say', () => {
  test.each<readonly [path: string, says: RegExp]>([
    ['', /must be an absolute path/u],
    ['data', /must be an absolute path, not "data"/u],
    ['./data', /must be an absolute path/u],
    ['~/data', /must be an absolute path/u],
    ['/', /the root of all files/u],
    ['//.//', /the root of all files/u],
    ['/data/../etc', /must not lead upward/u],
    ['/..', /must not lead upward/u],
    ['/a\0b', /is not a path/u],
    [`/${'a/'.repeat(3000)}`, /is not a path/u],
    [`/${'a'.repeat(300)}`, /not a path of a folder/u],
    ['/proc', /\/proc belongs to the kernel/u],
    ['/proc/self', /belongs to the kernel/u],
    ['/proc/1/fd', /belongs to the kernel/u],
    ['/sys/kernel', /\/sys\/kernel belongs to the kernel/u],
    ['/dev', /\/dev belongs to the kernel/u],
    ['/dev/pts', /\/dev\/pts /u],
  ])('%j', (path, says) => {
    expectRefusal({ path }, 'VOLUME_INVALID', says);
  });

  test('control characters do not reach the terminal', () => {
    expect(refusal({ path: '\u001B[31mdata' }).message).not.toContain('\u001B');
  });
});

describe('what is there decides, too', () => {
  test('nothing, a file, something below a file, a circle', () => {
    const parent = folder();
    writeFileSync(join(parent, 'file'), '');
    symlinkSync('circle', join(parent, 'circle'));
    expectRefusal({ path: join(parent, 'none') }, 'VOLUME_NOT_FOUND', /there is no folder/u);
    expectRefusal({ path: join(parent, 'file') }, 'VOLUME_INVALID', /file is not a folder/u);
    expectRefusal({ path: join(parent, 'file/x') }, 'VOLUME_INVALID', /not a path of a folder/u);
    expectRefusal({ path: join(parent, 'circle/x') }, 'VOLUME_INVALID', /not a path of a folder/u);
  });

  test('a symbolic link as the volume: it is said where it leads', () => {
    const parent = folder();
    made(parent, 'releases/5');
    symlinkSync('releases/5', join(parent, 'current'));
    symlinkSync('nothing', join(parent, 'dangling'));
    symlinkSync('circle', join(parent, 'circle'));
    const error = refusal({ path: `${parent}/current/` });
    expect(error).toMatchObject({ code: 'VOLUME_INVALID' });
    expect(error.message).toBe(`${parent}/current is a symbolic link, which leads to ${parent}/releases/5`);
    expect(error.hint).toContain(`${parent}/releases/5`);
    for (const name of ['dangling', 'circle']) {
      expectRefusal({ path: join(parent, name) }, 'VOLUME_INVALID', /a symbolic link, which leads nowhere/u);
    }
  });

  test('links into what is refused by its name', () => {
    const parent = folder();
    symlinkSync('/', join(parent, 'top'));
    expectRefusal({ path: join(parent, 'top/proc') }, 'VOLUME_INVALID', /belongs to the kernel/u);
    expectRefusal({ path: join(parent, 'top/sys/kernel') }, 'VOLUME_INVALID', /belongs to the kernel/u);
    expectRefusal({ path: join(parent, 'top/proc/self/root/tmp') }, 'VOLUME_INVALID', /not a path of a folder/u);
  });

  test('the folder of a process that is gone', async () => {
    const child = await start('sleep', ['3600']);
    await end(child);
    expectRefusal({ path: '/tmp', pid: child.pid }, 'PROCESS_NOT_FOUND', /there is no process/u);
  });

  test.runIf(isRoot)('file systems that the kernel makes up, wherever they are', () => {
    for (const type of ['proc', 'sysfs', 'devpts', 'cgroup2', 'devtmpfs', 'mqueue']) {
      const path = folder();
      mount('-t', type, 'planted', path);
      expectRefusal({ path }, 'VOLUME_INVALID', new RegExp(`is on ${type}, which the kernel makes up`, 'u'));
    }
  });

  test.runIf(isRoot)('a bind mount of the root of all files is no root', () => {
    const path = folder();
    mount('--bind', '/', path);
    expect(resolveVolume({ path, keepOut: [] })).toMatchObject({ isMountPoint: true });
    expectRefusal({ path, keepOut: [{ path: '/usr', what: 'the program' }] }, 'VOLUME_INVALID', /holds the program/u);
  });

  test.runIf(isRoot)('/dev/shm may be a volume, since it has a mount of its own', async () => {
    const other = await namespaceOf();
    within(other, 'mount', '-t', 'tmpfs', 'dev', '/dev');
    within(other, 'mkdir', '/dev/shm', '/dev/own');
    within(other, 'mount', '-t', 'tmpfs', 'shm', '/dev/shm');
    expect(resolveVolume({ path: '/dev/shm', pid: other.pid, keepOut: [] }).fsType).toBe('tmpfs');
    expectRefusal({ path: '/dev/own', pid: other.pid }, 'VOLUME_INVALID', /belongs to the kernel/u);
  });

  test.runIf(isRoot)('a folder that the process still has, and that was removed', async () => {
    const path = folder();
    const other = await namespaceOf();
    const gone = made(path, 'gone');
    within(other, 'mount', '--bind', gone, made(path, 'bound'));
    rmdirSync(gone);
    expectRefusal({ path: join(path, 'bound'), pid: other.pid }, 'VOLUME_NOT_FOUND', /was removed/u);
  });
});

describe.skipIf(!canMount)('a folder that has one of our mounts', () => {
  test('itself, below it, around it, and by a link: refused without looking into it', async () => {
    const parent = folder();
    const path = made(parent, 'data');
    const { mountFd } = unserved();
    await attached({ path, mountFd });
    symlinkSync('data', join(parent, 'link'));
    for (const taken of [path, parent]) {
      expectRefusal({ path: taken }, 'VOLUME_BUSY', /there are faults in the files of .*\/data already/u);
    }
    expectRefusal({ path: join(path, 'sub/folder') }, 'VOLUME_BUSY', /there are faults in the files/u);
    expectRefusal({ path: join(parent, 'link') }, 'VOLUME_INVALID', /a symbolic link, which leads to .*\/data/u);
  });

  test('by way of a link, when nobody serves it any more', async () => {
    const parent = folder();
    const [path, fuseFd] = [made(parent, 'data'), openSync('/dev/fuse', 'r+')];
    const mountFd = createFuseMount({ fuseFd, source: uniqueSource(), rootMode: 0o40755 });
    onEnd(() => closeSync(mountFd));
    await attached({ path, mountFd });
    closeSync(fuseFd);
    symlinkSync('data', join(parent, 'link'));
    expectRefusal({ path: join(parent, 'link/sub') }, 'VOLUME_BUSY', /that nobody serves any more/u);
  });
});

describe('a folder that Faultline itself needs', () => {
  function keep(path: string): Pick<VolumeRequest, 'keepOut'> {
    return { keepOut: [{ path, what: 'the state folder' }] };
  }

  test('the same, one above, one below; not one beside, nor one whose name only begins like it', () => {
    const parent = folder();
    const [state, sub] = [made(parent, 'state'), made(parent, 'state/run')];
    expectRefusal({ path: state, ...keep(state) }, 'VOLUME_INVALID', /holds the state folder/u);
    expectRefusal({ path: parent, ...keep(state) }, 'VOLUME_INVALID', /holds the state folder/u);
    expectRefusal({ path: sub, ...keep(state) }, 'VOLUME_INVALID', /lies in the state folder/u);
    for (const name of ['stat', 'state2', 'other']) {
      const path = made(parent, name);
      expect(resolveVolume({ path, ...keep(state) }).path).toBe(path);
    }
  });

  test('one that does not exist yet, or that is reached by a symbolic link', () => {
    const parent = folder();
    symlinkSync(parent, `${made(parent, 'real')}/link`);
    const hidden = join(parent, 'real/link/new/state');
    expectRefusal({ path: parent, ...keep(hidden) }, 'VOLUME_INVALID', /holds the state folder/u);
    expect(resolveVolume({ path: join(parent, 'real'), ...keep(hidden) }).path).toBe(join(parent, 'real'));
    mkdirSync(join(parent, 'new/state'), { recursive: true });
    expectRefusal({ path: join(parent, 'new'), ...keep(hidden) }, 'VOLUME_INVALID', /holds the state folder/u);
  });

  test.runIf(isRoot)('a bind mount of it, of one above it, and of one below it', () => {
    const [parent, bound] = [folder(), folder()];
    const state = made(parent, 'around/state');
    const [same, above, below, beside] = ['same', 'above', 'below', 'beside'].map((name) => made(bound, name));
    mount('--bind', state, same ?? '');
    mount('--bind', join(parent, 'around'), above ?? '');
    mount('--bind', made(state, 'run'), below ?? '');
    mount('--bind', made(parent, 'around/beside'), beside ?? '');
    expectRefusal({ path: same ?? '', ...keep(state) }, 'VOLUME_INVALID', /holds the state folder/u);
    expectRefusal({ path: above ?? '', ...keep(state) }, 'VOLUME_INVALID', /holds the state folder/u);
    expectRefusal({ path: below ?? '', ...keep(state) }, 'VOLUME_INVALID', /lies in the state folder/u);
    expect(resolveVolume({ path: beside ?? '', ...keep(state) }).path).toBe(beside);
  });

  test.runIf(isRoot)('as another process sees it, and on a mount below the volume', async () => {
    const other = await namespaceOf();
    const parent = folder();
    mount('-t', 'tmpfs', 'disk', made(parent, 'disk'));
    const [state, elsewhere] = [made(parent, 'disk/state'), folder()];
    expectRefusal({ path: parent, ...keep(state) }, 'VOLUME_INVALID', /holds the state folder/u);
    within({ pid: other.pid }, 'mkdir', join(elsewhere, 'theirs'));
    within({ pid: other.pid }, 'mount', '--bind', parent, join(elsewhere, 'theirs'));
    const theirs = join(elsewhere, 'theirs');
    expectRefusal(
      { path: theirs, pid: other.pid, ...keep(join(parent, 'state')) },
      'VOLUME_INVALID',
      /holds the state folder/u,
    );
  });
});
