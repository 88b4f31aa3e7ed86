import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readJournal } from '../../support/journal.ts';
import { until } from '../targets/processes.ts';
import { cannotInject, content, fill, kill, mountsOf, ours, processesOf } from './lab.ts';
import { startTarget } from './target.ts';
import { expectRecovered, expectSettled, expectWell, fault, readAll, type Stage, stage, textOf } from './survival.ts';

/** Until the process waits for whoever serves the volume: request_wait_answer of fs/fuse/dev.c. */
function waitsInFuse(pid: number): Promise<unknown> {
  return until('it waits', () => readFileSync(`/proc/${pid}/wchan`, 'utf8').startsWith('request_wait'));
}

describe.skipIf(cannotInject !== undefined)('killed while it lasts', () => {
  /** Without another command. */
  async function expectEndedByKeeper(on: Stage, what: string): Promise<void> {
    await expectWell(on, what);
    await until('the journal says so', () => readJournal(on.one.stateDir)[0]?.record.state === 'recovered');
    expectSettled(on.one, what);
  }

  test('the daemon: the keeper gives the volume back', async () => {
    const on = await stage();
    const uid = await on.one.inject(fault);
    kill(await ours(on.one, 'io-daemon'));
    await expectEndedByKeeper(on, 'daemon');
    const { timeline } = await on.one.show(uid);
    expect(timeline).toContainEqual(
      expect.objectContaining({ type: 'recovering', data: { reason: 'the daemon of its volume has died' } }),
    );
  });

  test('the daemon, when what the volume lies in is called otherwise by then', async () => {
    const on = await stage();
    const parent = path.dirname(on.one.volume);
    const aside = mkdtempSync(path.join(tmpdir(), 'faultline-io-renamed-'));
    onTestFinished(() => rmSync(aside, { recursive: true, force: true }));
    // Its state folder lies there, too, and stays.
    const within = path.join(parent, 'within');
    const deep = path.join(within, 'volume');
    fill(deep);
    const target = await startTarget(path.join(deep, 'file'));
    const ran = await on.one.run(['attack', 'io', ...fault, '--volume', deep]);
    expect(ran.code, ran.stderr).toBe(0);
    renameSync(within, path.join(aside, 'other'));
    kill(await ours(on.one, 'io-daemon'));
    await until('the journal says so', () => readJournal(on.one.stateDir)[0]?.record.state === 'recovered');
    expectSettled(on.one, 'renamed');
    expect(textOf(await target.ask(readAll)) === content).toBe(true);
    expect(mountsOf({ below: aside })).toEqual([]);
  });

  test('the daemon, with an operation that waits: whoever waits is let go, with an error', async () => {
    const on = await stage();
    await on.one.inject(['latency', '--methods', 'read', '--delay', '1h']);
    const waiting = on.target.ask({ do: 'read', at: 0, size: 10 });
    await waitsInFuse(on.target.pid);
    kill(await ours(on.one, 'io-daemon'));
    expect((await waiting).error).toMatch(/^E(?:CONNABORTED|NOTCONN)$/u);
    await expectEndedByKeeper(on, 'daemon');
  });

  test('nobody, with an operation that waits: it is let go, and is done', async () => {
    const on = await stage();
    const uid = await on.one.inject(['latency', '--methods', 'read', '--delay', '1h']);
    const waiting = on.target.ask({ do: 'read', at: 0, size: 10 });
    await waitsInFuse(on.target.pid);
    await on.one.recover(uid);
    expect(textOf(await waiting)).toBe(content.slice(0, 10));
    await expectWell(on, 'recover');
  });

  test('the keeper: the fault goes on, and the next command starts another one', async () => {
    const on = await stage();
    await on.one.inject(fault);
    const first = await ours(on.one, 'keeper');
    kill(first);
    await until('it is gone', () => !processesOf(on.one).some(({ pid }) => pid === first));
    expect(await on.target.ask({ do: 'read', at: 0, size: 10 })).toMatchObject({ error: 'EIO' });
    expect(await on.one.run(['search'])).toMatchObject({ code: 0 });
    await ours(on.one, 'keeper');
    kill(await ours(on.one, 'io-daemon'));
    await expectEndedByKeeper(on, 'the second keeper');
  });

  test('the daemon and the keeper: the next command of any kind gives the volume back', async () => {
    const on = await stage();
    await on.one.inject(fault);
    const [keeper, daemon] = [await ours(on.one, 'keeper'), await ours(on.one, 'io-daemon')];
    kill(keeper);
    kill(daemon);
    await until('they are gone', () => !processesOf(on.one).some(({ pid }) => pid === keeper || pid === daemon));
    const ran = await on.one.run(['search']);
    expect(ran.stderr).toContain('was left behind');
    await expectWell(on, 'daemon and keeper');
    expectSettled(on.one, 'daemon and keeper');
  });

  test('the daemon by SIGTERM: it gives the volume back by itself', async () => {
    const on = await stage();
    await on.one.inject(fault);
    kill(await ours(on.one, 'keeper'));
    kill(await ours(on.one, 'io-daemon'), 'SIGTERM');
    await expectWell(on, 'SIGTERM');
    await expectRecovered(on, 'SIGTERM');
  });

  test('the keeper by SIGTERM: it gives the volume back', async () => {
    const on = await stage();
    await on.one.inject(fault);
    kill(await ours(on.one, 'keeper'), 'SIGTERM');
    await expectEndedByKeeper(on, 'SIGTERM');
  });

  test('the daemon is stopped: the keeper gives the volume back, and whoever waits goes on', async () => {
    const on = await stage();
    await on.one.inject(fault);
    kill(await ours(on.one, 'io-daemon'), 'SIGSTOP');
    await on.target.ask({ do: 'read', at: 0, size: 10 });
    await expectEndedByKeeper(on, 'SIGSTOP');
  });

  test('the daemon is stopped, and the keeper killed: recover does not wait for it', async () => {
    const on = await stage();
    const uid = await on.one.inject(fault);
    kill(await ours(on.one, 'keeper'));
    kill(await ours(on.one, 'io-daemon'), 'SIGSTOP');
    await on.one.recover(uid);
    await expectRecovered(on, 'SIGSTOP');
  });
});
