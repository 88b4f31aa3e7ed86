import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { type BpfSourceOptions, openBpfSource } from '../../../src/linux/death-events/bpf-source.ts';
import type { DeathSource, SeenDeath } from '../../../src/linux/death-events/event.ts';
import { memoryCgroupOf } from '../../../src/linux/memory-cgroup.ts';
import { readCgroups } from '../../../src/linux/procfs/cgroup.ts';
import { readStat } from '../../../src/linux/procfs/stat.ts';
import { eventually } from '../../support/eventually.ts';
import { hasPython, sleeper, start, until } from '../targets/processes.ts';
import { sources } from './watching.ts';

const memoryIsV1 = memoryCgroupOf('self')?.version === 1;

const open = new Set<DeathSource>();

afterEach(() => {
  for (const source of open) source.close();
  open.clear();
});

function opened(options: Partial<BpfSourceOptions> = {}): DeathSource {
  const source = openBpfSource({ memoryIsV1, ...options });
  open.add(source);
  return source;
}

/** All deaths of a process that are told until that of one who died after it is. */
async function deathsOf(source: DeathSource, pid: number): Promise<readonly SeenDeath[]> {
  const after = await start('/bin/true');
  const seen: SeenDeath[] = [];
  await eventually('a later death is told', () => {
    seen.push(...source.read().flatMap((event) => (event.kind === 'death' ? [event] : [])));
    return seen.some((death) => death.pid === after.pid);
  });
  return seen.filter((death) => death.pid === pid);
}

async function ended({ child }: { readonly child: Awaited<ReturnType<typeof start>>['child'] }): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** The kernel before and after 6.16 tells of the last thread's end in different ways; here both do. */
const kernels = [
  ['as this kernel tells', {}],
  ['as kernels before 6.16 tell', { asIf: { exitTellsGroup: false } }],
] as const;

describe.skipIf(!sources.includes('bpf')).each(kernels)('%s', (_name, options) => {
  test.skipIf(!hasPython)('a process of forty threads dies once, with what it exited with', async () => {
    const source = opened(options);
    const threads =
      'import os, threading, time\nfor _ in range(40): threading.Thread(target=time.sleep, args=(99,)).start()';
    for (const [end, status] of [
      ['os._exit(4)', 4 << 8],
      ['os.kill(os.getpid(), 9)', 9],
    ] as const) {
      const one = await start('python3', ['-c', `${threads}\n${end}`]);
      await ended(one);
      const deaths = await deathsOf(source, one.pid);
      expect(deaths.map((death) => death.status)).toEqual([status]);
    }
  });

  test.skipIf(!hasPython)('the main thread ends first: the death is that of the last one', async () => {
    const source = opened(options);
    const lines = [
      'import ctypes, threading, time, os',
      'def last(): time.sleep(0.3); os._exit(5)',
      'threading.Thread(target=last).start()',
      'ctypes.CDLL(None).pthread_exit(None)',
    ];
    const one = await start('python3', ['-c', lines.join('\n')]);
    await ended(one);
    const deaths = await deathsOf(source, one.pid);
    expect(deaths.map(({ status }) => status)).toEqual([5 << 8]);
  });

  test('who it was: arguments, parent, start, and the arguments of the parent for one that only forks', async () => {
    const before = await sleeper('fl-before');
    await until('it runs', () => readFileSync(`/proc/${before.pid}/comm`, 'utf8').trim() === 'fl-before');
    const startTimeTicks = readStat(before.pid)?.startTimeTicks;
    const source = opened(options);
    before.child.kill('SIGTERM');
    await ended(before);
    const [death] = await deathsOf(source, before.pid);
    expect(death).toMatchObject({
      name: 'fl-before',
      ppid: process.pid,
      startTimeTicks,
      nsPid: null,
      signal: { signal: 15, code: 0, pid: process.pid },
    });
    expect(death?.argv?.[1]).toBe('3600');
    const parent = await start('/bin/bash', ['-c', '(exit 6) & wait $!; exit 0']);
    await ended(parent);
    const after = await start('/bin/true');
    const seen: SeenDeath[] = [];
    await eventually('a later death is told', () => {
      seen.push(...source.read().flatMap((event) => (event.kind === 'death' ? [event] : [])));
      return seen.some(({ pid }) => pid === after.pid);
    });
    expect(seen.find(({ ppid }) => ppid === parent.pid)).toMatchObject({
      status: 6 << 8,
      argv: ['/bin/bash', '-c', '(exit 6) & wait $!; exit 0'],
    });
  });
});

describe.skipIf(!sources.includes('bpf'))('the programs', () => {
  test('are accepted as other kernels need them, too', () => {
    const made = [opened({ asIf: { victimIsTask: false, rss: null } }), opened({ memoryIsV1: !memoryIsV1 })];
    expect(made.map((source) => source.dropped())).toEqual([0, 0]);
  });

  test('tell the cgroup of the hierarchy that memory is counted in, as /proc does', async () => {
    for (const isV1 of [true, false]) {
      const source = opened({ memoryIsV1: isV1 });
      const one = await sleeper('fl-cgroup');
      const entries = readCgroups(one.pid) ?? [];
      const expected = isV1
        ? entries.find(({ controllers }) => controllers.includes('memory'))
        : entries.find(({ hierarchyId }) => hierarchyId === 0);
      one.child.kill('SIGKILL');
      await ended(one);
      const [death] = await deathsOf(source, one.pid);
      // A host has one of both, or both.
      expect(death?.cgroup).toBe(expected?.path ?? death?.cgroup);
    }
  });

  test('a signal that nobody heeds is no cause of anything', async () => {
    const source = opened();
    const one = await start('/bin/sh', ['-c', 'trap "" TERM; echo ready; read -r line; exit 0'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await once(one.child.stdout as NodeJS.ReadableStream, 'data');
    one.child.kill('SIGTERM');
    one.child.stdin?.end('\n');
    await ended(one);
    // It ignored the signal, so that it had none: the kernel says so itself.
    expect((await deathsOf(source, one.pid))[0]).toMatchObject({ status: 0, signal: null });
  });
});
