import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAttack } from '../../../src/experiment/request.ts';
import { insertEvent } from '../../../src/store/events.ts';
import { openStore } from '../../../src/store/store.ts';
import { endWithTest } from '../../support/children.ts';
import { cli, finished, startCli, tempFolder, tempStateDir, uidIn } from '../../support/cli.ts';
import { hear } from '../../support/event-stream.ts';
import { eventually } from '../../support/eventually.ts';
import { get } from '../../support/http-requests.ts';
import { type InProcessService, startInProcess } from '../../support/in-process-service.ts';
import { checkMetrics, hasPrometheus, startPrometheus } from '../../support/prometheus.ts';
import { addSchedule, scheduleService } from '../../support/schedules.ts';
import { startServer } from '../../support/server.ts';
import { sources } from '../forensics/watching.ts';
import { sleeper, stopped } from '../targets/processes.ts';

async function scrape(url: string): Promise<string> {
  const answer = await get(`${url}/metrics`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return answer.text;
}

/** Every line of a scrape must be there letter by letter. */
async function expectLines(service: InProcessService, ...lines: readonly string[]): Promise<string> {
  const text = await scrape(service.url);
  expect(text.split('\n')).toEqual(expect.arrayContaining([...lines]));
  return text;
}

const stop = 'fault="process",action="stop"';
const kill = 'fault="process",action="kill"';

describe('what is counted', () => {
  test.skipIf(sources.length === 0)('deaths by their cause, and events that were lost', async () => {
    const { url, stateDir } = await startServer({ stateDir: tempStateDir() });
    const value = async (line: string): Promise<number> => {
      const found = (await scrape(url)).split('\n').find((one) => one.startsWith(`${line} `));
      return found === undefined ? Number.NaN : Number(found.slice(line.length + 1));
    };
    const deaths = (cause: string): Promise<number> => value(`faultline_deaths_total{cause="${cause}"}`);
    expect(await deaths('injection')).toBe(0);
    // Of these others on this host may have died already.
    for (const cause of ['oom', 'fault', 'unknown']) expect(await deaths(cause), cause).toBeGreaterThanOrEqual(0);
    expect(await value('faultline_death_events_dropped_total')).toBeGreaterThanOrEqual(0);
    const [failed, signaled] = [await deaths('failed'), await deaths('signal')];
    const [ours, theirs] = [await sleeper('fl-counted'), await sleeper('fl-other')];
    const attack = ['attack', 'process', 'kill', '-p', String(ours.pid)];
    expect((await cli(attack, { stateDir })).code).toBe(0);
    theirs.child.kill('SIGTERM');
    spawnSync('/bin/sh', ['-c', 'exit 3']);
    await eventually('they are counted', async () => (await deaths('injection')) === 1);
    await eventually('they are counted', async () => (await deaths('signal')) > signaled);
    await eventually('they are counted', async () => (await deaths('failed')) > failed);
  });

  test('injections, recoveries and what is live, of this process and of commands', async () => {
    const stateDir = tempStateDir();
    const service = await startInProcess(stateDir);
    await expectLines(
      service,
      `faultline_injections_total{${stop},verdict="confirmed",state="injected"} 0`,
      `faultline_injections_live{${stop},state="injected"} 0`,
      'faultline_halted 0',
      'faultline_journal_write_seconds_count 0',
    );
    const own = await sleeper('fl-own');
    const other = await sleeper('fl-other');
    await service.engine.attack(await parseAttack('process', 'stop', { uid: 'mine' }, { process: String(own.pid) }));
    await cli(['attack', 'process', 'stop', '-p', String(other.pid), '--uid', 'theirs'], { stateDir });
    const busy = await expectLines(
      service,
      `faultline_injections_total{${stop},verdict="confirmed",state="injected"} 2`,
      `faultline_injections_live{${stop},state="injected"} 2`,
      `faultline_recoveries_total{${stop},state="recovered"} 0`,
    );
    expect(busy).not.toContain('faultline_journal_write_seconds_count 0\n');
    await service.engine.recover('mine', false);
    await cli(['recover', 'theirs'], { stateDir });
    const text = await expectLines(
      service,
      `faultline_injections_total{${stop},verdict="confirmed",state="injected"} 2`,
      `faultline_injections_live{${stop},state="injected"} 0`,
      `faultline_recoveries_total{${stop},state="recovered"} 2`,
      `faultline_recovery_seconds_count{${stop}} 2`,
      `faultline_recoveries_total{${stop},state="injected"} 0`,
    );
    for (const tooMuch of ['mine', 'theirs', 'fl-own', String(own.pid)]) expect(text).not.toContain(`"${tooMuch}"`);
  });

  test('what cannot be undone, what fails half way, and what cannot be undone yet', async () => {
    const stateDir = tempStateDir();
    const service = await startInProcess(stateDir);
    await sleeper('fl-killed');
    await cli(['attack', 'process', 'kill', '-p', 'fl-killed'], { stateDir });
    await expectLines(
      service,
      `faultline_injections_total{${kill},verdict="confirmed",state="unrecoverable"} 1`,
      `faultline_injections_live{${kill},state="injected"} 0`,
      `faultline_recoveries_total{${kill},state="unrecoverable"} 0`,
    );

    const { pid } = await sleeper('fl-me-grace');
    await stopped({ pid }); // so that SIGTERM does not end it
    const args = ['attack', 'process', 'kill', '-p', String(pid), '--grace', '1h', '--uid', 'half'];
    const child = startCli(args, { stateDir });
    endWithTest(child);
    const slow = finished(child);
    const sent = await hear(`${service.url}/api/v1/events?after=0&uid=half&type=effect.applied`);
    await eventually('its first signal is sent', () => sent.events.length > 0);
    await cli(['recover', 'half'], { stateDir });
    await slow;
    await expectLines(
      service,
      `faultline_injections_total{${kill},verdict="none",state="unrecoverable"} 1`,
      `faultline_recoveries_total{${kill},state="unrecoverable"} 1`,
      `faultline_recovery_seconds_count{${kill}} 1`,
    );

    await sleeper('fl-failing');
    await cli(['attack', 'process', 'kill', '-p', 'fl-failing', '-r', 'exit 3', '--uid', 'stuck'], { stateDir });
    await cli(['recover', 'stuck'], { stateDir });
    await cli(['recover', 'stuck'], { stateDir });
    await expectLines(
      service,
      `faultline_injections_total{${kill},verdict="confirmed",state="injected"} 1`,
      `faultline_recoveries_total{${kill},state="injected"} 2`,
      `faultline_injections_live{${kill},state="injected"} 1`,
    );
    await cli(['recover', 'stuck', '--abandon'], { stateDir });
    await cli(['halt'], { stateDir });
    await expectLines(
      service,
      `faultline_recoveries_total{${kill},state="injected"} 2`,
      `faultline_recoveries_total{${kill},state="unrecoverable"} 2`,
      `faultline_injections_live{${kill},state="injected"} 0`,
      'faultline_halted 1',
    );
  });

  test('ticks of schedules: begun, skipped', async () => {
    const stateDir = tempStateDir();
    const service = await startInProcess(stateDir);
    const schedules = await scheduleService(stateDir);
    const { pid } = await sleeper('fl-schedule');
    const body = { kind: 'process', action: 'stop', process: String(pid), schedule: '@every 1s', duration: '1h' };
    await addSchedule(schedules, body);
    // The first run lasts, so that every later tick is skipped.
    await eventually('ticks were skipped', async () =>
      /faultline_schedule_runs_total\{result="skipped"\} (?:[2-9]|\d\d)/u.test(await scrape(service.url)),
    );
    await expectLines(service, 'faultline_schedule_runs_total{result="run"} 1');
  });

  test('from when the service began, however long the journal is', async () => {
    const stateDir = tempStateDir();
    const store = openStore(stateDir);
    const write = (count: number): Promise<void> =>
      store.write(() => {
        const event = { at: 0, bootMs: 0, type: 'schedule.run', data: {} };
        for (let index = 0; index < count; index++) insertEvent(store, null, event);
      });
    await sleeper('fl-me-before');
    await cli(['attack', 'process', 'kill', '-p', 'fl-me-before'], { stateDir });
    const service = await startInProcess(stateDir);
    await expectLines(
      service,
      `faultline_injections_total{${kill},verdict="confirmed",state="unrecoverable"} 0`,
      'faultline_schedule_runs_total{result="run"} 0',
    );
    await write(12_000);
    await sleeper('fl-me-after');
    await cli(['attack', 'process', 'kill', '-p', 'fl-me-after'], { stateDir });
    await write(12_000);
    store.close();
    const all = await Promise.all([scrape(service.url), scrape(service.url), scrape(service.url)]);
    const line = `faultline_injections_total{${kill},verdict="confirmed",state="unrecoverable"} 1\n`;
    for (const text of all) expect(text).toContain(line);
  });

  test('requests by the pattern of their route, never by what was asked', async () => {
    const service = await startInProcess(tempStateDir());
    const { url } = service;
    await get(`${url}/api/v1/nothing-here/pa55word`);
    await get(`${url}/api/v1/events?after=pa55word`);
    await scrape(url);
    const text = await expectLines(
      service,
      'faultline_http_requests_total{method="GET",route="(none)",status="404"} 1',
      'faultline_http_requests_total{method="GET",route="/api/v1/events",status="400"} 1',
      'faultline_http_requests_total{method="GET",route="/metrics",status="200"} 1',
      'faultline_http_request_seconds_count{method="GET",route="/metrics"} 1',
    );
    expect(text).not.toContain('pa55word');
  });

  test('event streams, and those that were dropped', async () => {
    const stateDir = tempStateDir();
    const service = await startInProcess(stateDir);
    const store = openStore(stateDir);
    const reader = await hear(`${service.url}/api/v1/events?type=round`);
    const deaf = await hear(`${service.url}/api/v1/events`, {}, false);
    await expectLines(service, 'faultline_event_streams 2', 'faultline_event_streams_dropped_total 0');
    const ballast = { at: 0, bootMs: 0, type: 'ballast', data: { pad: 'x'.repeat(20_000) } };
    await eventually('it is dropped', async () => {
      if (service.clients.dropped === 0) {
        await store.write(() => {
          for (let index = 0; index < 50; index++) insertEvent(store, null, ballast);
        });
      }
      return service.clients.dropped === 1 && service.clients.open === 1;
    });
    store.close();
    await expectLines(service, 'faultline_event_streams 1', 'faultline_event_streams_dropped_total 1');
    reader.close();
    deaf.close();
    await eventually('all are gone', () => service.clients.open === 0);
    await expectLines(service, 'faultline_event_streams 0');
  });
});

if (!hasPrometheus) console.warn('SKIPPED: what Prometheus makes of the metrics; its Debian package is not installed');

describe.skipIf(!hasPrometheus)('what Prometheus makes of it', () => {
  test('promtool finds nothing wrong, before and after', async () => {
    const stateDir = tempStateDir();
    const server = await startServer({ stateDir });
    expect(checkMetrics(await scrape(server.url))).toBe('');
    await sleeper('fl-promtool');
    const attack = await cli(['attack', 'process', 'stop', '-p', 'fl-promtool'], { stateDir });
    await cli(['recover', uidIn(attack.stdout)], { stateDir });
    const text = await scrape(server.url);
    expect(text).toContain(`faultline_recoveries_total{${stop},state="recovered"} 1\n`);
    expect(checkMetrics(text)).toBe('');
    expect(checkMetrics('# HELP a_total A.\n# TYPE a_total gauge\na_total 1\n'), 'promtool looks at all').not.toBe('');
  });

  test('a real Prometheus scrapes the service with a read token, and sees what happens', async () => {
    const stateDir = tempStateDir();
    const token = 'a-token-for-prometheus-alone-0123456789';
    const tokenFile = path.join(tempFolder(), 'read-token');
    writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
    const server = await startServer({ stateDir, args: ['--read-token-file', tokenFile] });
    const prometheus = await startPrometheus(new URL(server.url).host, token);
    const valueOf = async (promql: string): Promise<string | undefined> => (await prometheus.query(promql))[0]?.value;
    await eventually('it has scraped', async () => (await valueOf('up{job="faultline"}')) === '1');
    await sleeper('fl-scraped');
    const attack = await cli(['attack', 'process', 'stop', '-p', 'fl-scraped'], { stateDir });
    const injections = 'faultline_injections_total{fault="process",action="stop",verdict="confirmed",state="injected"}';
    await eventually('it has seen the attack', async () => (await valueOf(injections)) === '1');
    await eventually('it is live', async () => (await valueOf('sum(faultline_injections_live)')) === '1');
    await cli(['recover', uidIn(attack.stdout)], { stateDir });
    await eventually(
      'it has seen the recovery',
      async () => (await valueOf('sum(faultline_recovery_seconds_count)')) === '1',
    );
    await eventually('nothing is live', async () => (await valueOf('sum(faultline_injections_live)')) === '0');
    expect(
      Number(
        await valueOf('increase(faultline_injections_total{action="stop",state="injected",verdict="confirmed"}[5m])'),
      ),
    ).toBeGreaterThan(0);
    expect((await prometheus.query('faultline_build_info'))[0]?.labels['version']).toMatch(/^\d+\.\d+\.\d+/u);
  });
});
