import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readMounts } from '../../../src/linux/mount-table.ts';
import { detach } from '../../../src/linux/mount/attach.ts';
import { FUSE_TYPE } from '../../../src/linux/mount/fuse-mount.ts';
import { resolveVolume, type Volume } from '../../../src/linux/mount/volume.ts';
import { readNamespace } from '../../../src/linux/procfs/namespaces.ts';
import { start, until } from '../targets/processes.ts';
import { attached, canMount, folder, hasUserNamespaces, made, mount, namespaceOf, unserved, within } from './lab.ts';

/** What may lie below, each made in an empty folder; says where the volume is. */
const grounds: readonly (readonly [name: string, make: (empty: string, run: Run) => string])[] = [
  ['a plain folder', (empty) => made(empty, 'plain')],
  [
    'a folder on tmpfs',
    (empty, run) => {
      run('mount', '-t', 'tmpfs', '-o', 'nosuid,nodev,noexec', 'ground', empty);
      run('mkdir', join(empty, 'inner'));
      return join(empty, 'inner');
    },
  ],
  [
    'a mount point',
    (empty, run) => {
      run('mount', '-t', 'tmpfs', 'ground', empty);
      return empty;
    },
  ],
  [
    'a bind mount',
    (empty, run) => {
      const [from, to] = [made(empty, 'from'), made(empty, 'to')];
      run('mount', '--bind', from, to);
      return to;
    },
  ],
  [
    'a read-only mount',
    (empty, run) => {
      run('mount', '-t', 'tmpfs', 'ground', empty);
      run('touch', join(empty, 'seen'));
      run('mount', '-o', 'remount,ro', empty);
      return empty;
    },
  ],
  [
    'a folder on overlayfs',
    (empty, run) => {
      run('mount', '-t', 'tmpfs', 'ground', empty);
      for (const part of ['lower', 'upper', 'work', 'merged']) run('mkdir', join(empty, part));
      const dirs = ['lower', 'upper', 'work'].map((part) => `${part}dir=${join(empty, part)}`).join(',');
      run('mount', '-t', 'overlay', '-o', dirs, 'ground', join(empty, 'merged'));
      run('mkdir', join(empty, 'merged/inner'));
      return join(empty, 'merged/inner');
    },
  ],
];

type Run = (file: string, ...args: readonly string[]) => void;

function fuseMounts(pid: number): readonly string[] {
  return (readMounts(pid) ?? []).filter(({ fsType }) => fsType === FUSE_TYPE).map(({ mountPoint }) => mountPoint);
}

/** Mounts over the volume, looks, and takes it away again. */
async function coverAndUncover(volume: Volume, namesBelow: readonly string[]): Promise<void> {
  const isOurs = volume.mountNamespace === readNamespace('self', 'mnt');
  const { pid, path, mountNamespace, mountId } = volume;
  const { mountFd, source } = unserved({ rootMode: volume.mode, attributes: volume.attributes });
  const attachment = await attached({ pid, path, mountFd, expected: volume });

  const ours = readMounts(pid)?.find((one) => one.source === source);
  expect(ours).toMatchObject({ mountId: attachment.mountId, mountPoint: path, fsType: FUSE_TYPE, root: '/' });
  expect(ours?.device).toBe(attachment.device);
  expect(ours?.options).toEqual(expect.arrayContaining([...volume.attributes, volume.readOnly ? 'ro' : 'rw']));
  expect(ours?.superOptions).toEqual(expect.arrayContaining(['default_permissions', 'allow_other']));
  expect(readMounts('self')?.some((one) => one.source === source)).toBe(isOurs);
  expect(attachment).toMatchObject({ mountNamespace, backingMountId: mountId });
  // The folder below is still to be had, although nobody finds it by its name.
  expect(readdirSync(`/proc/self/fd/${attachment.rootFd}`)).toEqual(namesBelow);

  const request = { pids: [pid], mountNamespace, mount: attachment, source, served: false };
  expect(await detach(request)).toEqual({ outcome: 'detached', path, lost: [] });
  expect(fuseMounts(pid)).not.toContain(path);
  expect(await detach(request)).toEqual({ outcome: 'gone', lost: [] });
}

describe.skipIf(!canMount)('over a folder of our own mount namespace', () => {
  test.each(grounds)('%s', async (_, make) => {
    const path = make(folder(), mountOrRun);
    const names = namesIn(path);
    const before = statSync(path, { bigint: true });
    await coverAndUncover(resolveVolume({ path, keepOut: [] }), names);
    expect(statSync(path, { bigint: true }).ino).toBe(before.ino);
    expect(readdirSync(path)).toEqual(names);
  });

  function mountOrRun(file: string, ...args: readonly string[]): void {
    if (file === 'mount') mount(...args);
    else if (file === 'mkdir') for (const path of args) made(path);
    else for (const path of args) writeFileSync(path, '');
  }

  function namesIn(path: string): readonly string[] {
    if (!resolveVolume({ path, keepOut: [] }).readOnly) writeFileSync(join(path, 'file'), 'below');
    return readdirSync(path);
  }
});

describe.skipIf(!canMount)('over a folder of another mount namespace', () => {
  test.each(grounds)('%s', async (_, make) => {
    const other = await namespaceOf();
    const path = make(folder(), (file, ...args) => void within(other, file, ...args));
    const volume = resolveVolume({ path, pid: other.pid, keepOut: [] });
    expect(volume.mountNamespace).toBe(other.inode);
    if (!volume.readOnly) within(other, 'touch', join(path, 'file'));

    await coverAndUncover(volume, [volume.readOnly ? 'seen' : 'file']);
    expect(within(other, 'ls', path).trim()).toBe(volume.readOnly ? 'seen' : 'file');
  });

  test('none of our threads is left there, and our working directory is what it was', async () => {
    const other = await namespaceOf();
    const [path, here] = [folder(), process.cwd()];
    const own = readNamespace('self', 'mnt');
    await coverAndUncover(resolveVolume({ path, pid: other.pid, keepOut: [] }), []);
    // Whoever was there ends a moment after it has told its result, and may be gone before it is looked at.
    const elsewhere = (tid: string): boolean => {
      try {
        return statSync(`/proc/self/task/${tid}/ns/mnt`).ino !== own;
      } catch {
        return false;
      }
    };
    await until('no thread is there', () => !readdirSync('/proc/self/task').some(elsewhere));
    expect(process.cwd()).toBe(here);
  });

  test.skipIf(!hasUserNamespaces)('a namespace with users of its own', async () => {
    const other = await namespaceOf(['--user', '--map-root-user']);
    const path = folder();
    within(other, 'mount', '-t', 'tmpfs', 'theirs', path);
    within(other, 'mkdir', join(path, 'data'));
    const volume = resolveVolume({ path: join(path, 'data'), pid: other.pid, keepOut: [] });
    expect(volume.fsType).toBe('tmpfs');
    await coverAndUncover(volume, []);
  });

  test('a namespace without /proc', async () => {
    const other = await namespaceOf();
    const path = folder();
    within(other, 'umount', '--lazy', '/proc');
    expect(() => within(other, 'stat', '/proc/self')).toThrow(/No such file/u);
    await coverAndUncover(resolveVolume({ path, pid: other.pid, keepOut: [] }), []);
  });

  test('a process with another root than its namespace: the path begins at its own', async () => {
    const root = folder();
    for (const part of ['usr', 'lib', 'lib64', 'bin']) made(root, part);
    made(root, 'data/inner');
    const other = await namespaceOf();
    for (const part of ['usr', 'lib', 'lib64', 'bin']) within(other, 'mount', '--bind', `/${part}`, join(root, part));
    const jailed = await start('nsenter', ['--target', String(other.pid), '--mount', 'chroot', root, 'sleep', '3600']);
    await until('it is in its jail', () => readFileSync(`/proc/${jailed.pid}/comm`, 'utf8') === 'sleep\n');

    const volume = resolveVolume({ path: '/data/inner', pid: jailed.pid, keepOut: [] });
    expect(volume).toMatchObject({ path: '/data/inner', realPath: '/data/inner', mountNamespace: other.inode });
    await coverAndUncover(volume, []);
  });
});
