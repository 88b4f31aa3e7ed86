import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DeathRecord } from '../../../src/forensics/death-record.ts';
import { endWithTest } from '../../support/children.ts';
import { cli, finished, startCli, tempFolder, tempStateDir } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { get } from '../../support/http-requests.ts';
import { startServer } from '../../support/server.ts';
import { sources, watching } from '../forensics/watching.ts';
import { program, sleeper, start, until } from '../targets/processes.ts';
import { childrenOf } from '../forensics/container.ts';

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

async function watchingService(stateDir = tempStateDir(), args: readonly string[] = []) {
  const server = await startServer({ stateDir, args });
  await eventually('it watches', async () => {
    const { body } = await get(`${server.url}/api/v1/deaths?limit=1`);
    return (body as { readonly watching: unknown }).watching !== null;
  });
  return server;
}

/** A state folder that must not come to be. */
const nowhere = (): string => path.join(tempFolder(), 'never');

/** What differs between two who watch the same: when they have seen it, by clocks of their own. */
function clockless({ at: _at, bootMs: _bootMs, ageMs: _ageMs, signal, ...rest }: DeathRecord) {
  return { ...rest, signal: signal === null ? null : { number: signal.number, code: signal.code } };
}

describe.skipIf(!sources.includes('bpf'))('watch through a service', () => {
  test('tells the same as a watch on the host: deaths, who sent the signal, injections, restarts', async () => {
    const server = await watchingService();
    const { stateDir, url } = server;
    const there = await watching(['--server', url], nowhere());
    const here = await watching([], stateDir);
    expect(there.of('watching')).toEqual(here.of('watching'));
    const [ours, theirs] = [await sleeper('fl-rours'), await sleeper('fl-rtheirs')];
    const args = ['attack', 'process', 'kill', '-p', String(ours.pid), '--uid', 'by-us'];
    const attack = await cli(args, { stateDir });
    expect(attack.code, attack.stderr).toBe(0);
    theirs.child.kill('SIGTERM');
    for (const { pid } of [ours, theirs]) {
      const [one, other] = [await here.death(pid), await there.death(pid)];
      expect(clockless(other)).toEqual(clockless(one));
      // The same moment in the same unit, as far as two clocks were read at two times.
      expect(Math.abs(one.at - other.at)).toBeLessThan(60_000);
      expect(Object.keys(other)).toEqual(Object.keys(one));
    }
    expect(await there.death(ours.pid)).toMatchObject({ injection: 'by-us' });
    const supervisor = await start('/bin/sh', ['-c', 'while :; do "$0" 3600; done', program('fl-dr-again')]);
    const running = (not: number) => until('it runs', () => childrenOf(supervisor.pid).find((pid) => pid !== not));
    const first = await running(0);
    await until('it is a program', () => here.lines.length > 0 && nameOf(first) === 'fl-dr-again');
    process.kill(first, 'SIGKILL');
    await eventually('the restart is told', () => there.of('restart').some(({ died }) => died === first));
    const order = there.lines.flatMap((line) =>
      (line.kind === 'death' && line.pid === first) || (line.kind === 'restart' && line.died === first)
        ? [line.kind]
        : [],
    );
    expect(order).toEqual(['death', 'restart']);
    // How many events are lost is a matter of how many others die on this host.
    expect(await there.stop()).toMatchObject({ dropped: expect.any(Number) });
  });

  test('the filters, and the lines for people', async () => {
    const { url } = await watchingService();
    // All of the host is watched: the name must be nobody else's.
    const name = `fl-w${process.pid}`;
    const args = ['watch', '--server', url, '--name', name, '--count', '1'];
    const child = startCli(args, { stateDir: nowhere() });
    endWithTest(child);
    const ran = finished(child);
    let said = '';
    child.stderr?.on('data', (piece: string) => (said += piece));
    await eventually('it watches', () => said.includes(`watching by bpf of the service at ${url}; Ctrl-C ends it`));
    const [other, wanted] = [await sleeper('fl-dr-other'), await sleeper(name)];
    other.child.kill('SIGTERM');
    await once(other.child, 'exit');
    wanted.child.kill('SIGTERM');
    const { code, stdout, stderr } = await ran;
    expect(code, stderr).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`pid ${wanted.pid} (${name})`);
    expect(lines[0]).toContain(`died of SIGTERM, sent by pid ${process.pid} (`);
    expect(stderr).toMatch(/1 death seen, (?:no event|\d+ events?) dropped/u);
  });

  test('the service is started again: the watch goes on, and misses nothing that is kept', async () => {
    const port = String(await freePort());
    const server = await watchingService(tempStateDir(), ['--port', port]);
    const there = await watching(['--server', server.url], nowhere());
    const before = await sleeper('fl-dr-before');
    before.child.kill('SIGKILL');
    await there.death(before.pid);
    await server.end('SIGKILL');
    await eventually('it is said', () => there.stderr().includes('the connection to the service is lost'));
    await watchingService(server.stateDir, ['--port', port]);
    const after = await sleeper('fl-after');
    after.child.kill('SIGKILL');
    expect(await there.death(after.pid)).toMatchObject({ name: 'fl-after' });
    expect(there.of('death').filter(({ pid }) => pid === before.pid)).toHaveLength(1);
  });
});

test.each([
  [['--source', 'bpf'], 'a service has chosen by itself how it watches'],
  [['--state-dir', '/nowhere'], 'a service has its own state folder'],
])('%j with a service is refused', async (args, words) => {
  const ran = await cli(['watch', ...args, '--server', 'http://127.0.0.1:1'], {});
  expect(ran).toMatchObject({ code: 128, stdout: '' });
  expect(ran.stderr).toContain(words);
});

test('a service that does not watch, one that is not there, one that is not told', async () => {
  const server = await startServer({ stateDir: tempStateDir(), args: ['--no-watch'] });
  const blind = await cli(['watch', '--server', server.url], { stateDir: nowhere() });
  expect(blind).toMatchObject({ code: 1, stdout: '' });
  expect(blind.stderr).toContain('does not watch deaths');
  await server.end();
  const gone = await cli(['watch', '--server', server.url], { stateDir: nowhere() });
  expect(gone).toMatchObject({ code: 1, stdout: '' });
  expect(gone.stderr).toContain('[SERVER_UNREACHABLE]');
  const stray = await cli(['watch', '--token-file', '/nowhere', '--for', '1s'], { stateDir: tempStateDir() });
  expect(stray).toMatchObject({ code: 128 });
});
