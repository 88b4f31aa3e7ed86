import { existsSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeathRecord } from '../../src/forensics/death-record.ts';
import { type DeathWatch, watchDeaths } from '../../src/forensics/watch/watch.ts';
import type { DeathSource } from '../../src/linux/death-events/event.ts';
import { openDeathSource } from '../../src/linux/death-events/open-source.ts';
import { numberIn } from '../../src/linux/death-events/trace-format.ts';
import { openTraceInstance } from '../../src/linux/death-events/trace-instance.ts';
import type { TraceRecord } from '../../src/linux/death-events/trace-pages.ts';
import { firstPidNamespace, readNamespace } from '../../src/linux/procfs/namespaces.ts';
import { memoryCgroup } from '../host/forensics/memory-cgroup.ts';
import { start, type TestProcess } from '../host/targets/processes.ts';
import { eventually } from '../support/eventually.ts';

/*
 * The kernel of the guest is older than most hosts': its tracepoints have other arguments and its structures other
 * offsets, and it has no process connector.
 */

const other = 65_534;
const mib = 1024 * 1024;

let source: DeathSource;
let watch: DeathWatch;
const deaths: DeathRecord[] = [];

beforeAll(() => {
  writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', '+memory');
  source = openDeathSource().source;
  watch = watchDeaths(source, {});
});

afterAll(() => {
  source.close();
});

async function deathOf(what: string, is: (record: DeathRecord) => boolean): Promise<DeathRecord> {
  await eventually(`the death of ${what} is told`, () => {
    deaths.push(...watch.look().flatMap((sight) => (sight.kind === 'death' ? [sight.record] : [])));
    return deaths.some(is);
  });
  return deaths.find(is) as DeathRecord;
}

const byPid = ({ pid }: TestProcess): Promise<DeathRecord> => deathOf(String(pid), (record) => record.pid === pid);
const shell = (script: string): Promise<TestProcess> => start('/bin/sh', ['-c', script]);

describe('one death of each kind on this kernel', { timeout: 300_000 }, () => {
  it('is watched by bpf, since nothing else is there', () => {
    expect(source.kind).toBe('bpf');
    for (const kind of ['tracefs', 'proc-connector'] as const) {
      expect(() => openDeathSource(kind)).toThrow('this kernel has no process connector (CONFIG_PROC_EVENTS)');
    }
    expect(readNamespace('self', 'pid')).toBe(firstPidNamespace);
  });

  it('exit codes, signals and who sent them', async () => {
    const [exited, faulted, divided] = [
      await shell('exit 3'),
      await shell('kill -SEGV $$'),
      await shell('kill -FPE $$'),
    ];
    expect(await byPid(exited)).toMatchObject({ end: { kind: 'exited', code: 3 }, signal: null, sender: null });
    expect(await byPid(faulted)).toMatchObject({ end: { signal: 11 }, sender: { pid: faulted.pid, name: 'sh' } });
    expect(await byPid(divided)).toMatchObject({ end: { signal: 8 }, sender: { pid: divided.pid } });
    const [asked, killed] = [await start('/bin/sleep', ['3600'], { uid: other, gid: other }), await shell('read line')];
    const sender = await start('/bin/sh', ['-c', `kill -TERM ${asked.pid}; exit 0`], { uid: other, gid: other });
    expect(await byPid(asked)).toMatchObject({
      uid: other,
      end: { kind: 'signaled', signal: 15 },
      sender: { pid: sender.pid, name: 'sh', uid: other },
    });
    killed.child.kill('SIGKILL');
    await byPid(killed);
  });

  it('the OOM killer of a cgroup', async () => {
    const folder = memoryCgroup(8 * mib);
    const fill = 'echo $$ > "$0/cgroup.procs"; s=0123456789abcdef; while :; do s=$s$s; done';
    const victim = await start('/bin/sh', ['-c', fill, folder]);
    const death = await byPid(victim);
    expect(death).toMatchObject({ end: { kind: 'signaled', signal: 9 }, sender: null });
    expect(death.oom).not.toBeNull();
    if (existsSync('/dev/kmsg')) expect(death.oom?.scope).toBe('cgroup');
  });

  it('a process in a PID namespace: both of its numbers', async () => {
    const outer = await start('unshare', ['--pid', '--fork', '/bin/sh', '-c', 'exit 5']);
    const death = await deathOf('the inner one', ({ ppid }) => ppid === outer.pid);
    expect(death).toMatchObject({ nsPid: 1, end: { kind: 'exited', code: 5 } });
    expect(death.namespaces).toEqual([{ namespace: expect.any(Number), pid: 1 }]);
    expect(death.namespaces[0]?.namespace).not.toBe(firstPidNamespace);
  });

  it('ftrace tells by the formats that this kernel shows', async () => {
    const instance = openTraceInstance(['signal/signal_generate', 'oom/mark_victim', 'sched/sched_process_exit']);
    try {
      const killed = await shell('kill -USR1 $$');
      const seen: TraceRecord[] = [];
      const told = (name: string): boolean =>
        seen.some(({ bytes }) => {
          const known = instance.formats.get(bytes.readUInt16LE(0));
          return known?.name === name && numberIn(known.format, bytes, 'pid') === killed.pid;
        });
      // Each processor has a buffer of its own, and they are read one after the other.
      await eventually('its end is traced', () => {
        seen.push(...instance.read());
        return told('sched/sched_process_exit');
      });
      seen.push(...instance.read());
      expect(told('signal/signal_generate')).toBe(true);
    } finally {
      instance.close();
    }
  });
});
