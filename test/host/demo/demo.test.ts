import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { type Site, startSite } from '../../../src/demo/start-site.ts';
import { readProcessTable } from '../../../src/targets/process-table.ts';
import { cli, finished, startCli, tempFolder } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';
import { get } from '../../support/http-requests.ts';
import { hasNginx } from '../../support/nginx.ts';
import { end, sleeper } from '../targets/processes.ts';

const program = [process.execPath, path.resolve(import.meta.dirname, '../../../dist/faultline.js')];

/** Processes of the demo whose temporary folder is in this one. */
function demoProcesses(folder: string): readonly { readonly pid: number; readonly name: string }[] {
  const table = readProcessTable();
  return table.pids().flatMap((pid) => {
    const isDemo = table.argv(pid)?.some((argument) => argument.includes(folder)) === true;
    return isDemo && pid !== process.pid ? [{ pid, name: table.comm(pid) ?? '' }] : [];
  });
}

const servers = (folder: string) => demoProcesses(folder).filter(({ name }) => name === 'fizzbuzz-api');

const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

/** The demo with all that it writes below `folder`. */
function startDemo(folder: string, ...args: readonly string[]): ChildProcess {
  chmodSync(folder, 0o777);
  const child = startCli(['demo', '--report', path.join(folder, 'report.html'), ...args], { env: { TMPDIR: folder } });
  running.add(child);
  return child;
}

const hasFolder = (folder: string): boolean => readdirSync(folder).some((name) => name.startsWith('faultline-demo-'));

/** Nothing of the demo is there any more. */
async function nothingLeft(folder: string): Promise<void> {
  await eventually('all processes of the demo have ended', () => demoProcesses(folder).length === 0);
  await eventually('its folder is gone', () => !hasFolder(folder));
}

describe('the service of the demo', () => {
  async function tryOut(nginx: boolean): Promise<Site> {
    const site = await startSite(program, nginx);
    try {
      const { status, body } = await get(`${site.url}/api/v1/fizzbuzz?number=15`);
      expect([status, body]).toEqual([200, { number: 15, answer: 'FizzBuzz' }]);
      const [first, second] = servers(site.folder);
      expect(servers(site.folder).length).toBe(2);
      process.kill(first?.pid ?? 0, 'SIGKILL');
      await eventually('it is there again', () => {
        const pids = servers(site.folder).map(({ pid }) => pid);
        return pids.length === 2 && !pids.includes(first?.pid ?? 0) && pids.includes(second?.pid ?? 0);
      });
      // One that is stopped must end as well.
      process.kill(second?.pid ?? 0, 'SIGSTOP');
    } finally {
      await site.end();
    }
    return site;
  }

  test('answers, has its servers started again, and ends whole', async () => {
    const { folder } = await tryOut(false);
    expect(demoProcesses(folder)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  test.skipIf(!hasNginx)('the same with the nginx of this host (skipped without it)', async () => {
    const { folder } = await tryOut(true);
    expect(demoProcesses(folder)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  test('a supervisor that is killed takes all others with it', async () => {
    const site = await startSite(program, false);
    try {
      const [server] = servers(site.folder);
      process.kill(server?.pid ?? 0, 'SIGSTOP');
      const supervisor = demoProcesses(site.folder).find(({ name }) => name === 'faultline-demo');
      process.kill(supervisor?.pid ?? 0, 'SIGKILL');
      await eventually('all have ended', () => demoProcesses(site.folder).length === 0);
    } finally {
      await site.end();
    }
    expect(existsSync(site.folder)).toBe(false);
  });
});

describe('faultline demo', () => {
  test('from its start to its report', async () => {
    const folder = tempFolder();
    const { code, stdout, stderr } = await finished(startDemo(folder));
    // On a machine that has no time for its servers it is aborted: what it says then is tested all the same.
    expect([0, 2], stderr).toContain(code);
    expect(stdout).toMatch(code === 0 ? /^Verdict: +(?:held|deviated)$/m : /^Verdict: +aborted$/m);
    expect(stdout).toContain(path.join(folder, 'report.html'));
    expect(readFileSync(path.join(folder, 'report.html'), 'utf8')).toContain('fizzbuzz-demo');
    if (code === 0) expect(stderr).toContain('(fizzbuzz-api) died of SIGKILL');
    await nothingLeft(folder);
  });

  test('Ctrl-C undoes and ends it', async () => {
    const folder = tempFolder();
    const child = startDemo(folder);
    const ended = finished(child);
    await eventually('its servers are there', () => servers(folder).length === 2 || child.exitCode !== null);
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    await nothingLeft(folder);
  });

  // The earlier ones find it while it starts its service, the last one (mostly) while it asks.
  test.for([0, 50, 100, 200, 400, 2_000])('SIGKILL leaves nothing either, after %i ms', async (ms) => {
    const folder = tempFolder();
    const child = startDemo(folder);
    const ended = finished(child);
    await eventually('its folder is there', () => hasFolder(folder) || child.exitCode !== null);
    await delay(ms);
    child.kill('SIGKILL');
    const { signal, code } = await ended;
    // On a machine that has no time for its servers it may have been aborted before.
    expect(['SIGKILL', 2]).toContain(signal ?? code);
    await nothingLeft(folder);
  });

  test.for(['SIGKILL', 'SIGINT'] as const)('%s while one server is stopped leaves nothing', async (signal) => {
    const folder = tempFolder();
    const child = startDemo(folder);
    let said = '';
    child.stderr?.on('data', (piece: Buffer) => (said += String(piece)));
    const ended = finished(child);
    await eventually('a server is stopped, or it has ended before', () =>
      [said.includes('stop the other one: pid'), child.exitCode !== null].some(Boolean),
    );
    child.kill(signal);
    // 2: on a machine that has no time for its servers it is aborted before.
    expect(signal === 'SIGKILL' ? [null, 2] : [130, 2]).toContain((await ended).code);
    await nothingLeft(folder);
  });

  test('SIGTERM ends it as Ctrl-C does; what is no terminal gets no colours', async () => {
    const folder = tempFolder();
    const child = startDemo(folder);
    const ended = finished(child);
    await eventually('its servers are there', () => servers(folder).length === 2 || child.exitCode !== null);
    child.kill('SIGTERM');
    const { stdout, stderr } = await ended;
    expect(stdout + stderr).not.toContain('\u001B');
    expect(child.exitCode).toBe(143);
    await nothingLeft(folder);
  });

  test('who is called as its servers is not touched: it does not start', async () => {
    const other = await sleeper('fizzbuzz-api');
    const { code, stderr } = await cli(['demo', '--report', path.join(tempFolder(), 'report.html')]);
    expect(code).toBe(1);
    expect(stderr).toContain(`there are processes called fizzbuzz-api on this host: ${other.pid}`);
    await end(other);
  });

  test('a report that could not be written is refused at once', async () => {
    const { code, stderr } = await cli(['demo', '--report', '/proc/none/report.html']);
    expect([code, stderr]).toEqual([128, expect.stringContaining('the report cannot be written into /proc/none')]);
  });
});
