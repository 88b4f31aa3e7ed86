import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, tempFolder, tempStateDir } from '../../support/cli.ts';
import { del, get, post } from '../../support/http-requests.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { sleeper, stateOf, until } from '../targets/processes.ts';

/*
 * What chaosd tells of its experiments and of itself. The shapes are written from the contract.
 */
const rowKeys = [
  'id',
  'uid',
  'created_at',
  'updated_at',
  'status',
  'error',
  'kind',
  'action',
  'recover_command',
  'launch_mode',
];
const runKeys = ['id', 'uid', 'start_at', 'finished_at', 'status', 'error', 'ExperimentID', 'experiment'];
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/u;
const zeroTime = '0001-01-01T00:00:00Z';

interface Row {
  readonly id: number;
  readonly uid: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly status: string;
  readonly error: string;
  readonly recover_command: string;
}

interface Run {
  readonly uid: string;
  readonly finished_at: string;
  readonly status: string;
  readonly ExperimentID: number;
  readonly experiment: Row;
}

const serve = (args: readonly string[] = []): Promise<TestServer> => startServer({ stateDir: tempStateDir(), args });

async function rowsOf(server: TestServer, query = ''): Promise<readonly Row[]> {
  const { status, body, headers, text } = await get(`${server.url}/api/experiments/${query}`);
  expect(status, text).toBe(200);
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  return body as readonly Row[];
}

const uidsOf = async (server: TestServer, query: string): Promise<readonly string[]> =>
  (await rowsOf(server, query)).map(({ uid }) => uid);

async function runsOf(server: TestServer, uid: string): Promise<readonly Run[]> {
  const { status, body } = await get(`${server.url}/api/experiments/${uid}/runs`);
  expect(status).toBe(200);
  return body as readonly Run[];
}

const attack = async (server: TestServer, body: object): Promise<void> => {
  const { status, text } = await post(`${server.url}/api/attack/process`, body);
  expect(status, text).toBe(200);
};

describe('GET /api/experiments/', () => {
  test('a row is what chaosd makes of it', async () => {
    const server = await serve();
    expect((await get(`${server.url}/api/experiments/`)).text).toBe('[]');
    const { pid } = await sleeper('fl-row');
    await attack(server, { process: String(pid), signal: 19, duration: '1h', uid: 'row' });
    const [row, ...others] = await rowsOf(server);
    expect(others).toEqual([]);
    expect(Object.keys(row ?? {})).toEqual(rowKeys);
    expect(row).toMatchObject({
      id: expect.any(Number) as number,
      uid: 'row',
      created_at: expect.stringMatching(rfc3339) as string,
      updated_at: expect.stringMatching(rfc3339) as string,
      status: 'success',
      error: '',
      kind: 'process',
      action: 'stop',
      launch_mode: 'svr',
    });
    expect(JSON.parse(row?.recover_command ?? '')).toMatchObject({
      schedule: '',
      duration: '3600000ms',
      action: 'stop',
      kind: 'process',
      uid: 'row',
      process: String(pid),
      signal: 19,
      PIDs: [pid],
      recoverCmd: '',
    });
    await del(`${server.url}/api/attack/row`);
    expect(await rowsOf(server)).toMatchObject([{ uid: 'row', status: 'destroyed' }]);
  });

  test('filters, order and pages; with and without the slash', async () => {
    const server = await serve();
    const { pid } = await sleeper('fl-pages');
    for (const uid of ['one', 'two', 'three']) {
      await attack(server, { process: String(pid), signal: 19, uid });
      await del(`${server.url}/api/attack/${uid}`);
    }
    const command = ['attack', 'process', 'stop', '-p', String(pid), '--uid', 'four'];
    expect(await cli(command, { stateDir: server.stateDir })).toMatchObject({ code: 0 });
    expect(await uidsOf(server, '')).toEqual(['four', 'three', 'two', 'one']);
    expect(await uidsOf(server, '?asc=true')).toEqual(['one', 'two', 'three', 'four']);
    expect(await uidsOf(server, '?limit=2&offset=1')).toEqual(['three', 'two']);
    expect(await uidsOf(server, '?limit=0')).toHaveLength(4);
    expect(await uidsOf(server, '?status=destroyed&limit=1')).toEqual(['three']);
    expect(await uidsOf(server, '?status=success')).toEqual(['four']);
    expect(await uidsOf(server, '?status=scheduled')).toEqual([]);
    expect(await uidsOf(server, '?launch_mode=cmd')).toEqual(['four']);
    expect(await uidsOf(server, '?launch_mode=svr&limit=1')).toEqual(['three']);
    expect(await uidsOf(server, '?kind=network')).toEqual([]);
    expect(await uidsOf(server, '?kind=process&action=stop')).toHaveLength(4);
    const bare = await get(`${server.url}/api/experiments`);
    expect(bare.text).toBe((await get(`${server.url}/api/experiments/`)).text);
    for (const query of ['?status=gone', '?limit=-1', '?offset=x', '?limit=1&limit=2']) {
      const refused = await get(`${server.url}/api/experiments/${query}`);
      expect(refused).toMatchObject({ status: 400, body: { error: true, code: 'error.api.invalid_request' } });
    }
  });

  test('more than are read at a time: each once, in order', async () => {
    const server = await serve(['--max-rate', '100000']);
    const uids = Array.from({ length: 250 }, (_, index) => `noop-${index}`);
    for (const uid of uids) await post(`${server.url}/api/attack/noop`, { uid, name: uid });
    expect(await uidsOf(server, '?asc=1')).toEqual(uids);
    expect(await uidsOf(server, '')).toEqual(uids.toReversed());
  });
});

describe('GET /api/experiments/{uid}/runs', () => {
  test('an attack is its one run; of nobody there are none', async () => {
    const server = await serve();
    const { pid } = await sleeper('fl-run');
    await attack(server, { process: String(pid), signal: 19, uid: 'run' });
    const [row] = await rowsOf(server);
    const [run, ...others] = await runsOf(server, 'run');
    expect(others).toEqual([]);
    expect(Object.keys(run ?? {})).toEqual(runKeys);
    expect(run).toMatchObject({ uid: 'run', status: 'success', finished_at: zeroTime, error: '', experiment: row });
    await del(`${server.url}/api/attack/run`);
    const [after] = await runsOf(server, 'run');
    expect(after).toMatchObject({ status: 'recovered', finished_at: expect.stringMatching(rfc3339) as string });
    expect(after?.finished_at).not.toBe(zeroTime);
    const unknown = await get(`${server.url}/api/experiments/nobody/runs`);
    expect(unknown).toMatchObject({ status: 404, body: { error: true, code: 'error.api.resource_not_found' } });
  });
});

describe('what did not take effect', () => {
  const isRoot = process.geteuid?.() === 0;

  // As a normal user there may be no process of another one that is not protected anyway.
  test.runIf(isRoot)('500, status error; DELETE of it 200 with the reason', async () => {
    const stateDir = tempStateDir();
    chmodSync(path.dirname(stateDir), 0o777);
    const server = await startServer({ stateDir, uid: 65_534, env: { HOME: '/nonexistent' } });
    // Who runs the service may ask it; who asks here is root.
    const { pid } = await sleeper('fl-foreign');
    const failed = await post(`${server.url}/api/attack/process`, { process: String(pid), uid: 'failed' });
    expect(failed).toMatchObject({ status: 500, body: { error: true, code: 'error.api.internal_server_error' } });
    expect(stateOf(pid)).toBe('S');
    const [row] = await rowsOf(server);
    expect(row).toMatchObject({ uid: 'failed', status: 'error' });
    expect(row?.error).not.toBe('');
    const deleted = await del(`${server.url}/api/attack/failed`);
    expect(deleted.text.startsWith('{"status":200,"message":"attack recover successfully","uid":"failed",')).toBe(true);
    expect(deleted).toMatchObject({ status: 200, body: { recovered: false } });
  });
});

describe('schedule', () => {
  const body = (pid: number) => ({
    process: String(pid),
    signal: 19,
    schedule: '@every 1s',
    duration: '500ms',
    uid: 'often',
  });

  test('runs until DELETE, which undoes its live run', async () => {
    const server = await serve();
    const { pid } = await sleeper('fl-often');
    const url = `${server.url}/api/attack/process`;
    const answer = await post(url, body(pid));
    expect(answer.text).toBe('{"status":200,"message":"attack successfully","uid":"often"}');
    const [row, ...others] = await rowsOf(server);
    expect(others).toEqual([]);
    expect(Object.keys(row ?? {})).toEqual(rowKeys);
    expect(row).toMatchObject({ uid: 'often', status: 'scheduled', action: 'stop', launch_mode: 'svr' });
    const configuration = { schedule: '@every 1s', duration: '500ms', process: String(pid), signal: 19 };
    expect(JSON.parse(row?.recover_command ?? '')).toMatchObject(configuration);
    await until('it is stopped', () => stateOf(pid) === 'T');
    await until('it goes on', () => stateOf(pid) === 'S');
    await until('it is stopped again', () => stateOf(pid) === 'T');
    const runs = await runsOf(server, 'often');
    expect(runs.length).toBeGreaterThanOrEqual(2);
    expect(runs.at(-1)).toMatchObject({ status: 'recovered', ExperimentID: row?.id, experiment: { uid: 'often' } });
    // Its runs are no experiments of their own.
    expect(await uidsOf(server, '')).toEqual(['often']);
    expect((await post(url, body(pid))).text).toBe(answer.text);
    expect((await post(url, { ...body(pid), schedule: '@every 2s' })).status).toBe(400);
    const gone = '{"status":200,"message":"attack recover successfully","uid":"often"}';
    expect((await del(`${server.url}/api/attack/often`)).text).toBe(gone);
    expect(stateOf(pid)).toBe('S');
    expect((await del(`${server.url}/api/attack/often`)).text).toBe(gone);
    expect(await rowsOf(server, '?status=destroyed')).toMatchObject([{ uid: 'often', status: 'destroyed' }]);
    expect(await uidsOf(server, '?status=scheduled')).toEqual([]);
  });

  test('one whose runs would never end is refused, as by chaosd', async () => {
    const server = await serve();
    const { pid } = await sleeper('fl-endless');
    const { duration: _none, ...endless } = body(pid);
    const refused = await post(`${server.url}/api/attack/process`, endless);
    expect(refused).toMatchObject({ status: 400, body: { error: true, code: 'error.api.invalid_request' } });
    expect(await rowsOf(server)).toEqual([]);
  });
});

describe('/api/system', () => {
  const versionKeys = ['gitVersion', 'gitCommit', 'buildDate', 'goVersion', 'compiler', 'platform'];

  test('is for anybody; the rest is not, and says so in the shape of chaosd', async () => {
    const file = path.join(tempFolder(), 'token');
    writeFileSync(file, `${'t'.repeat(40)}\n`, { mode: 0o600 });
    const server = await serve(['--token-file', file]);
    expect(await get(`${server.url}/api/system/health`)).toMatchObject({ text: '{"status":0,"message":""}' });
    const version = await get(`${server.url}/api/system/version`);
    expect(Object.keys(version.body as object).slice(0, versionKeys.length)).toEqual(versionKeys);
    expect(version.body).toMatchObject({ gitVersion: expect.stringMatching(/^v\d+\.\d+\.\d+/u) as string });
    const stranger = await get(`${server.url}/api/experiments/`);
    expect(stranger).toMatchObject({ status: 401, body: { error: true, code: 'error.api.auth' } });
    const known = await get(`${server.url}/api/experiments/`, { authorization: `Bearer ${'t'.repeat(40)}` });
    expect(known).toMatchObject({ status: 200, text: '[]' });
  });
});
