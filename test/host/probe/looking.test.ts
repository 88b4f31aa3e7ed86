import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { textOf } from '../../../src/base/json.ts';
import { tempFolder } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';
import { hasPrometheus, startPrometheus } from '../../support/prometheus.ts';
import { end, sleeper } from '../targets/processes.ts';
import { probing } from './probing.ts';

describe('tcp', () => {
  const servers = new Set<Server>();
  afterEach(() => {
    for (const server of servers) server.close();
    servers.clear();
  });

  test('connections to who listens, and to who does not any more', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.on('error', () => undefined);
    });
    servers.add(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { probe, last, settled, clock } = probing({
      kind: 'tcp',
      host: '127.0.0.1',
      port,
      everyMs: 20,
      timeoutMs: 20_000,
    });
    await eventually('some connections', () => connections > 3);
    await settled();
    expect(last('success')).toBe(100);
    expect(probe.failures()).toEqual({});
    server.close();
    await once(server, 'close');
    const fromMs = clock() + 100;
    await eventually('it fails', () => Number(last('failures', fromMs) ?? 0) > 3);
    expect(last('success', fromMs)).toBe(0);
    expect(Object.keys(probe.failures())).toContain('connection refused');
  });
});

describe('process', () => {
  test('counts those that an attack would find by that name', async () => {
    const name = 'fl-a-name-longer-than-the-kernel-keeps';
    const { last } = probing({ kind: 'process', process: name, everyMs: 20 });
    await eventually('none', () => last('count') === 0);
    expect(last('age')).toBeUndefined();
    const first = await sleeper(name);
    await eventually('one', () => last('count') === 1);
    await sleeper(name);
    await eventually('two', () => last('count') === 2);
    expect(Number(last('age'))).toBeGreaterThanOrEqual(0);
    await end(first);
    await eventually('one again', () => last('count') === 1);
  });

  test('a PID', async () => {
    const { pid } = await sleeper('fl-by-pid');
    const { last } = probing({ kind: 'process', process: String(pid), everyMs: 20 });
    await eventually('it is there', () => last('count') === 1);
    expect(last('count')).toBe(1);
  });
});

describe('command', () => {
  const command = (argv: readonly string[], times: { everyMs?: number; timeoutMs?: number } = {}) =>
    probing({ kind: 'command', argv, everyMs: 20, timeoutMs: 30_000, ...times });

  test('what it prints and how it ends', async () => {
    const { probe, last } = command(['sh', '-c', 'echo one; echo two; exit 3']);
    await eventually('it has ended', () => last('exitCode') === 3);
    expect(last('output')).toBe('one\ntwo');
    expect(last('success')).toBe(0);
    expect(Object.keys(probe.failures())).toEqual(['exit code 3']);
  });

  test('no shell has a say in its arguments', async () => {
    const { last } = command(['printf', '%s', '$HOME `id` *']);
    await eventually('it has ended', () => last('success') === 100);
    expect(last('output')).toBe('$HOME `id` *');
  });

  test('one that a signal ends', async () => {
    const { probe, last } = command(['sh', '-c', 'kill -TERM $$']);
    await eventually('it has ended', () => last('exitCode') === 143);
    expect(Object.keys(probe.failures())).toEqual(['SIGTERM']);
  });

  test('one that there is not, and one that cannot be run', async () => {
    const folder = tempFolder();
    const none = command([path.join(folder, 'none')]);
    const unfit = command([folder]);
    await eventually('both have failed', () => none.last('exitCode') === 127 && unfit.last('exitCode') === 126);
    expect(Object.keys(none.probe.failures())).toEqual(['not found']);
    expect(Object.keys(unfit.probe.failures())).toEqual(['permission denied']);
  });

  test('one that prints without end is read to its end, and its first 64 KiB are kept', async () => {
    const { last } = command(['sh', '-c', 'yes | head -c 5000000']);
    await eventually('it has ended', () => last('exitCode') === 0);
    expect(textOf(last('output')).length).toBe(64 * 1024 - 1);
  });

  test('one that hangs is killed with its children, even with those that have left its group', async () => {
    const folder = tempFolder();
    const pids = path.join(folder, 'pids');
    const script = `echo $$ >> ${pids}; setsid sh -c 'echo $$ >> ${pids}; exec sleep 3600' & sleep 3601 & wait`;
    // One attempt only, with time enough to start all of them.
    const { probe, last } = command(['sh', '-c', script], { everyMs: 600_000, timeoutMs: 6_000 });
    await eventually('it has timed out', () => last('exitCode') === 137);
    expect(Object.keys(probe.failures())).toEqual(['timeout']);
    await probe.stop();
    const all = spawnSync('cat', [pids], { encoding: 'utf8' }).stdout.trim().split('\n').map(Number);
    expect(all.length).toBeGreaterThanOrEqual(2);
    await eventually('all of them are gone', () => all.every((pid) => !isAlive(pid)));
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+[ZX]/m.test(spawnSync('cat', [`/proc/${pid}/status`], { encoding: 'utf8' }).stdout);
  } catch {
    return false;
  }
}

describe('log', () => {
  const follow = (file: string, pattern = 'error') => probing({ kind: 'log', path: file, pattern, everyMs: 20 });

  test('counts lines that match, from the start of the probe on', async () => {
    const file = path.join(tempFolder(), 'log');
    writeFileSync(file, 'error of before\n');
    const { last, settled } = follow(file);
    await settled();
    expect(last('lines')).toBe(0);
    appendFileSync(file, 'an error\nnothing\nhalf an ');
    await eventually('one line', () => last('lines') === 1);
    appendFileSync(file, 'error\n');
    await eventually('the half line is whole', () => last('lines') === 2);
    expect(Number(last('rate'))).toBeGreaterThan(0);
  });

  test('a burst of very many lines', async () => {
    const file = path.join(tempFolder(), 'log');
    writeFileSync(file, '');
    const { last, settled } = follow(file, '^$');
    await settled();
    appendFileSync(file, '\n'.repeat(600_000));
    await eventually('all are counted', () => last('lines') === 600_000);
    expect(last('lines')).toBe(600_000);
  });

  test('follows through truncation and rotation', async () => {
    const file = path.join(tempFolder(), 'log');
    writeFileSync(file, 'a long line of before that is nobody\n');
    const { last, settled } = follow(file);
    await settled();
    appendFileSync(file, 'error 1\n');
    await eventually('appended', () => last('lines') === 1);
    truncateSync(file);
    await settled();
    appendFileSync(file, 'error 2\n');
    await eventually('truncated', () => last('lines') === 2);
    renameSync(file, `${file}.1`);
    await settled();
    appendFileSync(`${file}.1`, 'error 3\n'); // by a writer that has not noticed
    writeFileSync(file, 'error 4\nerror 5\n');
    await eventually('rotated', () => last('lines') === 5);
    appendFileSync(file, 'error 6\n');
    await eventually('the new one is followed', () => last('lines') === 6);
    expect(last('lines')).toBe(6);
  });

  test('a file that is not there yet is no measure; once it is there all of it is new', async () => {
    const file = path.join(tempFolder(), 'log');
    const { probe, last } = follow(file);
    await eventually('it is missed', () => (probe.failures()['not found'] ?? 0) > 2);
    expect(last('lines')).toBeUndefined();
    writeFileSync(file, 'error\n');
    await eventually('it is there', () => last('lines') === 1);
  });

  test('neither a FIFO nor a folder nor a pattern without end holds anything up', async () => {
    const folder = tempFolder();
    const fifo = path.join(folder, 'fifo');
    spawnSync('mkfifo', [fifo]);
    const file = path.join(folder, 'log');
    writeFileSync(file, '');
    const all = [follow(fifo), follow(folder), follow(file, '^(a+)+b$')];
    await all[2]?.settled();
    appendFileSync(file, `${'a'.repeat(64)}\n`);
    await eventually('all have failed', () => all.every(({ probe }) => Object.keys(probe.failures()).length > 0));
    expect(all.slice(0, 2).flatMap(({ probe }) => Object.keys(probe.failures()))).toEqual([
      'not a regular file',
      'not a regular file',
    ]);
  });
});

describe('file', () => {
  test('what it is and says', async () => {
    const file = path.join(tempFolder(), 'file');
    const { last } = probing({ kind: 'file', path: file, everyMs: 20 });
    await eventually('it is not there', () => last('exists') === false);
    writeFileSync(file, 'ready\n');
    await eventually('it says something', () => last('content') === 'ready');
    expect([last('exists'), last('size')]).toEqual([true, 6]);
    expect(Number(last('age'))).toBeGreaterThanOrEqual(0);
    rmSync(file);
    await eventually('it is gone', () => last('exists') === false);
    mkdirSync(file);
    await eventually('it is a folder', () => last('exists') === true);
  });
});

describe('prometheus', () => {
  const query = (url: string, promql: string) =>
    probing({ kind: 'prometheus', url, query: promql, everyMs: 50, timeoutMs: 20_000 });

  test('nobody there, and somebody else', async () => {
    const child = spawn(
      process.execPath,
      [
        '-e',
        "require('http').createServer((q, r) => r.end('hi'))" +
          '.listen(0, function () { console.log(this.address().port) })',
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    try {
      const [port] = (await once(child.stdout, 'data')) as [Buffer];
      const other = query(`http://127.0.0.1:${String(port).trim()}`, 'up');
      await eventually('it has failed', () => Object.keys(other.probe.failures()).length > 0);
      expect(Object.keys(other.probe.failures())).toEqual(['not an answer of Prometheus']);
      expect(other.last('value')).toBeUndefined();
      child.kill('SIGKILL');
      await once(child, 'exit');
      await eventually('nobody is there', () => 'connection refused' in other.probe.failures());
    } finally {
      child.kill('SIGKILL');
    }
  });

  test.skipIf(!hasPrometheus)('a number of a real one (skipped without the package prometheus)', async () => {
    const { url } = await startPrometheus('127.0.0.1:9');
    const scalar = query(url, '1 + 1');
    const none = query(url, 'nobody_has_this');
    const wrong = query(url, 'sum(');
    const nan = query(url, '0 / 0');
    const vector = query(url, 'vector(7)');
    await eventually('numbers', () => scalar.last('value') === 2 && vector.last('value') === 7);
    await eventually('failures', () =>
      [none, wrong, nan].every(({ probe }) =>
        Object.keys(probe.failures()).some((reason) => !reason.startsWith('status')),
      ),
    );
    expect(Object.keys(none.probe.failures())).toContain('no series');
    expect(Object.keys(nan.probe.failures())).toContain('the value is NaN');
    expect(Object.keys(wrong.probe.failures()).join()).toContain('query refused: ');
  });
});
