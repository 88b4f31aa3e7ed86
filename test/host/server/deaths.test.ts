import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { openEngine } from '../../../src/experiment/engine.ts';
import type { DeathRecord } from '../../../src/forensics/death-record.ts';
import { cli, tempStateDir } from '../../support/cli.ts';
import { hear } from '../../support/event-stream.ts';
import { eventually } from '../../support/eventually.ts';
import { get } from '../../support/http-requests.ts';
import { startServer } from '../../support/server.ts';
import { sources } from '../forensics/watching.ts';
import { sleeper } from '../targets/processes.ts';

interface Deaths {
  readonly watching: { readonly source: string; readonly dropped: number } | null;
  readonly items: readonly { readonly id: number; readonly pid: number; readonly injection: string | null }[];
}

const death: DeathRecord = {
  at: 0,
  bootMs: 0,
  bootId: 'boot',
  pid: 1,
  nsPid: null,
  namespaces: [],
  startTimeTicks: 1,
  ppid: 1,
  name: 'fl-one',
  argv: null,
  uid: 0,
  cgroup: null,
  container: null,
  ageMs: null,
  end: { kind: 'exited', code: 1 },
  signal: null,
  sender: null,
  oom: null,
  injection: null,
  source: 'bpf',
};

async function deathsAt(url: string, query = ''): Promise<Deaths> {
  const { status, body } = await get(`${url}/api/v1/deaths${query}`);
  expect(status).toBe(200);
  return body as Deaths;
}

const watches = async (url: string): Promise<boolean> => (await deathsAt(url)).watching !== null;

describe.skipIf(sources.length === 0)('the service watches', () => {
  test('why knows afterwards who sent the signal, and which injection it was', async () => {
    const stateDir = tempStateDir();
    const server = await startServer({ stateDir });
    const { url } = server;
    await eventually('it watches', () => watches(url));
    const [ours, theirs] = [await sleeper('fl-ours'), await sleeper('fl-theirs')];
    const attack = await cli(['attack', 'process', 'kill', '-p', 'fl-ours', '--uid', 'by-us'], { stateDir });
    expect(attack.code, attack.stderr).toBe(0);
    theirs.child.kill('SIGTERM');
    await eventually('both are kept', async () => {
      const found = await Promise.all([ours, theirs].map(({ pid }) => deathsAt(url, `?pid=${pid}`)));
      return found.every(({ items }) => items.length === 1);
    });
    expect((await deathsAt(url, `?pid=${ours.pid}`)).items[0]).toMatchObject({ injection: 'by-us', name: 'fl-ours' });
    expect((await deathsAt(url, '?name=fl-theirs&limit=1')).items[0]).toMatchObject({
      injection: null,
      uid: process.getuid?.(),
    });
    expect(await server.end('SIGTERM')).toBe(0);
    const why = await cli(['why', String(ours.pid)], { stateDir });
    expect(why.stdout).toContain('it was Faultline: injection by-us: ');
    expect(why.stdout).toContain('died of SIGKILL');
    const other = await cli(['why', String(theirs.pid), '-o', 'json'], { stateDir });
    const { causes } = JSON.parse(other.stdout) as { readonly causes: readonly { readonly title: string }[] };
    if (sources.includes('bpf')) expect(causes[0]?.title).toContain(`died of SIGTERM, sent by pid ${process.pid} (`);
    expect(causes[0]?.title).not.toContain('Faultline');
  });

  test('a stream tells of deaths as they happen, and resumes without loss', async () => {
    const stateDir = tempStateDir();
    const { url } = await startServer({ stateDir });
    await eventually('it watches', () => watches(url));
    const first = await hear(`${url}/api/v1/deaths/events`);
    expect(first.status).toBe(200);
    const heard = (hearing: typeof first, pid: number): boolean =>
      hearing.events.some(({ data }) => (data as unknown as { readonly pid: number }).pid === pid);
    const one = await sleeper('fl-one');
    one.child.kill('SIGKILL');
    await eventually('the first is heard', () => heard(first, one.pid));
    first.close();
    const [two, three] = [await sleeper('fl-de-two'), await sleeper('fl-de-three')];
    two.child.kill('SIGKILL');
    await eventually('it is kept', async () => (await deathsAt(url, `?pid=${two.pid}`)).items.length === 1);
    // Events of restarts have no id; a client goes on from the last that it was given.
    const idsOf = ({ events }: typeof first): readonly number[] => events.map(({ id }) => id).filter(Number.isInteger);
    const last = String(idsOf(first).at(-1));
    const second = await hear(`${url}/api/v1/deaths/events`, { 'last-event-id': last });
    await eventually('the second is heard', () => heard(second, two.pid));
    three.child.kill('SIGKILL');
    await eventually('the third is heard', () => heard(second, three.pid));
    expect(heard(second, one.pid)).toBe(false);
    expect(second.status).toBe(200);
    const ids = idsOf(second);
    expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b));
  });

  test('whoever comes back too late is told how many deaths are forgotten', async () => {
    const stateDir = tempStateDir();
    const interrupted = new AbortController().signal;
    const engine = openEngine({ stateDir, via: 'test', program: [], interrupted, observe: () => undefined });
    try {
      await engine.recordDeaths(Array.from({ length: 10_040 }, (_, index) => ({ ...death, pid: index + 1 })));
    } finally {
      engine.close();
    }
    const { url } = await startServer({ stateDir, args: ['--no-watch'] });
    const hearing = await hear(`${url}/api/v1/deaths/events?after=10`);
    await eventually('all that are kept are heard', () => hearing.events.at(-1)?.id === 10_040);
    expect(hearing.events.slice(0, 2)).toMatchObject([
      { type: 'forgotten', data: { deaths: 30 } },
      { type: 'death', id: 41, data: { pid: 41 } },
    ]);
    expect(hearing.events).toHaveLength(10_001);
  });

  test('it ends with a stream open, and does not when it is told not to watch', async () => {
    const stateDir = tempStateDir();
    const watching = await startServer({ stateDir });
    await eventually('it watches', () => watches(watching.url));
    const hearing = await hear(`${watching.url}/api/v1/deaths/events`);
    expect(await watching.end('SIGTERM')).toBe(0);
    await eventually('the stream is over', () => hearing.closed());
    const without = await startServer({ stateDir, args: ['--no-watch'] });
    const target = await sleeper('fl-unseen');
    const exited = once(target.child, 'exit');
    target.child.kill('SIGKILL');
    await exited;
    expect(await deathsAt(without.url, `?pid=${target.pid}`)).toEqual({ watching: null, items: [] });
  });

  test('what cannot be asked is refused in words; whoever may only read is not told', async () => {
    const { url } = await startServer({ stateDir: tempStateDir(), args: ['--no-watch'] });
    for (const query of ['?pid=0', '?pid=x', '?limit=0', '?what=1']) {
      const { status, body } = await get(`${url}/api/v1/deaths${query}`);
      expect(status, query).toBe(400);
      expect(body).toMatchObject({ error: { code: 'ARGUMENT_INVALID' } });
    }
    expect((await get(`${url}/api/v1/deaths/events?after=now`)).status).toBe(400);
    const [attack, read] = ['a'.repeat(40), 'r'.repeat(40)];
    const env = { FAULTLINE_SERVER_TOKEN: attack, FAULTLINE_SERVER_READ_TOKEN: read };
    const guarded = await startServer({ stateDir: tempStateDir(), args: ['--no-watch'], env });
    for (const path of ['/api/v1/deaths', '/api/v1/deaths/events']) {
      const refused = await get(guarded.url + path, { authorization: `Bearer ${read}` });
      expect(refused.status, path).toBe(403);
    }
    expect((await get(`${guarded.url}/api/v1/deaths`, { authorization: `Bearer ${attack}` })).status).toBe(200);
  });
});
