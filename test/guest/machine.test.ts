import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { places } from '../../scripts/guest/order.ts';
import { readStat } from '../../src/linux/procfs/stat.ts';
import { eventually } from '../support/eventually.ts';
import { sleeper } from '../host/targets/processes.ts';

/** Types of file systems by their magic numbers: include/uapi/linux/magic.h. */
const types: Readonly<Record<string, number>> = {
  bpf: 0xcafe_4a11,
  cgroup2: 0x6367_7270,
  debugfs: 0x6462_6720,
  ext4: 0xef53,
  overlay: 0x794c_7630,
  tmpfs: 0x0102_1994,
  tracefs: 0x7472_6163,
};

describe('what is mounted', () => {
  it.each([
    ['/', 'overlay'],
    ['/tmp', 'tmpfs'],
    ['/run', 'tmpfs'],
    ['/dev/shm', 'tmpfs'],
    ['/sys/fs/bpf', 'bpf'],
    ['/sys/fs/cgroup', 'cgroup2'],
    ['/sys/kernel/debug', 'debugfs'],
    ['/sys/kernel/tracing', 'tracefs'],
    [places.disk, 'ext4'],
  ])('%s is of type %s', (place, type) => {
    expect(statfsSync(place).type).toBe(types[type]);
  });

  it('the root can be written to, whatever the host allows', () => {
    const file = '/etc/faultline-guest-test';
    writeFileSync(file, 'here');
    expect(readFileSync(file, 'utf8')).toBe('here');
    rmSync(file);
  });

  it('nobody is in a chroot: user namespaces can be made, which the kernel refuses there', () => {
    expect(execFileSync('unshare', ['--user', '--map-root-user', 'id', '-u'], { encoding: 'utf8' })).toBe('0\n');
  });
});

describe('the disk', () => {
  it('is written to when a file is synchronised', () => {
    // Documentation/block/stat.rst: the seventh number is the sectors that were written.
    const sectors = (): number => Number(readFileSync('/sys/block/vda/stat', 'utf8').trim().split(/\s+/u)[6]);
    const file = path.join(places.disk, 'synchronised');
    const before = sectors();
    const fd = openSync(file, 'w');
    writeSync(fd, Buffer.alloc(64 * 1024, 1));
    fsyncSync(fd);
    closeSync(fd);
    expect(sectors() - before).toBeGreaterThanOrEqual(128);
    rmSync(file);
  });
});

describe('the network', () => {
  it.each(['127.0.0.1', '::1'])('%s can be reached', async (host) => {
    const server = createServer((socket) => socket.end('hello'));
    await once(server.listen(0, host), 'listening');
    const address = server.address();
    const client = connect({ host, port: typeof address === 'object' ? (address?.port ?? 0) : 0 });
    const [data] = (await once(client, 'data')) as [Buffer];
    expect(data.toString()).toBe('hello');
    client.destroy();
    server.close();
  });
});

describe('cgroups', () => {
  it('PID 1 is in the root, and the tests are not', () => {
    expect(readFileSync('/proc/1/cgroup', 'utf8')).toBe('0::/\n');
    expect(readFileSync('/proc/self/cgroup', 'utf8')).toBe('0::/command\n');
  });

  it('can be made, with the controllers that there are, and hold processes', async () => {
    const cgroup = '/sys/fs/cgroup/lab-test';
    mkdirSync(cgroup);
    const { pid, child } = await sleeper('fl-lab');
    writeFileSync(path.join(cgroup, 'cgroup.procs'), String(pid));
    expect(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).toBe('0::/lab-test\n');
    expect(readFileSync(path.join(cgroup, 'cgroup.controllers'), 'utf8').split(/\s/u)).toEqual(
      expect.arrayContaining(['cpu', 'io', 'memory', 'pids']),
    );
    const exited = once(child, 'exit');
    writeFileSync(path.join(cgroup, 'cgroup.kill'), '1');
    await exited;
    await eventually('the cgroup is empty', () =>
      /^populated 0$/mu.test(readFileSync(`${cgroup}/cgroup.events`, 'utf8')),
    );
    rmdirSync(cgroup);
  });
});

describe('PID 1', () => {
  it('is Node.js, and takes dead orphans away', async () => {
    expect(readFileSync('/proc/1/comm', 'utf8')).toBe('node\n');
    const shell = spawn('sh', ['-c', 'sleep 1 & echo $!'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = (await once(shell.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    await eventually('it is an orphan', () => readStat(pid)?.ppid === 1 || !existsSync(`/proc/${pid}`));
    await eventually('it is gone', () => !existsSync(`/proc/${pid}`));
    expect(readdirSync('/proc')).not.toContain(String(pid));
  });
});
