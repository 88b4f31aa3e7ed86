import { describe, expect, test } from 'vitest';
import type { ScheduleDocument } from '../../../src/api/schedule-documents.ts';
import { bootTimeMs } from '../../../src/linux/clock.ts';
import { cli, tempStateDir } from '../../support/cli.ts';
import { del, get, post } from '../../support/http-requests.ts';
import { readJournal } from '../../support/journal.ts';
import { eventually, expectOncePerTick, expectSound } from '../../support/schedules.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { sleeper, stateOf } from '../targets/processes.ts';

const everySecond = (uid: string, pid: number, duration: string) => ({
  kind: 'process',
  action: 'stop',
  process: String(pid),
  schedule: '@every 1s',
  duration,
  uid,
});

async function scheduleOf({ url }: TestServer, uid: string): Promise<ScheduleDocument> {
  const { status, body } = await get(`${url}/api/v1/schedules/${uid}`);
  expect(status).toBe(200);
  return body as ScheduleDocument;
}

describe('schedules of the service', () => {
  test('over a restart: no tick twice, overlap skipped and counted, nothing left stopped', async () => {
    const stateDir = tempStateDir();
    const [short, long] = [await sleeper('fl-short'), await sleeper('fl-long')];
    const first = await startServer({ stateDir });
    const since = bootTimeMs();
    expect((await post(`${first.url}/api/v1/schedules`, everySecond('short', short.pid, '300ms'))).status).toBe(201);
    expect((await post(`${first.url}/api/v1/schedules`, everySecond('long', long.pid, '2500ms'))).status).toBe(201);
    await eventually('one runs twice', async () => (await scheduleOf(first, 'short')).runs >= 2);
    await eventually('the other is skipped', async () => (await scheduleOf(first, 'long')).skipped >= 1);
    expect(await first.end('SIGTERM')).toBe(0);

    const second = await startServer({ stateDir });
    const { runs } = await scheduleOf(second, 'short');
    expect(runs).toBeGreaterThanOrEqual(2);
    await eventually('it runs on', async () => (await scheduleOf(second, 'short')).runs >= runs + 2);
    await eventually('the other, too', async () => (await scheduleOf(second, 'long')).runs >= 2);
    for (const uid of ['short', 'long']) {
      expect((await del(`${second.url}/api/v1/schedules/${uid}`)).body).toMatchObject({ uid, ended: true });
    }
    const elapsedMs = bootTimeMs() - since;
    expect([stateOf(short.pid), stateOf(long.pid)]).toEqual(['S', 'S']);
    const journal = readJournal(stateDir);
    for (const uid of ['short', 'long']) {
      const document = await scheduleOf(second, uid);
      const ofIt = journal.filter(({ record }) => record.schedule === uid);
      expectSound(ofIt, document, { elapsedMs, everyMs: 1_000 });
      expectOncePerTick(stateDir, uid, 1_000);
      expect(document).toMatchObject({ nextRunAt: null, lastRun: `${uid}-${document.runs}` });
    }
    expect(await second.end('SIGTERM')).toBe(0);
  });

  test('a command adds, lists, shows and ends them, here and through the service', async () => {
    const stateDir = tempStateDir();
    const hold = ['attack', 'noop', 'hold', '--schedule', '@yearly', '--duration', '1m'];
    const refused = await cli([...hold, '--uid', 'local'], { stateDir });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('[SCHEDULE_NEEDS_SERVICE]');

    const { url } = await startServer({ stateDir });
    const remote = ['--server', url];
    const local = await cli([...hold, '--uid', 'local'], { stateDir });
    expect(local).toMatchObject({ code: 0, stdout: 'Schedule noop noop successfully, uid: local\n' });
    expect(local.stderr).toMatch(/^Next run: \d{4}-\d\d-\d\dT\d\d:\d\d:00\.000Z$/mu);
    const added = await cli([...hold, '--uid', 'remote', '-o', 'json', ...remote]);
    expect(JSON.parse(added.stdout)).toMatchObject({ uid: 'remote', schedule: '@yearly', durationMs: 60_000, runs: 0 });

    for (const where of [{ stateDir }, {}]) {
      const flags = 'stateDir' in where ? [] : remote;
      const { stdout } = await cli(['schedule', 'list', '-o', 'json', ...flags], where);
      expect((JSON.parse(stdout) as readonly ScheduleDocument[]).map(({ uid }) => uid)).toEqual(['remote', 'local']);
      const shown = await cli(['schedule', 'show', 'remote', ...flags], where);
      expect(shown.stdout).toMatch(/^Schedule: +@yearly$/mu);
      const nobody = await cli(['schedule', 'end', 'nobody', ...flags], where);
      expect(nobody.code).toBe(1);
      expect(nobody.stderr).toContain('[SCHEDULE_NOT_FOUND]');
    }
    expect((await cli(['schedule', 'end', 'remote'], { stateDir })).stdout).toBe('Schedule remote ended\n');
    expect((await cli(['schedule', 'end', 'remote', ...remote])).stdout).toBe('Schedule remote had ended before\n');
    const left = await cli(['schedule', 'list', ...remote]);
    expect(left.stdout).toContain('local');
    expect(left.stdout).not.toContain('remote');
  });
});
