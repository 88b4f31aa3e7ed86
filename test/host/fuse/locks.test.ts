import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bindFunction } from '../../../src/linux/libc.ts';
import { isErrno } from '../../../src/linux/syscall-error.ts';
import { tempFolder } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';
import { cannotServe, type ServedVolume, startVolume } from '../../support/fuse-volume.ts';

const fcntl = bindFunction('fcntl', 'int', ['int', 'int', 'pointer']);
const F_GETLK = 5;
const F_SETLK = 6;
const F_WRLCK = 1;
const F_UNLCK = 2;

/** struct flock: short l_type, short l_whence, off_t l_start, off_t l_len, pid_t l_pid. */
function flockOf(type: number, start: number, length: number): Buffer {
  const flock = Buffer.alloc(32);
  flock.writeInt16LE(type, 0);
  flock.writeBigInt64LE(BigInt(start), 8);
  flock.writeBigInt64LE(BigInt(length), 16);
  return flock;
}

/** @returns whether we have it now */
function lock(fd: number, start: number, length: number): boolean {
  try {
    fcntl(fd, F_SETLK, flockOf(F_WRLCK, start, length));
    return true;
  } catch (error) {
    if (isErrno(error, 'EAGAIN', 'EACCES')) return false;
    throw error;
  }
}

/** Who holds a lock: the PID, or undefined for nobody. */
function holderOf(fd: number, start: number, length: number): number | undefined {
  const flock = flockOf(F_WRLCK, start, length);
  fcntl(fd, F_GETLK, flock);
  return flock.readInt16LE(0) === F_UNLCK ? undefined : flock.readInt32LE(24);
}

/** flock(1) holds a lock of the other kind while its command runs: it says so, and waits for its input to end. */
function hold(file: string): ChildProcess {
  return spawn('flock', ['--exclusive', file, 'sh', '-c', 'echo held; cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
}

async function exitOf(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

describe.skipIf(cannotServe() !== undefined)('a lock', () => {
  let volume: ServedVolume;
  let served = '';
  let below = '';
  const open: number[] = [];
  const children: ChildProcess[] = [];

  function opened(file: string): number {
    const fd = openSync(file, 'r+');
    open.push(fd);
    return fd;
  }

  beforeEach(async () => {
    const source = tempFolder();
    const mount = tempFolder();
    [below, served] = [path.join(source, 'file'), path.join(mount, 'file')];
    writeFileSync(below, '0123456789');
    volume = await startVolume({ source, mount });
  });

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const fd of open.splice(0)) closeSync(fd);
    await volume.end();
  });

  test('of a record holds between the mount and the folder below', () => {
    // Below, the locks are this process'; through the mount they are taken by the volume for this process.
    const above = opened(served);
    const under = opened(below);
    expect(lock(above, 0, 5)).toBe(true);
    expect(lock(under, 4, 2)).toBe(false);
    expect(lock(under, 5, 5)).toBe(true);
    expect(lock(above, 5, 1)).toBe(false);
    expect(holderOf(above, 5, 1)).toBe(process.pid);
    fcntl(above, F_SETLK, flockOf(F_UNLCK, 0, 0));
    expect(lock(under, 0, 5)).toBe(true);
    expect(lock(above, 0, 1)).toBe(false);
  });

  test('of a record is given back when any descriptor of the file is closed', () => {
    const above = opened(served);
    const another = openSync(served, 'r');
    const under = opened(below);
    expect(lock(above, 0, 0)).toBe(true);
    expect(lock(under, 3, 1)).toBe(false);
    closeSync(another);
    expect(lock(under, 3, 1)).toBe(true);
  });

  test('of a whole file holds between the mount and the folder below, and is waited for', async () => {
    const first = hold(below);
    const second = hold(served);
    children.push(first, second);
    const heard: string[] = [];
    for (const [index, child] of [first, second].entries()) {
      child.stdout?.on('data', () => heard.push(index === 0 ? 'below' : 'served'));
    }
    await eventually('one of them holds it', () => heard.length === 1);
    const [holder, waiter] = heard[0] === 'below' ? [first, second] : [second, first];
    if (holder === first) await eventually('the other waits', async () => (await volume.status()).delayed === 1);
    expect(heard).toHaveLength(1);
    holder.stdin?.end();
    await eventually('the other holds it then', () => heard.length === 2);
    waiter.stdin?.end();
    await Promise.all([first, second].map(exitOf));
  });

  test('that is waited for in vain can be given up', async () => {
    const first = hold(below);
    children.push(first);
    await once(first.stdout ?? first, 'data');
    const second = hold(served);
    children.push(second);
    await eventually('it waits', async () => (await volume.status()).delayed === 1);
    second.kill('SIGTERM');
    await once(second, 'exit');
    expect(second.signalCode).toBe('SIGTERM');
    await eventually('nothing waits', async () => (await volume.status()).delayed === 0);
    first.stdin?.end();
    await once(first, 'exit');
  });
});
