import { execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readMounts } from '../../../src/linux/mount-table.ts';
import { attach, type Attachment, detach, type DetachRequest } from '../../../src/linux/mount/attach.ts';
import { createFs, mountDetached, openFsContext } from '../../../src/linux/mount/fs-context.ts';
import { findMounts, type FoundMount } from '../../../src/linux/mount/find-mounts.ts';
import { createFuseMount, FUSE_TYPE } from '../../../src/linux/mount/fuse-mount.ts';
import { placeMount } from '../../../src/linux/mount/mount-tree.ts';
import { FOLDER_PATH_FLAGS, openInRoot } from '../../../src/linux/mount/path-lookup.ts';
import { resolveVolume } from '../../../src/linux/mount/volume.ts';
import { readNamespace } from '../../../src/linux/procfs/namespaces.ts';
import { readProcessRecord } from '../../../src/linux/procfs/read.ts';
import { end, start, until } from '../targets/processes.ts';
import { answer } from './answering.ts';
import {
  attached,
  canMount,
  folder,
  fuseDevice,
  hasUserNamespaces,
  made,
  mount,
  mountIdOf,
  namespaceOf,
  onEnd,
  uniqueSource,
  unserved,
  within,
} from './lab.ts';

const run = promisify(execFile);

/** What `detach` is asked for a mount that was attached. */
function requestOf(attachment: Attachment, source: string, pids: readonly number[] = [process.pid]): DetachRequest {
  return { pids, mountNamespace: attachment.mountNamespace, mount: attachment, source, served: false };
}

function mountPoints(): readonly string[] {
  return (readMounts('self') ?? []).map(({ mountPoint }) => mountPoint);
}

function stands(source: string, pid: number = process.pid): boolean {
  return readMounts(pid)?.some((one) => one.source === source) === true;
}

/** An empty tmpfs, over whatever is at the path, without looking at that. */
function coverWithTmpfs(path: string): void {
  const context = openFsContext('tmpfs');
  createFs(context);
  const fds = [context, mountDetached(context, []), openFolder(path)];
  placeMount(fds[1] ?? -1, fds[2] ?? -1);
  for (const fd of fds) closeSync(fd);
}

function openFolder(path: string): number {
  const root = openSync('/', FOLDER_PATH_FLAGS);
  try {
    return openInRoot(root, path, { folder: true });
  } finally {
    closeSync(root);
  }
}

describe.skipIf(!canMount)('detach', () => {
  test('while a process has the mount open: the path is free at once, and the process keeps what it has', async () => {
    const path = folder();
    const { mountFd, source } = unserved();
    const attachment = await attached({ path, mountFd });
    // A program that opens it without asking whoever serves it, and stays.
    const script = `require('fs').openSync(${JSON.stringify(path)}, ${FOLDER_PATH_FLAGS}); setInterval(() => {}, 1e9)`;
    const user = await start(process.execPath, ['-e', script]);
    const holds = (): boolean =>
      readdirSync(`/proc/${user.pid}/fdinfo`).some((fd) => mountIdOf(user.pid, fd) === attachment.mountId);
    await until('it has the folder open', holds);

    expect(await detach(requestOf(attachment, source))).toEqual({ outcome: 'detached', path, lost: [] });
    expect(stands(source)).toBe(false);
    expect(readdirSync(path)).toEqual([]);
    expect(holds()).toBe(true);
  });

  test('when the connection is broken already', async () => {
    const [path, fuseFd, source] = [folder(), openSync('/dev/fuse', 'r+'), uniqueSource()];
    const mountFd = createFuseMount({ fuseFd, source, rootMode: 0o40755 });
    const attachment = await attached({ path, mountFd });
    closeSync(fuseFd);
    closeSync(mountFd);
    expect(() => readdirSync(path)).toThrow(/ENOTCONN|ECONNABORTED/u);
    expect(await detach(requestOf(attachment, source))).toMatchObject({ outcome: 'detached' });
    expect(readdirSync(path)).toEqual([]);
  });

  test('a stranger that has the same number, or that stands at the same place, stays', async () => {
    const path = folder();
    const { mountFd, source } = unserved();
    const attachment = await attached({ path, mountFd });
    expect(await detach(requestOf(attachment, 'another'))).toEqual({ outcome: 'gone', lost: [] });
    const reused = { ...attachment, uniqueMountId: (attachment.uniqueMountId ?? 0) + 1 };
    if (attachment.uniqueMountId !== undefined) {
      await expect(detach(requestOf(reused, source))).rejects.toMatchObject({ code: 'VOLUME_BUSY' });
    }
    expect(stands(source)).toBe(true);
    expect(await detach(requestOf(attachment, source))).toMatchObject({ outcome: 'detached' });
  });

  test('after somebody has moved it: it is found where it stands', async () => {
    const parent = folder();
    mount('-t', 'tmpfs', 'ground', parent);
    mount('--make-private', parent);
    const [path, elsewhere] = [made(parent, 'path'), made(parent, 'elsewhere')];
    const { mountFd, source } = unserved();
    const attachment = await attached({ path, mountFd });
    mount('--move', parent, made(folder(), 'new'));
    const moved = readMounts('self')?.find((one) => one.source === source)?.mountPoint;
    expect(moved).not.toBe(path);
    expect(await detach(requestOf(attachment, source))).toEqual({ outcome: 'detached', path: moved, lost: [] });
    expect(elsewhere).not.toBe(moved);
  });

  test('under mounts of others: those stand on the folder below afterwards, in their order', async () => {
    const path = folder();
    const { mountFd, source } = unserved();
    const attachment = await attached({ path, mountFd });
    coverWithTmpfs(path);
    made(path, 'first');
    coverWithTmpfs(path);
    made(path, 'second');
    expect(await detach(requestOf(attachment, source))).toEqual({ outcome: 'detached', path, lost: [] });
    expect(stands(source)).toBe(false);
    expect(readdirSync(path)).toEqual(['second']);
    await run('umount', [path]);
    expect(readdirSync(path)).toEqual(['first']);
  });

  describe('of a mount that is served, with mounts of others in its folders', () => {
    /** In a namespace of its own, with `sub` below, and a tmpfs on `sub` of ours that has a mark in it. */
    async function withChild(): Promise<{ pid: number; path: string; request: DetachRequest }> {
      const other = await namespaceOf();
      const [path, fuseFd, source] = [folder(), fuseDevice(), uniqueSource()];
      made(path, 'sub');
      const mountFd = createFuseMount({ fuseFd, source, rootMode: 0o40755 });
      onEnd(() => closeSync(mountFd));
      answer(fuseFd);
      const attachment = await attached({ pid: other.pid, path, mountFd });
      const enter = ['--target', String(other.pid), '--mount'];
      await run('nsenter', [...enter, 'mount', '-t', 'tmpfs', 'child', join(path, 'sub')]);
      await run('nsenter', [...enter, 'mkdir', join(path, 'sub/mark')]);
      return { pid: other.pid, path, request: requestOf(attachment, source, [other.pid]) };
    }

    test('they are put onto the folder below', async () => {
      const { pid, path, request } = await withChild();
      expect(await detach({ ...request, served: true })).toEqual({ outcome: 'detached', path, lost: [] });
      expect(stands(request.source, pid)).toBe(false);
      expect(within({ pid }, 'ls', join(path, 'sub'))).toBe('mark\n');
    });

    test('in our own namespace, by another thread than ours, which answers', async () => {
      const [path, fuseFd, source] = [folder(), fuseDevice(), uniqueSource()];
      made(path, 'sub');
      const mountFd = createFuseMount({ fuseFd, source, rootMode: 0o40755 });
      onEnd(() => closeSync(mountFd));
      answer(fuseFd);
      const attachment = await attached({ path, mountFd });
      await run('mount', ['-t', 'tmpfs', 'child', join(path, 'sub')]);
      const request = { ...requestOf(attachment, source), served: true };
      expect(await detach(request)).toEqual({ outcome: 'detached', path, lost: [] });
      expect(mountPoints()).toContain(join(path, 'sub'));
    });

    test('whose folder is not there below: it is lost, and said to be', async () => {
      const { pid, path, request } = await withChild();
      rmdirSync(join(path, 'sub'));
      const lost = [join(path, 'sub')];
      expect(await detach({ ...request, served: true })).toEqual({ outcome: 'detached', path, lost });
      expect(within({ pid }, 'ls', path)).toBe('');
    });

    test('which cannot be copied: it is lost, and said to be', async () => {
      const { pid, path, request } = await withChild();
      await run('nsenter', ['--target', String(pid), '--mount', 'mount', '--make-unbindable', join(path, 'sub')]);
      const lost = [join(path, 'sub')];
      expect(await detach({ ...request, served: true })).toEqual({ outcome: 'detached', path, lost });
    });

    test('when nobody serves it: they are lost, and said to be', async () => {
      const { path, request } = await withChild();
      const lost = [join(path, 'sub')];
      expect(await detach({ ...request, served: false })).toEqual({ outcome: 'detached', path, lost });
    });
  });

  test('when the process is gone: through another one of its namespace; when all are gone, it is, too', async () => {
    const first = await namespaceOf();
    const second = await start('nsenter', ['--target', String(first.pid), '--mount', 'sleep', '3600']);
    await until('it is there', () => readNamespace(second.pid, 'mnt') === first.inode);
    const [path, otherPath] = [folder(), folder()];
    const [one, other] = [unserved(), unserved()];
    const oneMount = await attached({ pid: first.pid, path, mountFd: one.mountFd });
    const otherMount = await attached({ pid: first.pid, path: otherPath, mountFd: other.mountFd });
    await end(first);
    const request = requestOf(oneMount, one.source, [first.pid]);
    expect(await detach(request)).toEqual({ outcome: 'detached', path, lost: [] });
    expect(stands(one.source, second.pid)).toBe(false);
    expect(stands(other.source, second.pid)).toBe(true);
    await end(second);
    expect(await detach(requestOf(otherMount, other.source, [first.pid, second.pid]))).toEqual({
      outcome: 'namespace-gone',
      lost: [],
    });
  });
});

describe.skipIf(!canMount)('attach refuses', () => {
  test('a folder that was replaced since it was looked at, and mounts nothing', async () => {
    const parent = folder();
    const path = made(parent, 'data');
    const volume = resolveVolume({ path, keepOut: [] });
    mount('-t', 'tmpfs', 'newer', path);
    const { mountFd, source } = unserved();
    await expect(attach({ path, mountFd, expected: volume })).rejects.toMatchObject({ code: 'VOLUME_BUSY' });
    expect(stands(source)).toBe(false);
  });

  test('a process that is gone, one that is in another namespace by now, and a path that is not there', async () => {
    const other = await namespaceOf();
    const path = folder();
    const volume = resolveVolume({ path, pid: other.pid, keepOut: [] });
    const { mountFd, source } = unserved();
    const missing = join(path, 'missing');
    await expect(attach({ pid: other.pid, path: missing, mountFd })).rejects.toMatchObject({ errno: 'ENOENT' });
    await expect(attach({ path, mountFd, expected: volume })).rejects.toMatchObject({ code: 'VOLUME_BUSY' });
    await end(other);
    const gone = attach({ pid: other.pid, path, mountFd, expected: volume });
    await expect(gone).rejects.toMatchObject({ code: 'PROCESS_NOT_FOUND' });
    expect(stands(source)).toBe(false);
  });
});

/** In these namespaces: one that another test has made at the same time has a copy, too. */
function found(source: string, ...namespaces: readonly number[]): readonly FoundMount[] {
  return findMounts(FUSE_TYPE, source).filter(({ mountNamespace }) => namespaces.includes(mountNamespace));
}

describe.skipIf(!canMount)('a file system on the way that does not answer', () => {
  function hopsUnderWay(): number {
    return readdirSync('/proc/self/task').filter((tid) => comm(tid) === 'mount-hop\n').length;
  }

  function comm(tid: string): string | undefined {
    return readProcessRecord('self', `task/${tid}/comm`)?.toString('latin1');
  }

  test('is given up, and what was to be done is not done later', async () => {
    const other = await namespaceOf();
    const [path, fuseFd] = [folder(), fuseDevice()];
    const silent = createFuseMount({ fuseFd, source: uniqueSource(), rootMode: 0o40755 });
    onEnd(() => closeSync(silent));
    await attached({ pid: other.pid, path, mountFd: silent });
    const { mountFd, source } = unserved();
    const attempt = attach({ pid: other.pid, path: join(path, 'sub'), mountFd, patienceMs: 100 });
    await expect(attempt).rejects.toMatchObject({ code: 'VOLUME_BUSY' });
    answer(fuseFd);
    const deadline = Date.now() + 60_000;
    while (hopsUnderWay() > 0 && Date.now() < deadline) await delay(5);
    expect(hopsUnderWay()).toBe(0);
    expect(stands(source, other.pid)).toBe(false);
  });
});

describe.skipIf(!canMount)('mounts that the kernel passes on', () => {
  test('over a shared mount: its peers have it too, and lose it with it', async () => {
    const [one, peer] = [folder(), folder()];
    mount('-t', 'tmpfs', 'ground', one);
    mount('--make-shared', one);
    mount('--bind', one, peer);
    made(one, 'data');
    const volume = resolveVolume({ path: join(one, 'data'), keepOut: [] });
    expect(volume.shared).toBe(true);
    const { mountFd, source } = unserved();
    const attachment = await attached({ path: volume.path, mountFd, expected: volume });
    const points = (): readonly string[] =>
      found(source, volume.mountNamespace).map(({ mount: { mountPoint } }) => mountPoint);
    expect(points().toSorted()).toEqual([join(one, 'data'), join(peer, 'data')].toSorted());
    expect(await detach(requestOf(attachment, source))).toMatchObject({ outcome: 'detached', path: volume.path });
    expect(points()).toEqual([]);
  });

  test('a namespace that is made meanwhile has a copy, which is found, and taken away by its own number', async () => {
    const path = folder();
    const { mountFd, source } = unserved();
    const attachment = await attached({ path, mountFd });
    const later = await namespaceOf();
    const everywhere = (): readonly FoundMount[] => found(source, attachment.mountNamespace, later.inode);
    expect(everywhere()).toHaveLength(2);
    expect(await detach(requestOf(attachment, source))).toMatchObject({ outcome: 'detached' });
    const [copy, ...more] = everywhere();
    expect(more).toEqual([]);
    expect(copy).toMatchObject({ mountNamespace: later.inode, pid: later.pid, mount: { mountPoint: path } });
    if (copy === undefined) return;
    const { mountNamespace, pid } = copy;
    const mount = { mountId: copy.mount.mountId, uniqueMountId: undefined };
    const request = { pids: [pid], mountNamespace, mount, source, served: false };
    expect(await detach(request)).toMatchObject({ outcome: 'detached' });
    expect(everywhere()).toEqual([]);
  });

  test.skipIf(!hasUserNamespaces)(
    'a copy in a namespace with users of its own is locked, and goes with it',
    async () => {
      const path = folder();
      const { mountFd, source } = unserved();
      const attachment = await attached({ path, mountFd });
      const later = await namespaceOf(['--user', '--map-root-user']);
      expect(await detach(requestOf(attachment, source))).toMatchObject({ outcome: 'detached' });
      const [copy] = found(source, later.inode);
      const mount = { mountId: copy?.mount.mountId ?? 0, uniqueMountId: undefined };
      const request = { pids: [later.pid], mountNamespace: later.inode, mount, source, served: false };
      const says = /has locked the mount/u;
      await expect(detach(request)).rejects.toMatchObject({
        code: 'VOLUME_BUSY',
        message: expect.stringMatching(says),
      });
      await end(later);
      expect(await detach(request)).toEqual({ outcome: 'namespace-gone', lost: [] });
    },
  );
});
