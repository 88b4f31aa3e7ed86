import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { containerOf } from '../../../src/forensics/watch/container-of.ts';
import { cli, tempStateDir, uidIn } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';
import { end, hasPython, program, sleeper, start, type TestProcess, until } from '../targets/processes.ts';
import { canLimitMemory, membersOf, memoryCgroup, sleeperIn } from './memory-cgroup.ts';
import { sources, watching } from './watching.ts';

const nobody = 65_534;
const mib = 1024 * 1024;

const dying = { stdio: 'ignore' } as const;

/** A process that runs and has been seen to run, so that what sees only those who live for a while has seen it. */
async function ready(name: string, uid?: number): Promise<TestProcess> {
  const one = await sleeper(name, uid === undefined ? {} : { uid, gid: uid });
  await until(`${name} runs`, () => readFileSync(`/proc/${one.pid}/comm`, 'utf8').trim() === name);
  return one;
}

/** Run a shell to its end. @returns its PID */
async function shell(script: string): Promise<number> {
  const { pid, child } = await start('/bin/sh', ['-c', script], dying);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return pid;
}

const hasBpf = sources.includes('bpf');

describe.skipIf(!hasBpf)('by bpf, each is named rightly', () => {
  test('exit codes, signals, faults', async () => {
    const watch = await watching();
    expect(watch.of('watching')[0]).toMatchObject({ source: 'bpf', cannot: [], refused: [] });
    const three = await shell('exit 3');
    expect(await watch.death(three)).toMatchObject({
      name: 'sh',
      ppid: process.pid,
      uid: 0,
      argv: ['/bin/sh', '-c', 'exit 3'],
      end: { kind: 'exited', code: 3 },
      signal: null,
      sender: null,
      oom: null,
      source: 'bpf',
    });
    const killed = await ready('fl-wa-killed');
    killed.child.kill('SIGKILL');
    const death = await watch.death(killed.pid);
    expect(death).toMatchObject({ end: { kind: 'signaled', signal: 9 }, sender: { pid: process.pid, uid: 0 } });
    expect(death.ageMs).toBeGreaterThan(0);
    const divided = await shell('kill -FPE $$');
    expect(await watch.death(divided)).toMatchObject({
      end: { kind: 'signaled', signal: 8 },
      sender: { pid: divided, name: 'sh' },
    });
    expect((await watch.stop()).deaths).toBeGreaterThanOrEqual(3);
  });

  test('SIGTERM from another user; one that heeds it and exits by itself', async () => {
    const watch = await watching();
    const target = await ready('fl-term', nobody);
    const sender = await start('/bin/sh', ['-c', `sleep 0.2; kill -TERM ${target.pid}; exit 0`], {
      uid: nobody,
      gid: nobody,
    });
    expect(await watch.death(target.pid)).toMatchObject({
      uid: nobody,
      end: { kind: 'signaled', signal: 15, coreDumped: false },
      signal: { number: 15, code: 0 },
      sender: { pid: sender.pid, name: 'sh', uid: nobody },
    });
    const graceful = await start('/bin/sh', ['-c', 'trap "exit 0" TERM; echo ready; while :; do sleep 0.1; done'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(graceful.child.stdout as NodeJS.ReadableStream, 'data');
    graceful.child.kill('SIGTERM');
    const death = await watch.death(graceful.pid);
    expect(death).toMatchObject({
      end: { kind: 'exited', code: 0 },
      signal: { number: 15 },
      sender: { pid: process.pid },
    });
    expect(death.signal?.beforeMs).toBeGreaterThanOrEqual(0);
  });

  test.skipIf(!hasPython)('a Python program: SIGSEGV with a core', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fl-core-'));
    const watch = await watching();
    try {
      const crash = 'import ctypes, resource; resource.setrlimit(resource.RLIMIT_CORE, (-1, -1)); ctypes.string_at(0)';
      const { pid, child } = await start('python3', ['-c', crash], { stdio: 'ignore', cwd: folder });
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      const death = await watch.death(pid);
      expect(death).toMatchObject({ end: { kind: 'signaled', signal: 11 }, signal: { code: 1 }, sender: null });
      // The flag is the kernel's word, which the pattern of cores may keep from being true.
      const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();
      if (pattern === 'core') expect(death.end).toMatchObject({ coreDumped: true });
      const why = (await cli(['why', '-11'], { stateDir: tempStateDir() })).stdout;
      expect(why).toContain('SIGSEGV');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test.skipIf(!hasPython || process.arch !== 'x64')(
    'a Python program that divides by zero, in machine code',
    async () => {
      const watch = await watching();
      // xor eax, eax; xor ecx, ecx; idiv ecx
      const divide = [
        'import ctypes, mmap',
        'page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)',
        'page.write(bytes.fromhex("31c031c9f7f9"))',
        'ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()',
      ].join('\n');
      const { pid } = await start('python3', ['-c', divide]);
      expect(await watch.death(pid)).toMatchObject({
        end: { kind: 'signaled', signal: 8 },
        signal: { number: 8, code: 1 },
        sender: null,
      });
    },
  );

  test.skipIf(!canLimitMemory)('like a container: its own namespaces and cgroup, killed for memory', async () => {
    const id = randomBytes(32).toString('hex');
    const name = `docker-${id}.scope`;
    const folder = memoryCgroup(48 * mib, name);
    const watch = await watching(['--container', id.slice(0, 12)]);
    // The second process of the namespace is its PID 2; the first one waits for it.
    const inside = 'echo $$ > "$0/cgroup.procs"; exec unshare --pid --mount --fork sh -c "sleep 3600 & wait"';
    await start('/bin/sh', ['-c', inside, folder]);
    const sleepers = await until('both run', () => {
      const members = membersOf(folder).filter((pid) => commOf(pid) === 'sleep');
      return members.length === 1 && members;
    });
    const pid = sleepers[0] ?? 0;
    process.kill(pid, 'SIGKILL');
    const death = await watch.death(pid);
    expect(death).toMatchObject({
      nsPid: 2,
      container: id.slice(0, 12),
      end: { kind: 'signaled', signal: 9 },
      sender: { pid: process.pid },
    });
    expect(containerOf(death.cgroup)).toBe(id.slice(0, 12));
  });

  test.skipIf(!canLimitMemory)('the OOM killer of a cgroup: sizes, and whose limit', async () => {
    const folder = memoryCgroup(48 * mib);
    const cgroup = `/${path.basename(folder)}`;
    const watch = await watching(['--cgroup', folder]);
    const fill =
      'echo $$ > "$0/cgroup.procs"; exec "$1" -e "const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1))"';
    const { pid } = await start('/bin/sh', ['-c', fill, folder, process.execPath]);
    const death = await watch.death(pid);
    expect(death).toMatchObject({ cgroup, end: { kind: 'signaled', signal: 9 }, sender: null });
    expect(death.oom?.anonRssKib).toBeGreaterThan(1024);
    expect(death.oom?.totalVmKib).toBeGreaterThan(1024);
    if (existsSync('/dev/kmsg')) expect(death.oom).toMatchObject({ scope: 'cgroup', limitCgroup: cgroup });
  });

  test.skipIf(!canLimitMemory)('whom an injection has the OOM killer kill: ours, and by which', async () => {
    const stateDir = tempStateDir();
    const folder = memoryCgroup(96 * mib);
    const victim = await sleeperIn(folder, 'fl-oomed');
    const watch = await watching(['--name', 'fl-oomed'], stateDir);
    const attack = ['attack', 'process', 'oom', '-p', String(victim.pid), '--uid', 'hungry'];
    const ran = await cli(attack, { stateDir });
    expect(ran.code, ran.stderr).toBe(0);
    const death = await watch.death(victim.pid);
    expect(death).toMatchObject({ injection: 'hungry', sender: null });
    expect(death.oom?.oomScoreAdj).toBe(1000);
  });

  test('only whom one asks for: by name, by PID, by failure', async () => {
    const named = await watching(['--name', 'fl-wanted']);
    const failed = await watching(['--failed']);
    const [wanted, other] = [await ready('fl-wanted'), await ready('fl-wa-other')];
    const one = await watching(['--pid', String(other.pid), '--count', '1']);
    const fine = await shell('exit 0');
    await Promise.all([end(wanted), end(other)]);
    expect(await named.death(wanted.pid)).toMatchObject({ name: 'fl-wanted' });
    await failed.death(other.pid);
    await failed.death(wanted.pid);
    expect(failed.of('death').map(({ pid }) => pid)).not.toContain(fine);
    await eventually('it has seen enough', () => one.child.exitCode !== null);
    expect(one.of('death').map(({ pid }) => pid)).toEqual([other.pid]);
    await named.stop();
    expect(new Set(named.of('death').map(({ name }) => name))).toEqual(new Set(['fl-wanted']));
  });

  test('one that is started again under the same name', async () => {
    const watch = await watching();
    const supervisor = await start('/bin/sh', ['-c', 'while :; do "$0" 3600; done', program('fl-again')]);
    const childOf = (not: number): number | false =>
      watchable(supervisor.pid).find((pid) => pid !== not && commOf(pid) === 'fl-again') ?? false;
    const first = await until('it runs', () => childOf(0));
    process.kill(first, 'SIGKILL');
    await watch.death(first);
    const second = await until('it runs again', () => childOf(first));
    await eventually('the restart is told', () => watch.of('restart').some(({ died }) => died === first));
    expect(watch.of('restart').find(({ died }) => died === first)).toMatchObject({ pid: second, name: 'fl-again' });
  });

  test('two thousand that are forked and killed at once: all are seen, or it is told how many are not', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fl-many-'));
    const watch = await watching();
    try {
      // Forks of a shell: nothing is executed, so that they come as fast as the host can.
      const script = 'for i in $(seq 2000); do (echo $BASHPID >> "$0"; kill -9 $BASHPID) 2>/dev/null & done; wait';
      const pids = spawnSync('bash', ['-c', script, path.join(folder, 'pids')], {
        stdio: 'ignore',
      });
      expect(pids.status).toBe(0);
      const killed = readFileSync(path.join(folder, 'pids'), 'utf8').trim().split('\n').map(Number);
      expect(killed).toHaveLength(2_000);
      // Once more where its death is one of those that were lost.
      await eventually('a later death is told', async () => {
        const last = await shell('exit 7');
        await delay(200);
        return watch.of('death').some(({ pid }) => pid === last);
      });
      const { dropped } = await watch.stop();
      const seen = new Set(watch.of('death').flatMap(({ pid, end: how }) => (how?.kind === 'signaled' ? [pid] : [])));
      const missed = killed.filter((pid) => !seen.has(pid));
      expect(missed.length).toBeLessThanOrEqual(dropped);
      if (dropped > 0) expect(watch.of('dropped').length).toBeGreaterThan(0);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('what an injection has killed is told to be ours, and by which', async () => {
    const stateDir = tempStateDir();
    const [ours, theirs] = [await ready('fl-wa-ours'), await ready('fl-wa-theirs')];
    const attack = cli(['attack', 'process', 'kill', '-p', 'fl-wa-ours', '--uid', 'by-us'], { stateDir });
    // The journal is made by the attack: it may be there before the watch or after it.
    const watch = await watching([], stateDir);
    expect(uidIn((await attack).stdout)).toBe('by-us');
    const second = await ready('fl-ours-too');
    await cli(['attack', 'process', 'kill', '-p', String(second.pid), '--uid', 'by-us-too'], { stateDir });
    theirs.child.kill('SIGKILL');
    expect(await watch.death(second.pid)).toMatchObject({ injection: 'by-us-too' });
    expect(await watch.death(theirs.pid)).toMatchObject({ injection: null, sender: { pid: process.pid } });
    expect(ours.child.signalCode).toBe('SIGKILL');
  });
});

function commOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

function watchable(parent: number): readonly number[] {
  try {
    return readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

describe.each(sources.filter((kind) => kind !== 'bpf'))('by %s', (kind) => {
  test('who lives for a while is named rightly, and what cannot be told is said', async () => {
    const target = await ready('fl-fallback', nobody);
    const watch = await watching(['--source', kind]);
    const [first] = watch.of('watching');
    expect(first).toMatchObject({ source: kind });
    expect(first?.cannot.length).toBeGreaterThan(0);
    target.child.kill('SIGTERM');
    const death = await watch.death(target.pid);
    expect(death).toMatchObject({
      name: 'fl-fallback',
      uid: nobody,
      ppid: process.pid,
      end: { kind: 'signaled', signal: 15 },
      argv: [program('fl-fallback'), '3600'],
      source: kind,
    });
    expect(death.sender?.pid ?? null).toBe(kind === 'tracefs' ? process.pid : null);
    const three = await shell('exit 3');
    expect(await watch.death(three)).toMatchObject({ end: { kind: 'exited', code: 3 } });
    expect((await watch.stop()).deaths).toBeGreaterThanOrEqual(2);
  });

  test.skipIf(!canLimitMemory || kind !== 'tracefs')('the OOM killer', async () => {
    const folder = memoryCgroup(48 * mib);
    const watch = await watching(['--source', kind]);
    const fill =
      'echo $$ > "$0/cgroup.procs"; exec "$1" -e "const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1))"';
    const { pid } = await start('/bin/sh', ['-c', fill, folder, process.execPath]);
    const death = await watch.death(pid);
    expect(death.end).toMatchObject({ kind: 'signaled', signal: 9 });
    expect(death.oom).not.toBeNull();
    expect(death.sender).toBeNull();
  });
});
