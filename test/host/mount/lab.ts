import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, closeSync, constants, mkdirSync, mkdtempSync, openSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { isErrno } from '../../../src/linux/syscall-error.ts';
import { readMounts } from '../../../src/linux/mount-table.ts';
import { attach, type Attachment, type AttachRequest } from '../../../src/linux/mount/attach.ts';
import { createFuseMount, type FuseMountOptions } from '../../../src/linux/mount/fuse-mount.ts';
import { detachMount } from '../../../src/linux/mount/mount-tree.ts';
import { readNamespace } from '../../../src/linux/procfs/namespaces.ts';
import { readProcessRecord } from '../../../src/linux/procfs/read.ts';
import { start, type TestProcess, until } from '../targets/processes.ts';

/*
 * Folders, mounts and mount namespaces for tests, all of which are gone after each test. Nobody serves the FUSE mounts
 * that are made here, so nothing may look into them: even stat(2) would wait until the connection is aborted.
 */

function mayMount(): boolean {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return process.geteuid?.() === 0;
  } catch {
    return false;
  }
}

/** Root, and a kernel with FUSE. */
export const canMount = mayMount();

/** Some hosts forbid them. */
export const hasUserNamespaces = spawnSync('unshare', ['--user', '--map-root-user', 'true']).status === 0;

const cleanups: (() => void)[] = [];

export function onEnd(cleanup: () => void): void {
  cleanups.push(cleanup);
}

// Last in, first out: a connection is aborted before the folder below is removed.
afterEach(() => {
  const errors: unknown[] = [];
  for (const cleanup of cleanups.splice(0).toReversed()) {
    try {
      cleanup();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, 'cleaning up has failed');
});

/** A new empty folder, by its real path. What is still mounted below it at the end is unmounted. */
export function folder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'faultline-mount-')));
  onEnd(() => {
    unmountBelow(path);
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

function unmountBelow(path: string): void {
  const below = (readMounts('self') ?? []).filter(({ mountPoint }) => `${mountPoint}/`.startsWith(`${path}/`));
  for (const { mountPoint } of below.toReversed()) {
    try {
      detachMount(mountPoint);
    } catch (error) {
      // A peer that went with another one.
      if (!isErrno(error, 'EINVAL')) throw error;
    }
  }
}

/** A folder within one, made. */
export function made(...parts: readonly [string, ...string[]]): string {
  const path = join(...parts);
  mkdirSync(path, { recursive: true });
  return path;
}

export function mount(...args: readonly string[]): void {
  execFileSync('mount', args, { stdio: 'pipe' });
}

/** A process in a mount namespace of its own, which gets nothing from ours and gives nothing to it. */
export async function namespaceOf(options: readonly string[] = []): Promise<TestProcess & { readonly inode: number }> {
  const one = await start('unshare', ['--mount', '--propagation', 'private', ...options, 'sleep', '3600']);
  await until('it is in its namespace', () => readProcessRecord(one.pid, 'comm')?.toString() === 'sleep\n');
  const inode = readNamespace(one.pid, 'mnt');
  if (inode === undefined) throw new Error('the process is gone');
  return { ...one, inode };
}

/** Runs a program in the mount namespace of a process. */
export function within({ pid }: { readonly pid: number }, file: string, ...args: readonly string[]): string {
  return execFileSync('nsenter', ['--target', String(pid), '--mount', file, ...args], {
    encoding: 'utf8',
    stdio: 'pipe',
    timeout: 60_000,
  });
}

export function fuseDevice(): number {
  const fd = openSync('/dev/fuse', constants.O_RDWR | constants.O_NONBLOCK);
  onEnd(() => closeSync(fd));
  return fd;
}

let mounts = 0;

/** A source that no other mount has. */
export function uniqueSource(): string {
  mounts += 1;
  return `faultline-test-${process.pid}-${mounts}`;
}

/** A FUSE mount that stands nowhere yet, and that nobody serves. */
export function unserved(options: Partial<FuseMountOptions> = {}): {
  readonly mountFd: number;
  readonly source: string;
} {
  const source = options.source ?? uniqueSource();
  const mountFd = createFuseMount({ fuseFd: fuseDevice(), rootMode: 0o40755, ...options, source });
  onEnd(() => closeSync(mountFd));
  return { mountFd, source };
}

/** Attached, and its descriptor closed at the end. */
export async function attached(request: AttachRequest): Promise<Attachment> {
  const attachment = await attach(request);
  onEnd(() => closeSync(attachment.rootFd));
  return attachment;
}

/** Which mount a descriptor of a process is of: proc_pid_fdinfo(5). */
export function mountIdOf(pid: number, fd: string): number | undefined {
  const text = readProcessRecord(pid, `fdinfo/${fd}`)?.toString('latin1') ?? '';
  const id = /^mnt_id:\s*(\d+)$/mu.exec(text)?.[1];
  return id === undefined ? undefined : Number(id);
}
