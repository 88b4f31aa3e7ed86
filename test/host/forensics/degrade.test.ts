import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync } from 'node:fs';
import { readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sightText } from '../../../src/cli/output/watch-text.ts';
import type { DeathRecord } from '../../../src/forensics/death-record.ts';
import { watchDeaths } from '../../../src/forensics/watch/watch.ts';
import { programExists } from '../../../src/linux/bpf/program.ts';
import { openBpfSource } from '../../../src/linux/death-events/bpf-source.ts';
import { openTraceInstance } from '../../../src/linux/death-events/trace-instance.ts';
import { memoryCgroupOf } from '../../../src/linux/memory-cgroup.ts';
import { createFs, mountDetached, openFsContext } from '../../../src/linux/mount/fs-context.ts';
import { readProcessRecord } from '../../../src/linux/procfs/read.ts';
import { endWithTest } from '../../support/children.ts';
import { cli, finished, type Ran, startCli, tempFolder, tempStateDir } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';
import { sleeper, start } from '../targets/processes.ts';
import { canLimitMemory, memoryCgroup } from './memory-cgroup.ts';
import { sources, watching } from './watching.ts';

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
const memoryIsV1 = memoryCgroupOf('self')?.version === 1;
const root = path.resolve(import.meta.dirname, '../../..');

/** Start faultline as a program that another one starts, such as setpriv. It is ended after the test. */
function startWrapped(command: readonly string[], args: readonly string[], stateDir: string): ChildProcess {
  const [file = '', ...rest] = command;
  const child = spawn(file, [...rest, process.execPath, path.join(root, 'dist/faultline.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', FAULTLINE_STATE_DIR: stateDir },
  });
  endWithTest(child);
  return child;
}

function wrapped(command: readonly string[], args: readonly string[], stateDir: string): Promise<Ran> {
  return finished(startWrapped(command, args, stateDir));
}

describe('what is lacking is said in words', () => {
  test.skipIf(!isRoot)('no root', async () => {
    const home = mkdtempSync(path.join(tmpdir(), 'fl-nobody-'));
    chmodSync(home, 0o777);
    try {
      const ran = await cli(['watch', '--for', '1s'], { stateDir: path.join(home, 'state'), uid: nobody });
      expect(ran.stderr).toContain('bpf: ');
      expect(ran.stderr).toContain('tracefs: ');
      // Since Linux 6.6 the process connector is for everybody.
      if (ran.code === 0) {
        expect(ran.stderr).toContain('watching by proc-connector');
        expect(ran.stderr).toContain('cannot tell who sent a signal');
      } else {
        expect(ran).toMatchObject({ code: 1, stdout: '' });
        expect(ran.stderr).toContain('deaths cannot be watched here');
        expect(ran.stderr).toContain('run as root');
        expect(ran.stderr).toContain('[PERMISSION_DENIED]');
      }
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });

  test.skipIf(!sources.includes('proc-connector'))('neither bpf nor tracefs: the process connector', async () => {
    const less = ['setpriv', '--bounding-set=-sys_admin,-bpf,-perfmon'];
    const ran = await wrapped(less, ['watch', '--for', '300ms'], tempStateDir());
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(ran.stderr).toContain('watching by proc-connector');
    expect(ran.stderr).toContain('Note: not by bpf:');
    expect(ran.stderr).toContain('Note: not by tracefs:');
    expect(ran.stderr).toContain('proc-connector cannot tell who sent a signal');
  });

  test.skipIf(!sources.includes('bpf'))(
    'in a PID namespace of its own: bpf tells PIDs as the host has them',
    async () => {
      const inside = ['unshare', '--pid', '--fork', '--mount-proc'];
      const ran = await wrapped(inside, ['watch', '--for', '300ms', '-o', 'json'], tempStateDir());
      expect(ran, ran.stderr).toMatchObject({ code: 0 });
      expect(ran.stdout).toContain('"source":"bpf"');
    },
  );

  test('a source that there is not', async () => {
    const ran = await cli(['watch', '--source', 'dtrace'], { stateDir: tempStateDir() });
    expect(ran).toMatchObject({ code: 128, stdout: '' });
    expect(ran.stderr).toContain('there is: bpf, tracefs, proc-connector');
  });

  test('a docker that does not answer: why says that containers were not asked', async () => {
    const folder = tempFolder();
    writeFileSync(path.join(folder, 'docker'), '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}` };
    const ran = await cli(['why', 'fl-nobody'], { stateDir: tempStateDir(), env });
    expect(ran.stdout.replaceAll(/\s+/g, ' ')).toContain('containers (docker took too long)');
  });

  test.skipIf(!isRoot)('a container without /dev/kmsg: why says that it was not asked', async () => {
    const devices = 'mknod $d/null c 1 3; mknod $d/urandom c 1 9; mount --move $d /dev';
    const script = `d=$(mktemp -d) && mount -t tmpfs none $d && ${devices} && rmdir $d && exec "$@"`;
    const bare = ['unshare', '--mount', 'sh', '-c', script, 'sh'];
    const ran = await wrapped(bare, ['why', 'fl-nobody'], tempStateDir());
    expect(ran.code, ran.stderr).toBe(1);
    expect(ran.stdout.replaceAll(/\s+/g, ' ')).toContain('not asked: the kernel log (there is no /dev/kmsg here)');
  });

  test.skipIf(!canLimitMemory || !sources.includes('bpf'))(
    'a container without /dev/kmsg: watch tells of the OOM killer what it knows without',
    async () => {
      const folder = memoryCgroup(32 << 20);
      const devices = 'mknod $d/null c 1 3 && mount --move $d /dev && rmdir $d';
      const masked = `d=$(mktemp -d) && mount -t tmpfs none $d && ${devices}; "$@"`;
      const watch = startWrapped(
        ['unshare', '--mount', 'sh', '-c', masked, 'sh'],
        ['watch', '--cgroup', folder, '--count', '1', '-o', 'json'],
        tempStateDir(),
      );
      const ran = finished(watch);
      let said = '';
      watch.stdout?.on('data', (piece: string) => (said += piece));
      await eventually('it watches', () => watch.exitCode !== null || said.includes('\n'));
      // One and no more: of many in a few seconds the kernel tells less, to others who watch, too.
      const fill = 'echo $$ > "$0/cgroup.procs"; s=0123456789abcdef; while :; do s=$s$s; done';
      await start('/bin/sh', ['-c', fill, folder]);
      const { stdout, stderr } = await ran;
      const [death] = stdout
        .split('\n')
        .filter((line) => line.includes('"kind":"death"'))
        .map((line) => JSON.parse(line) as DeathRecord);
      expect(death, stderr).toMatchObject({ oom: { scope: null, limitCgroup: null }, sender: null });
      expect(death?.oom?.anonRssKib).toBeGreaterThan(0);
      const line = sightText({ kind: 'death', record: death as DeathRecord });
      expect(line).toMatch(/was killed by the OOM killer: it had [\d.]+ MiB anonymous/);
    },
  );

  test('a journal that cannot be read: the watch goes on', async () => {
    if (!sources.includes('bpf')) return;
    const stateDir = tempStateDir();
    mkdirSync(stateDir, { mode: 0o700 });
    writeFileSync(path.join(stateDir, 'faultline.db'), 'not a journal');
    const watch = await watching([], stateDir);
    const target = await sleeper('fl-nojournal');
    target.child.kill('SIGKILL');
    expect(await watch.death(target.pid)).toMatchObject({ injection: null });
    await watch.stop();
    expect(watch.stderr()).toContain('what injections did is not told');
  });
});

describe.skipIf(!sources.includes('bpf'))('the ring buffer', () => {
  test('is full: it is told how many are lost, and what comes after is seen', async () => {
    const source = openBpfSource({ memoryIsV1, bytes: 4096 });
    try {
      const watch = watchDeaths(source, {});
      spawnSync('bash', ['-c', 'for i in $(seq 200); do (exit 5) & done; wait']);
      const sights = watch.look();
      const dropped = sights.flatMap((sight) => (sight.kind === 'dropped' ? [sight] : []));
      expect(dropped).toHaveLength(1);
      expect(dropped[0]?.events).toBeGreaterThan(100);
      expect(dropped[0]?.total).toBe(watch.dropped());
      const [told] = dropped;
      if (told === undefined) throw new Error('it is told');
      const words = `${told.events} events were lost, ${told.total} so far: deaths may be missing above`;
      expect(sightText(told)).toContain(words);
      // Once more where the deaths of others have filled it again meanwhile.
      await eventually('what comes after is seen', () => {
        const { pid } = spawnSync('sh', ['-c', 'exit 6']);
        const seen = watch.look().flatMap((sight) => (sight.kind === 'death' ? [sight.record] : []));
        const [death] = seen.filter((record) => record.pid === pid);
        return death?.end?.kind === 'exited' && death.end.code === 6;
      });
    } finally {
      source.close();
    }
  });
});

/** Instances of ftrace that are ours, as a mount of our own shows them. */
function instances(): readonly string[] {
  const script = 'mount -t tracefs none /sys/kernel/tracing && ls /sys/kernel/tracing/instances';
  return spawnSync('unshare', ['--mount', 'sh', '-c', script], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((name) => name.startsWith('faultline-'));
}

describe.skipIf(!sources.includes('tracefs'))('the watcher is killed', () => {
  test('what it leaves in tracefs is taken away by whoever watches next, and nobody else’s', async () => {
    let left: readonly string[] = [];
    // Another test that begins to watch at this very moment may take it away before it is seen.
    for (let tries = 0; tries < 10 && left.length === 0; tries++) {
      const watch = await watching(['--source', 'tracefs']);
      const exited = once(watch.child, 'exit');
      watch.child.kill('SIGKILL');
      await exited;
      left = instances().filter((name) => name.startsWith(`faultline-${watch.pid}-`));
    }
    expect(left).toHaveLength(1);
    const living = openTraceInstance(['oom/mark_victim']);
    try {
      const own = instances().filter((name) => name.startsWith(`faultline-${process.pid}-`));
      expect(own).toHaveLength(1);
      expect(instances()).not.toContain(left[0]);
      const next = await watching(['--source', 'tracefs']);
      await next.stop();
      expect(instances()).toContain(own[0]);
    } finally {
      living.close();
    }
    expect(instances().filter((name) => name.startsWith(`faultline-${process.pid}-`))).toEqual([]);
  });
});

/** The instances of ftrace, by a mount that is in nobody's tree. It is closed after the test. */
function instancesFolder(): string {
  const context = openFsContext('tracefs');
  try {
    createFs(context);
    const fd = mountDetached(context, ['nosuid', 'nodev', 'noexec']);
    onTestFinished(() => closeSync(fd));
    return `/proc/self/fd/${fd}/instances`;
  } finally {
    closeSync(context);
  }
}

describe.skipIf(!sources.includes('tracefs'))('somebody looks into its instance', () => {
  test('the watch ends all the same, and what could not be taken away is left to the next one', () => {
    const folder = instancesFolder();
    const ours = (): readonly string[] =>
      readdirSync(folder).filter((name) => name.startsWith(`faultline-${process.pid}-`));
    const instance = openTraceInstance(['oom/mark_victim']);
    const [name = ''] = ours();
    const fd = openSync(path.join(folder, name, 'trace_pipe'), 'r');
    try {
      instance.close();
      expect(ours()).toEqual([name]);
    } finally {
      closeSync(fd);
      rmdirSync(path.join(folder, name));
    }
  });
});

describe.skipIf(!sources.includes('bpf'))('a watcher by bpf is killed', () => {
  test('its programs go with it, and another one sees it die', async () => {
    const [watch, other] = [await watching(), await watching()];
    const programs = readdirSync(`/proc/${watch.pid}/fdinfo`).flatMap((fd) => {
      // What it closes meanwhile is none of them.
      const text = readProcessRecord(watch.pid, `fdinfo/${fd}`)?.toString('latin1') ?? '';
      const id = /^prog_id:\s+(\d+)$/m.exec(text)?.[1];
      return id === undefined ? [] : [Number(id)];
    });
    expect(new Set(programs).size).toBe(4);
    watch.child.kill('SIGKILL');
    expect(await other.death(watch.pid)).toMatchObject({
      end: { kind: 'signaled', signal: 9 },
      sender: { pid: process.pid },
    });
    await eventually('its programs are gone', () => !programs.some(programExists));
  });
});

describe.skipIf(!sources.includes('bpf'))('the end of the output', () => {
  test('whoever read it has gone: the watch goes too, and leaves nothing', async () => {
    const child = startCli(['watch', '--for', '1h', '-o', 'json'], { stateDir: tempStateDir() });
    const exited = once(child, 'exit');
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    child.stdout?.destroy();
    const noise = setInterval(() => spawn('true').on('error', () => undefined), 100);
    try {
      await exited;
      expect([child.exitCode, child.signalCode]).toEqual([0, null]);
    } finally {
      clearInterval(noise);
      child.kill('SIGKILL');
    }
  });
});

describe('doctor tells by what deaths would be watched', () => {
  const forensicsOf = (stdout: string): string => stdout.split('\nforensics\n')[1]?.replaceAll(/\s+/g, ' ') ?? stdout;

  test.skipIf(!sources.includes('bpf'))('all is there', async () => {
    const ran = await cli(['doctor'], { stateDir: tempStateDir() });
    expect(forensicsOf(ran.stdout)).toContain('ok watch by bpf, which tells all');
  });

  const canHideDevices = isRoot && sources.includes('proc-connector');
  test.skipIf(!canHideDevices)('neither bpf nor tracefs, and no /dev/kmsg', async () => {
    const devices = 'mknod $d/null c 1 3; mknod $d/urandom c 1 9; mount --move $d /dev';
    const script = `d=$(mktemp -d) && mount -t tmpfs none $d && ${devices} && rmdir $d && exec "$@"`;
    const less = ['setpriv', '--bounding-set=-sys_admin,-bpf,-perfmon'];
    const ran = await wrapped(['unshare', '--mount', 'sh', '-c', script, 'sh', ...less], ['doctor'], tempStateDir());
    const told = forensicsOf(ran.stdout);
    expect(told).toContain('degraded watch by proc-connector, which cannot tell who sent a signal');
    expect(told).toMatch(/→ not by bpf: .*; not by tracefs: /);
    expect(told).toContain('degraded kernel log there is no /dev/kmsg here');
  });
});
