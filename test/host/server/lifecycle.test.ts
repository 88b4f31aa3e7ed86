import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cli, tempFolder, tempStateDir } from '../../support/cli.ts';
import { faketime, fakeClock } from '../../support/faketime.ts';
import { del, get, post } from '../../support/http-requests.ts';
import { readJournal } from '../../support/journal.ts';
import { startServer } from '../../support/server.ts';
import { bootTimeMs } from '../../../src/linux/clock.ts';
import { killIfAlive, sleeper, stateOf, until } from '../targets/processes.ts';

/** The keeper of a state folder, by its command line. */
function endKeeper(stateDir: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/u.test(name))) {
    let argv: string;
    try {
      argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      continue; // it is gone
    }
    if (argv.includes(stateDir) && argv.includes('\0keeper\0')) killIfAlive(Number(pid));
  }
}

/** The shells that run this recover command. Those of services that were killed live on. */
function shellsRunning(command: string): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/u.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`FAULTLINE_RECOVER_COMMAND=${command}\0`);
    } catch {
      return false; // it is gone, or somebody else's
    }
  });
}

const stop = (pid: number, more: object = {}) => ({ kind: 'process', action: 'stop', process: String(pid), ...more });

describe('the service ends', () => {
  test('on SIGTERM with live injections: they stay, the lease is kept, the next service ends the rest', async () => {
    const stateDir = tempStateDir();
    const [leased, open] = [await sleeper('fl-leased'), await sleeper('fl-open')];
    const first = await startServer({ stateDir });
    expect(
      (await post(`${first.url}/api/v1/injections`, stop(leased.pid, { duration: '8s', uid: 'leased' }))).status,
    ).toBe(201);
    expect((await post(`${first.url}/api/v1/injections`, stop(open.pid, { uid: 'open' }))).status).toBe(201);
    expect(await first.end('SIGTERM')).toBe(0);
    expect([stateOf(leased.pid), stateOf(open.pid)]).toEqual(['T', 'T']);
    await until('the keeper continues it', () => stateOf(leased.pid) === 'S');
    const second = await startServer({ stateDir });
    expect(stateOf(open.pid)).toBe('T');
    expect((await get(`${second.url}/api/v1/injections/open`)).body).toMatchObject({ state: 'injected' });
    expect((await del(`${second.url}/api/v1/injections/open`)).body).toMatchObject({ recovered: true });
    expect(stateOf(open.pid)).toBe('S');
    expect(await second.end('SIGTERM')).toBe(0);
  });

  test('SIGKILL, and its keeper too: the next service ends what is overdue at once', async () => {
    const stateDir = tempStateDir();
    const target = await sleeper('fl-li-overdue');
    const first = await startServer({ stateDir });
    expect(
      (await post(`${first.url}/api/v1/injections`, stop(target.pid, { duration: '9s', uid: 'overdue' }))).status,
    ).toBe(201);
    await first.end('SIGKILL');
    endKeeper(stateDir);
    const endBootMs = readJournal(stateDir)[0]?.record.leaseEndBootMs ?? Number.NaN;
    await until('the lease is over', () => bootTimeMs() > endBootMs);
    expect(stateOf(target.pid)).toBe('T');
    const second = await startServer({ stateDir });
    await until('the service continues it', () => stateOf(target.pid) === 'S');
    await until('it is written down', () => readJournal(stateDir)[0]?.record.state === 'recovered');
    expect(await second.end('SIGTERM')).toBe(0);
  });

  test('the keeper is killed while the service runs: the service sees to the lease', async () => {
    const stateDir = tempStateDir();
    const target = await sleeper('fl-li-kept');
    const server = await startServer({ stateDir });
    await post(`${server.url}/api/v1/injections`, stop(target.pid, { duration: '6s', uid: 'kept' }));
    expect(stateOf(target.pid)).toBe('T');
    endKeeper(stateDir);
    await until('the service continues it', () => stateOf(target.pid) === 'S');
    expect(await server.end('SIGTERM')).toBe(0);
  });

  test.skipIf(faketime === undefined)('the clock is set back three days: the lease ends when it should', async () => {
    const stateDir = tempStateDir();
    const control = path.join(tempFolder(), 'faketimerc');
    writeFileSync(control, '+0');
    const target = await sleeper('fl-li-clock');
    const server = await startServer({ stateDir, env: fakeClock(control) });
    const startedBootMs = bootTimeMs();
    await post(`${server.url}/api/v1/injections`, stop(target.pid, { duration: '5s', uid: 'clock' }));
    expect(stateOf(target.pid)).toBe('T');
    writeFileSync(control, '-3d');
    await until('it is continued', () => stateOf(target.pid) === 'S');
    expect(bootTimeMs() - startedBootMs).toBeGreaterThan(4_900);
    expect(await server.end('SIGTERM')).toBe(0);
  });

  test('in the middle of an attack: it is finished and answered first', async () => {
    const stateDir = tempStateDir();
    const target = await sleeper('fl-li-slow');
    const server = await startServer({ stateDir });
    // Looking who comes back takes a second, whatever comes.
    const body = { kind: 'process', action: 'kill', process: String(target.pid), observe: '1s', uid: 'slow' };
    const answer = post(`${server.url}/api/v1/injections`, body);
    await until('the attack is under way', () => target.child.signalCode === 'SIGKILL');
    expect(await server.end('SIGTERM')).toBe(0);
    expect(await answer).toMatchObject({ status: 201, body: { uid: 'slow', verdict: 'confirmed' } });
  });
});

describe('much is under way', () => {
  test('clients have gone, and it is told to end: each attack comes to its end first', async () => {
    const stateDir = tempStateDir();
    const targets = await Promise.all(Array.from({ length: 20 }, (_, index) => sleeper(`fl-left-${index}`)));
    const server = await startServer({ stateDir });
    const impatience = new AbortController();
    const answers = targets.map(({ pid }) =>
      fetch(`${server.url}/api/v1/injections`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(stop(pid)),
        signal: impatience.signal,
      })
        .then((answer) => answer.text())
        .catch(() => undefined),
    );
    await until('the first is stopped', () => targets.some(({ pid }) => stateOf(pid) === 'T'));
    impatience.abort();
    expect(await server.end('SIGTERM'), server.log()).toBe(0);
    await Promise.all(answers);
    const states = readJournal(stateDir).map(({ record }) => record.state);
    expect(states.filter((state) => state !== 'injected' && state !== 'failed')).toEqual([]);
    const stopped = targets.filter(({ pid }) => stateOf(pid) === 'T');
    expect(stopped).toHaveLength(states.filter((state) => state === 'injected').length);
    expect(await cli(['recover', '--all'], { stateDir })).toMatchObject({ code: 0 });
    expect(targets.map(({ pid }) => stateOf(pid))).toEqual(targets.map(() => 'S'));
  });

  test('undoing does not wait behind attacks', async () => {
    const [slow, quick] = [await sleeper('fl-observed'), await sleeper('fl-undone')];
    const server = await startServer({ stateDir: tempStateDir(), args: ['--max-concurrency', '1'] });
    const url = `${server.url}/api/v1/injections`;
    expect(await post(url, stop(quick.pid, { uid: 'quick' }))).toMatchObject({ status: 201 });
    const body = { kind: 'process', action: 'kill', process: String(slow.pid), observe: '1h', uid: 'slow' };
    const answer = post(url, body);
    await until('the attack is under way', () => slow.child.signalCode === 'SIGKILL');
    expect(await del(`${url}/quick`)).toMatchObject({ status: 200, body: { recovered: true } });
    expect(await del(`${url}/slow`)).toMatchObject({ status: 200 });
    expect(await answer).toMatchObject({ status: 409, body: { error: { code: 'INJECTION_CANCELLED' } } });
  });

  test('one recover command that hangs keeps no other overdue lease waiting', async () => {
    const stateDir = tempStateDir();
    const [hung, other] = [await sleeper('fl-hung'), await sleeper('fl-li-other')];
    const first = await startServer({ stateDir, args: ['--allow-recover-cmd'] });
    const url = `${first.url}/api/v1/injections`;
    // It shows its environment as long as it lives: nothing that it starts has the command in its own.
    const command = `sleep 3600; : ${path.basename(stateDir)}${process.pid}`;
    const endShells = () => {
      for (const pid of shellsRunning(command)) killIfAlive(-pid); // it leads its group
    };
    onTestFinished(endShells);
    const recover = { recoverCmd: command, recoverTimeout: '1h' };
    await post(url, stop(hung.pid, { duration: '9s', uid: 'hung', ...recover }));
    await post(url, stop(other.pid, { duration: '10s', uid: 'other' }));
    await first.end('SIGKILL');
    endKeeper(stateDir);
    expect(stateOf(other.pid)).toBe('T');
    const endBootMs = readJournal(stateDir).find(({ record }) => record.uid === 'other')?.record.leaseEndBootMs;
    await until('both leases are over', () => bootTimeMs() > (endBootMs ?? 0));
    const second = await startServer({ stateDir });
    await until('the other is continued', () => stateOf(other.pid) === 'S');
    await until('the command hangs', () => shellsRunning(command).length > 0);
    expect(readJournal(stateDir)[0]?.record.state).toBe('recovering');
    await second.end('SIGKILL');
    endKeeper(stateDir);
    endShells();
    expect(await cli(['recover', 'hung', '--abandon'], { stateDir })).toMatchObject({ code: 0 });
  });
});

describe('one service a state folder', () => {
  test('the second is refused and names the first; after a SIGKILL there is no first', async () => {
    const stateDir = tempStateDir();
    const first = await startServer({ stateDir });
    const second = await cli(['server', '--port', '0'], { stateDir });
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toContain(`process ${first.pid} is the service of ${stateDir} already, on ${first.url}`);
    expect(second.stderr).toContain('[SERVER_RUNNING]');
    await first.end('SIGKILL');
    const third = await startServer({ stateDir });
    expect((await get(`${third.url}/api/system/health`)).body).toEqual({ status: 0, message: '' });
    expect(await third.end('SIGTERM')).toBe(0);
  });

  test.runIf(process.geteuid?.() === 0)('nor is there a second one in another PID namespace', async () => {
    const stateDir = tempStateDir();
    const first = await startServer({ stateDir });
    const script = path.resolve(import.meta.dirname, '../../../dist/faultline.js');
    const inside = [
      '--pid',
      '--fork',
      '--mount-proc',
      '--kill-child',
      process.execPath,
      script,
      '--state-dir',
      stateDir,
    ];
    const ran = spawnSync('unshare', [...inside, 'server', '--port', '0'], { encoding: 'utf8', timeout: 60_000 });
    expect(ran.stderr).toContain('[SERVER_RUNNING]');
    expect(ran.status).toBe(1);
    expect(await first.end('SIGTERM')).toBe(0);
  });

  test('a port that is taken is an error in words, and leaves the folder to others', async () => {
    const stateDir = tempStateDir();
    const first = await startServer({ stateDir: tempStateDir() });
    const { port } = new URL(first.url);
    const second = await cli(['server', '--port', port], { stateDir });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain('[ADDRESS_UNUSABLE]');
    expect(await (await startServer({ stateDir })).end('SIGTERM')).toBe(0);
  });

  test('commands on the same folder and the service work side by side', async () => {
    const stateDir = tempStateDir();
    const target = await sleeper('fl-shared');
    const server = await startServer({ stateDir });
    expect(
      await cli(['attack', 'process', 'stop', '-p', String(target.pid), '--uid', 'local'], { stateDir }),
    ).toMatchObject({ code: 0 });
    expect((await get(`${server.url}/api/v1/injections/local`)).body).toMatchObject({ state: 'injected' });
    expect((await del(`${server.url}/api/attack/local`)).body).toEqual({
      status: 200,
      message: 'attack recover successfully',
      uid: 'local',
    });
    expect(stateOf(target.pid)).toBe('S');
  });
});
