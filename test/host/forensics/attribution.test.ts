import type { SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openEngine } from '../../../src/experiment/engine.ts';
import { recoverOom } from '../../../src/faults/process/oom/recover.ts';
import type { Effect, Journal } from '../../../src/faults/fault.ts';
import type { DeathRecord } from '../../../src/forensics/death-record.ts';
import { bootId } from '../../../src/linux/boot-id.ts';
import { readStat } from '../../../src/linux/procfs/stat.ts';
import { delay } from '../../../src/base/delay.ts';
import { cli, tempStateDir } from '../../support/cli.ts';
import { hasPython, sleeper, start, until } from '../targets/processes.ts';
import { sources, watching } from './watching.ts';

/*
 * Nobody is blamed for what another did, and nobody is called dead who lives.
 */

const death: DeathRecord = {
  at: Date.now(),
  bootMs: 1,
  bootId: bootId(),
  pid: 4_000_123,
  nsPid: null,
  namespaces: [],
  startTimeTicks: 100,
  ppid: 1,
  name: 'fl-api',
  argv: ['fl-api'],
  uid: 0,
  cgroup: '/box',
  container: null,
  ageMs: 4200,
  end: { kind: 'signaled', signal: 15, coreDumped: false },
  signal: { number: 15, code: 0, beforeMs: 0.2 },
  sender: { pid: 99, name: 'pkill', uid: 0, cgroup: '/box' },
  oom: null,
  injection: null,
  source: 'bpf',
};

/** A state folder whose journal has these deaths. */
async function recorded(...deaths: readonly DeathRecord[]): Promise<string> {
  const stateDir = tempStateDir();
  const interrupted = new AbortController().signal;
  const engine = openEngine({ stateDir, via: 'test', program: [], interrupted, observe: () => undefined });
  try {
    await engine.recordDeaths(deaths);
  } finally {
    engine.close();
  }
  return stateDir;
}

interface Told {
  readonly summary: string;
  readonly causes: readonly { readonly title: string; readonly evidence: readonly string[] }[];
}

async function why(args: readonly string[], stateDir: string): Promise<Told> {
  return JSON.parse((await cli(['why', ...args, '-o', 'json'], { stateDir })).stdout) as Told;
}

describe.skipIf(!sources.includes('bpf'))('it was us, or it was not', () => {
  test('who outlived our signal and died of another’s was not killed by us', async () => {
    const stateDir = tempStateDir();
    const script = 'trap "trap - TERM; echo heard" TERM; echo ready; while :; do sleep 0.1; done';
    const target = await start('/bin/bash', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    const said: string[] = [];
    target.child.stdout?.setEncoding('utf8').on('data', (text: string) => said.push(text));
    await until('it listens', () => said.join('').includes('ready'));
    const watch = await watching(['--pid', String(target.pid)], stateDir);
    const attack = ['attack', 'process', 'kill', '-p', String(target.pid), '--signal', 'TERM', '--wait', '200ms'];
    await cli(attack, { stateDir });
    await until('it has outlived ours', () => said.join('').includes('heard'));
    // Longer than the journal's clock and the kernel's may be apart.
    await delay(1_500);
    target.child.kill('SIGTERM');
    expect(await watch.death(target.pid)).toMatchObject({
      end: { kind: 'signaled', signal: 15 },
      sender: { pid: process.pid },
      injection: null,
    });
  });
});

describe('a PID that was given again', () => {
  test('what befell the one before is said to be his', async () => {
    const { pid } = await sleeper('fl-second');
    const { startTimeTicks = 0 } = readStat(pid) ?? {};
    const before = { ...death, pid, name: 'fl-first', startTimeTicks: startTimeTicks - 100, at: Date.now() - 60_000 };
    const stateDir = await recorded(before);
    const told = await why(['--pid', String(pid)], stateDir);
    expect(told.summary).toContain(
      `pid ${pid} (fl-second) is alive; an earlier process had this PID: pid ${pid} (fl-first) died of SIGTERM`,
    );
    expect(told.causes[0]?.evidence[0]).toBe('it was an earlier process with this PID');
  });

  test('of two that died the last is told first', async () => {
    const at = Date.now();
    const first = { ...death, name: 'fl-first', startTimeTicks: 100, at: at - 60_000 };
    const second = { ...death, name: 'fl-second', startTimeTicks: 4_000, at, ageMs: 1_000 };
    const { causes } = await why([String(death.pid)], await recorded(first, second));
    expect(causes.map(({ title }) => /\((.*?)\)/.exec(title)?.[1])).toEqual(['fl-second', 'fl-first']);
    const earlier = causes.map(({ evidence }) => evidence.includes('it was an earlier process with this PID'));
    expect(earlier).toEqual([false, true]);
  });
});

test('a name that the kernel has cut is asked for whole', async () => {
  const [name, other] = ['faultline-billing-api', 'faultline-billing-db'];
  const cut = name.slice(0, 15);
  const stateDir = await recorded(
    { ...death, pid: 4_000_124, name: cut, argv: [`/usr/bin/${name}`] },
    { ...death, pid: 4_000_125, name: cut, argv: [`/usr/bin/${other}`] },
  );
  const { causes } = await why([name], stateDir);
  expect(causes.map(({ title }) => title.slice(0, 11))).toEqual(['pid 4000124']);
});

describe.skipIf(!hasPython).each(sources.filter((kind) => kind !== 'bpf'))('by %s', (kind) => {
  test('a process whose main thread ends first is not dead', async () => {
    const watch = await watching(['--source', kind]);
    const execs = [
      'import os, threading, time',
      'threading.Thread(target=lambda: os.execv("/bin/sh", ["fl-execed", "-c", "sleep 1; exit 4"])).start()',
      'time.sleep(60)',
    ];
    const execed = await start('python3', ['-c', execs.join('\n')]);
    // Without its interpreter's knowledge: exit(2) of the main thread alone is system call 60, or 93 on arm64.
    const number = process.arch === 'x64' ? 60 : 93;
    const leaves = [
      'import ctypes, os, sys, threading, time',
      'def last(): time.sleep(0.7); os._exit(5)',
      'threading.Thread(target=last).start()',
      `ctypes.CDLL(None).syscall(${number}, 7)`,
    ];
    const leaderless = await start('python3', ['-c', leaves.join('\n')]);
    expect(await watch.death(execed.pid)).toMatchObject({ end: { kind: 'exited', code: 4 } });
    await watch.death(leaderless.pid);
    await watch.stop();
    for (const { pid } of [execed, leaderless]) {
      expect(watch.of('death').filter((one) => one.pid === pid)).toHaveLength(1);
    }
    expect(watch.of('death').find((one) => one.pid === leaderless.pid)?.ageMs ?? 700).toBeGreaterThanOrEqual(600);
  });
});

test('recovery ends what fills a cgroup, and nobody who only mentions it', async () => {
  const token = 'b0b5b0b5-0000-4000-8000-000000000001';
  const waits: SpawnOptions = { stdio: ['pipe', 'ignore', 'ignore'] };
  const search = await start('/bin/sh', ['-c', 'read -r line', 'grep', token], waits);
  const hog = await start(
    '/bin/sh',
    ['-c', 'read -r line', 'fault-program', 'process', 'hog', `{"token":"${token}"}`],
    waits,
  );
  await until('both run', () => [search, hog].every(({ pid }) => readFileSync(`/proc/${pid}/cmdline`).includes(token)));
  const ended = once(hog.child, 'exit');
  const effect = {
    type: 'memory-hog',
    status: 'applied',
    target: { key: 'hog', label: 'hog' },
    undo: { token },
    outcome: null,
  } as unknown as Effect;
  const journal = { release: () => Promise.resolve(new Map()), settle: () => undefined } as unknown as Journal;
  await recoverOom([effect], journal);
  expect(await ended).toEqual([null, 'SIGKILL']);
  expect(search.child.exitCode ?? search.child.signalCode).toBeNull();
});
