import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openEngine } from '../../../src/experiment/engine.ts';
import type { DeathRecord } from '../../../src/forensics/death-record.ts';
import { cli, finished, startCli, tempFolder, tempStateDir, uidIn } from '../../support/cli.ts';
import { sleeper } from '../targets/processes.ts';

interface Told {
  readonly summary: string;
  readonly causes: readonly {
    readonly id: string;
    readonly likelihood: string;
    readonly title: string;
    readonly evidence: readonly string[];
  }[];
  readonly notes: readonly string[];
}

async function why(args: readonly string[], stateDir = tempStateDir()): Promise<Told> {
  const ran = await cli(['why', ...args, '-o', 'json'], { stateDir });
  if (ran.stdout === '') throw new Error(ran.stderr);
  return JSON.parse(ran.stdout) as Told;
}

const kill = 'Out of memory: Killed process 77 (fl-db) total-vm:800kB, anon-rss:400kB, file-rss:8kB, shmem-rss:0kB\n';

describe('codes', () => {
  test('on one screen, and without anything native', async () => {
    const ran = await cli(['why', '137'], { stateDir: tempStateDir() });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toContain('exit code 137 = 128 + 9');
    expect(ran.stdout.split('\n').length).toBeLessThanOrEqual(25);
    expect(Math.max(...ran.stdout.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(100);
  });

  test.each(['-9', '0x8b', 'SIGSEGV'])('%s', async (code) => {
    expect((await why([code])).causes.length).toBeGreaterThan(0);
  });

  test('nothing that could be: said, with exit code 1', async () => {
    const ran = await cli(['why', '0x12345678'], { stateDir: tempStateDir() });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('is no exit code');
  });
});

describe('processes', () => {
  test('killed by us: the injection is named', async () => {
    const stateDir = tempStateDir();
    const { pid, child } = await sleeper('fl-shot');
    const exited = once(child, 'exit');
    const attack = await cli(['attack', 'process', 'kill', '-p', String(pid)], { stateDir });
    await exited;
    for (const asked of [[String(pid)], ['fl-shot'], ['--pid', String(pid)]]) {
      const { causes } = await why(asked, stateDir);
      expect(causes[0]).toMatchObject({ id: 'injection', likelihood: 'certain' });
      expect(causes[0]?.title).toContain(uidIn(attack.stdout));
    }
  });

  test('one that lives, one that nobody knows, one whose name is nearly right', async () => {
    const { pid } = await sleeper('fl-lives');
    expect((await why([String(pid)])).summary).toContain(`pid ${pid} (fl-lives) is alive`);
    expect((await why(['fl-livse'])).notes.join()).toContain('fl-lives');
    const unknown = await cli(['why', 'fl-nobody'], { stateDir: tempStateDir() });
    expect(unknown.code).toBe(1);
    expect(unknown.stdout).toContain('nothing is known of a death of fl-nobody');
  });

  test('what was watched is told afterwards: who sent the signal', async () => {
    const stateDir = tempStateDir();
    const engine = openEngine({
      stateDir,
      via: 'test',
      program: [],
      interrupted: new AbortController().signal,
      observe: () => undefined,
    });
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    const death: DeathRecord = {
      at: Date.now(),
      bootMs: 1,
      bootId,
      pid: 4_000_123,
      nsPid: 7,
      namespaces: [{ namespace: 4_026_532_000, pid: 7 }],
      startTimeTicks: 100,
      ppid: 1,
      name: 'fl-api',
      argv: ['fl-api', '--port', '80'],
      uid: 1000,
      cgroup: '/box',
      container: null,
      ageMs: 4200,
      end: { kind: 'signaled', signal: 15, coreDumped: false },
      signal: { number: 15, code: 0, beforeMs: 0.2 },
      sender: { pid: 99, name: 'pkill', uid: 0, cgroup: '/user.slice' },
      oom: null,
      injection: null,
      source: 'bpf',
    };
    try {
      await engine.recordDeaths([death]);
    } finally {
      engine.close();
    }
    const { causes } = await why(['4000123'], stateDir);
    expect(causes[0]?.title).toBe(
      'pid 4000123 (fl-api, 7 in its namespace) died of SIGTERM, sent by pid 99 (pkill) of root in /user.slice',
    );
  });

  test('a journal that cannot be read keeps nobody else from speaking', async () => {
    const stateDir = tempFolder();
    writeFileSync(path.join(stateDir, 'faultline.db'), 'not a journal');
    expect((await why(['fl-nobody'], stateDir)).notes.join()).toContain('the journal');
  });
});

describe('logs', () => {
  test('a file, plain and compressed, and the standard input', async () => {
    const folder = tempFolder();
    const plain = path.join(folder, 'kern.log');
    const packed = path.join(folder, 'kern.log.1.gz');
    writeFileSync(plain, kill);
    writeFileSync(packed, gzipSync(kill));
    const expected = 'the OOM killer killed pid 77 (fl-db): the host ran out of memory';
    for (const file of [plain, packed]) expect((await why(['--log', file])).summary).toBe(expected);
    expect((await why(['fl-db', '--log', plain])).summary).toBe(expected);
    expect((await why(['--pid', '77', '--log', plain])).summary).toBe(expected);
    const coded = await why(['137', '--log', plain]);
    expect(coded.summary).toContain('exit code 137');
    expect(coded.causes[0]?.title).toBe(expected);
    expect(coded.causes.filter(({ id }) => id === 'oom-killer')).toHaveLength(1);
    const other = await why(['143', '--log', plain]);
    expect(other.causes.map(({ title }) => title)).not.toContain(expected);
    expect(other.notes).toContain('the log also tells of 1 death that did not end so');
    const child = startCli(['why', '--log', '/dev/stdin'], { stateDir: tempStateDir() });
    expect((await finished(child)).code).toBe(1);
  });

  test('a compressed log that is cut off or damaged: what could be read is told, and that it is not all', async () => {
    const folder = tempFolder();
    const noise = Array.from({ length: 50_000 }, (_, index) => `[${index}.000000] noise ${index * 7919}\n`).join('');
    const packed = gzipSync(kill + noise);
    const cut = path.join(folder, 'cut.gz');
    const damaged = path.join(folder, 'damaged.gz');
    writeFileSync(cut, packed.subarray(0, packed.length - 100));
    writeFileSync(damaged, Buffer.concat([packed.subarray(0, 2), Buffer.from([8, 0xff, 0, 0])]));
    const told = await why(['--log', cut]);
    expect(told.summary).toContain('the OOM killer killed pid 77');
    expect(told.notes.join()).toContain('damaged or cut off');
    const ran = await cli(['why', '--log', damaged], { stateDir: tempStateDir() });
    expect(ran).toMatchObject({ code: 1, stderr: '' });
    expect(ran.stdout).toContain('damaged or cut off');
  });

  test.each([
    [['--log', '/nowhere/kern.log'], 'there is no file'],
    [['--log', '/'], 'is a folder'],
    [['fl-a', '--name', 'fl-b'], 'only one can be asked about'],
    [['--pid', '99999999'], 'is no process ID'],
    [[''], 'the name is empty'],
    [['--name', ' '], 'the name is empty'],
  ])('%j is refused', async (args, words) => {
    const ran = await cli(['why', ...args], { stateDir: tempStateDir() });
    expect(ran.code).toBe(128);
    expect(ran.stderr).toContain(words);
  });
});
