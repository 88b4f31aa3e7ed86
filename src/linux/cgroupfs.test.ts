import { mkdirSync, readFileSync, rmdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cgroupMembers } from './cgroupfs.ts';
import { readMounts } from './mount-table.ts';
import { pollExit, sendSignal } from './pidfd.ts';
import { listTasks } from './procfs/tasks.ts';
import { isErrno } from './syscall-error.ts';
import { eventually, hold, startReady, startSleep } from './test-support/processes.ts';

const SIGKILL = 9;
const isRoot = process.geteuid?.() === 0;
const mounts = readMounts('self') ?? [];
const v2 = mounts.find(({ fsType }) => fsType === 'cgroup2')?.mountPoint;
const v1 = mounts.find(({ fsType, superOptions }) => fsType === 'cgroup' && superOptions.includes('pids'))?.mountPoint;
const name = `faultline-test-${process.pid}`;

if (!isRoot || v2 === undefined) {
  const reason = isRoot ? 'cgroup v2 is not mounted here' : 'making cgroups takes root';
  process.stderr.write(`cgroupMembers is NOT tested on cgroups of its own: ${reason}\n`);
}

/** Makes a cgroup that is removed again, after the processes in it: hooks run last in, first out. */
function makeCgroup(...path: readonly string[]): string {
  const folder = join(...path);
  mkdirSync(folder);
  onTestFinished(() => eventually(() => removed(folder)));
  return folder;
}

/** Who has just died may be in it for a moment more. */
function removed(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    if (isErrno(error, 'EBUSY')) return false;
    throw error;
  }
}

async function sleeperIn(cgroup: string): Promise<number> {
  const { pid } = await startSleep();
  moveInto(cgroup, pid);
  return pid;
}

/** Puts a process into a cgroup; it is dead before the cgroup is to be removed. */
function moveInto(cgroup: string, pid: number): void {
  const pidfd = hold(pid);
  writeFileSync(join(cgroup, 'cgroup.procs'), String(pid));
  onTestFinished(() => {
    sendSignal(pidfd, SIGKILL);
    pollExit([pidfd], 10_000);
  });
}

describe.runIf(isRoot && v2 !== undefined)('cgroup v2', () => {
  const root = v2 ?? '';

  test('the members of a cgroup and of all below it, by either kind of path', async () => {
    const parent = makeCgroup(root, name);
    const child = makeCgroup(parent, 'child with space');
    const grandchild = makeCgroup(child, 'grandchild');
    makeCgroup(parent, 'empty');
    const inChild = await sleeperIn(child);
    const inGrandchild = await sleeperIn(grandchild);
    const both = new Set([inChild, inGrandchild]);
    expect(cgroupMembers(parent)).toEqual(both);
    expect(cgroupMembers(`${parent}/`)).toEqual(both);
    expect(cgroupMembers(`/${name}`)).toEqual(both);
    expect(cgroupMembers(name)).toEqual(both);
    expect(cgroupMembers(`/${name}/child with space/grandchild`)).toEqual(new Set([inGrandchild]));
    expect(cgroupMembers(join(parent, 'empty'))).toEqual(new Set());
  });

  test('a cgroup of threads has the processes of its threads', async () => {
    const parent = makeCgroup(root, name);
    const threaded = makeCgroup(parent, 'threaded');
    writeFileSync(join(threaded, 'cgroup.type'), 'threaded');
    const { pid } = await startReady(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1e6)']);
    moveInto(parent, pid);
    const worker = listTasks(pid)?.find((tid) => tid !== pid);
    writeFileSync(join(threaded, 'cgroup.threads'), String(worker));
    expect(() => readFileSync(join(threaded, 'cgroup.procs'))).toThrow(/EOPNOTSUPP|ENOTSUP/);
    expect(cgroupMembers(threaded)).toEqual(new Set([pid]));
    expect(cgroupMembers(parent)).toEqual(new Set([pid]));
  });

  test('gone means not found', () => {
    const folder = join(root, name);
    mkdirSync(folder);
    rmdirSync(folder);
    expect(() => cgroupMembers(folder)).toThrow(expect.objectContaining({ code: 'CGROUP_NOT_FOUND' }));
    expect(() => cgroupMembers(`/${name}`)).toThrow(expect.objectContaining({ code: 'CGROUP_NOT_FOUND' }));
  });

  test('a link that leads to a cgroup is one, a link that leads elsewhere is not', () => {
    const cgroup = makeCgroup(root, name);
    const link = join(tmpdir(), name);
    symlinkSync(cgroup, link);
    onTestFinished(() => unlinkSync(link));
    expect(cgroupMembers(link)).toEqual(new Set());
    const elsewhere = join(tmpdir(), `${name}-elsewhere`);
    symlinkSync('/etc', elsewhere);
    onTestFinished(() => unlinkSync(elsewhere));
    expect(() => cgroupMembers(elsewhere)).toThrow(expect.objectContaining({ code: 'CGROUP_NOT_FOUND' }));
  });

  test('a file is no cgroup', () => {
    expect(() => cgroupMembers(join(root, 'cgroup.procs'))).toThrow(
      expect.objectContaining({ code: 'CGROUP_NOT_FOUND' }),
    );
  });
});

describe.runIf(isRoot && v1 !== undefined)('cgroup v1', () => {
  test('the members of a v1 cgroup', async () => {
    const parent = makeCgroup(v1 ?? '', name);
    const child = makeCgroup(parent, 'child');
    const pid = await sleeperIn(child);
    expect(cgroupMembers(parent)).toEqual(new Set([pid]));
    expect(cgroupMembers(`/${name}`)).toEqual(new Set([pid]));
  });

  test.runIf(v2 !== undefined)('a path from the root stands for every hierarchy, a folder for its own', async () => {
    const inV1 = makeCgroup(v1 ?? '', name);
    const inV2 = makeCgroup(v2 ?? '', name);
    const first = await sleeperIn(inV1);
    const second = await sleeperIn(inV2);
    expect(cgroupMembers(`/${name}`)).toEqual(new Set([first, second]));
    expect(cgroupMembers(inV1)).toEqual(new Set([first]));
    expect(cgroupMembers(inV2)).toEqual(new Set([second]));
  });
});

test('the root of the hierarchy holds this process', () => {
  expect(cgroupMembers('/')).toContain(process.pid);
});

test.each(['', '/no/such/cgroup', '/etc', '/sys/fs/cgroup/../cgroup', '/..', '..', 'a/../b', '/\0', 'x'.repeat(5000)])(
  '%j is refused',
  (path) => {
    expect(() => cgroupMembers(path)).toThrow(expect.objectContaining({ code: 'CGROUP_NOT_FOUND' }));
  },
);
