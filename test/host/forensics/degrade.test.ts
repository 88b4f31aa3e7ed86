import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { watchDeaths } from '../../../src/forensics/watch/watch.ts';
import { programExists } from '../../../src/linux/bpf/program.ts';
import { openBpfSource } from '../../../src/linux/death-events/bpf-source.ts';
import { openTraceInstance } from '../../../src/linux/death-events/trace-instance.ts';
import { memoryCgroupOf } from '../../../src/linux/memory-cgroup.ts';
import { cli, finished, type Ran, startCli, tempStateDir } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';
import { sleeper } from '../targets/processes.ts';
import { sources, watching } from './watching.ts';

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
const memoryIsV1 = memoryCgroupOf('self')?.version === 1;
const root = path.resolve(import.meta.dirname, '../../..');

/** Run faultline as a program that another one starts, such as setpriv. */
async function wrapped(command: readonly string[], args: readonly string[], stateDir: string): Promise<Ran> {
  const [file = '', ...rest] = command;
  const child = spawn(file, [...rest, process.execPath, path.join(root, 'dist/faultline.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', FAULTLINE_STATE_DIR: stateDir },
  });
  return finished(child);
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

  test.skipIf(!isRoot)('a container without /dev/kmsg: why says that it was not asked', async () => {
    const devices = 'mknod $d/null c 1 3; mknod $d/urandom c 1 9; mount --move $d /dev';
    const script = `d=$(mktemp -d) && mount -t tmpfs none $d && ${devices} && rmdir $d && exec "$@"`;
    const bare = ['unshare', '--mount', 'sh', '-c', script, 'sh'];
    const ran = await wrapped(bare, ['why', 'fl-nobody'], tempStateDir());
    expect(ran.code, ran.stderr).toBe(1);
    expect(ran.stdout.replaceAll(/\s+/g, ' ')).toContain('not asked: the kernel log (there is no /dev/kmsg here)');
  });

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
  test('is full: it is told how many are lost, and what comes after is seen', () => {
    const source = openBpfSource({ memoryIsV1, bytes: 4096 });
    try {
      const watch = watchDeaths(source, {});
      spawnSync('bash', ['-c', 'for i in $(seq 200); do (exit 5) & done; wait']);
      const sights = watch.look();
      const dropped = sights.flatMap((sight) => (sight.kind === 'dropped' ? [sight] : []));
      expect(dropped).toHaveLength(1);
      expect(dropped[0]?.events).toBeGreaterThan(100);
      expect(dropped[0]?.total).toBe(watch.dropped());
      const { status, pid } = spawnSync('sh', ['-c', 'exit 6']);
      expect(status).toBe(6);
      const seen = watch.look().flatMap((sight) => (sight.kind === 'death' ? [sight.record] : []));
      expect(seen.find((record) => record.pid === pid)).toMatchObject({ end: { kind: 'exited', code: 6 } });
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
    const watch = await watching(['--source', 'tracefs']);
    const exited = once(watch.child, 'exit');
    watch.child.kill('SIGKILL');
    await exited;
    const left = instances().filter((name) => name.startsWith(`faultline-${watch.pid}-`));
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

describe.skipIf(!sources.includes('bpf'))('a watcher by bpf is killed', () => {
  test('its programs go with it, and another one sees it die', async () => {
    const [watch, other] = [await watching(), await watching()];
    const folder = `/proc/${watch.pid}/fdinfo`;
    const programs = readdirSync(folder).flatMap((fd) => {
      const id = /^prog_id:\s+(\d+)$/m.exec(readFileSync(`${folder}/${fd}`, 'latin1'))?.[1];
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
